"""What a proof concludes: `Proved`, `Refuted` or `Open`. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convcheck.core.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The statement follows from its hypotheses.

    Attributes:
        name: Name of the theorem or claim.
        statement: What was proved, as text.
        hypotheses: What it was proved under, as text; empty means unconditionally.
        obligations: The hypotheses that the derivation used.
        checks: Further evidence, one sentence each (second checks, siblings refuted).
        remarks: What adds no evidence but must be said, such as an engine that cannot follow.
    """

    name: str
    statement: str
    hypotheses: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """`Verdict.PASS`."""
        return Verdict.PASS


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuted:
    """The statement is false: a witness makes its hypotheses true and its two sides differ.

    Attributes:
        name: Name of the theorem or claim.
        statement: What was refuted, as text.
        witness: The counterexample: each variable with its value, as text or numbers.
        shows: Both sides at the witness, in one sentence.
    """

    name: str
    statement: str
    witness: Mapping[str, Any] = field(default_factory=dict)
    shows: str = ""

    @property
    def verdict(self) -> Verdict:
        """`Verdict.FAIL`."""
        return Verdict.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Nothing was decided: a derivation that does not follow, malformed input, or no method.

    Attributes:
        name: Name of the theorem or claim.
        statement: What was asked, as text.
        reason: Why it is open, in one sentence.
        line: The first line that does not follow, where it was a derivation.
    """

    name: str
    statement: str
    reason: str
    line: str = ""

    @property
    def verdict(self) -> Verdict:
        """`Verdict.UNKNOWN`."""
        return Verdict.UNKNOWN


Decision = Proved | Refuted | Open
