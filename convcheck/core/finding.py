"""`Finding`: the one value that every checker yields and every reader takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convcheck.core.case import Case
from convcheck.core.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found, told so that a person can act on it (SARIF's `result`).

    Attributes:
        verdict: What was concluded.
        where: The case, layer path, theorem or file concerned.
        what: What was found, in one sentence.
        why: The rule, with the numbers put in.
        fix: What to change.
        code: Stable identifier of this kind of finding, such as `CC201`; may be empty.
        case: The smallest failing case, where there is one.
        diagnosis: The named cause ("flips the kernel"), where one explains every failure.
        script: A script that shows the fault without convcheck; see `reproduce`.
        picture: A drawing of the fault in plain text, for the terminal.
        details: Further JSON values (numbers, lists, strings), for the machine.
    """

    verdict: Verdict
    where: str
    what: str
    why: str = ""
    fix: str = ""
    code: str = ""
    case: Case | None = None
    diagnosis: str = ""
    script: str = ""
    picture: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def reproduce(self) -> str:
        """Returns a script that shows the fault without convcheck, or the command that does."""
        return self.script

    def to_json(self) -> dict[str, Any]:
        """Returns the finding as JSON values; empty fields are left out."""
        whole = {
            "verdict": str(self.verdict),
            "code": self.code,
            "where": self.where,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
            "case": str(self.case) if self.case else "",
            "diagnosis": self.diagnosis,
            "script": self.script,
            "picture": self.picture,
            "details": dict(self.details),
        }
        return {key: value for key, value in whole.items() if value}
