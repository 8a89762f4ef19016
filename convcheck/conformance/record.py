"""Two releases on the same cases: a digest of each outcome, kept in a file, compared later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np

from convcheck.conformance.bench import Observation, inputs_of
from convcheck.conformance.execute import Target, open_runner
from convcheck.conformance.outcome import Outcome, Raised, Returned
from convcheck.core.case import Case, parse_case
from convcheck.core.errors import ConvcheckError, InputError
from convcheck.core.verdict import Verdict

_FORMAT = "convcheck outcomes 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A case whose outcome is another than the recorded one."""

    case: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The comparison of a run with a record.

    Attributes:
        target: Name of the function now.
        op: Its operation.
        compared: Cases run again.
        changes: Those whose outcome changed.
        left_out: Cases that cannot be run now.
    """

    target: str
    op: str
    compared: int
    changes: tuple[Change, ...]
    left_out: int = 0

    @property
    def verdict(self) -> Verdict:
        """PASS where every outcome is the recorded one, UNKNOWN where nothing was compared."""
        if self.changes:
            return Verdict.FAIL
        return Verdict.PASS if self.compared else Verdict.UNKNOWN

    def __str__(self) -> str:
        """Returns the changes, one a line."""
        lines = [
            f"{self.verdict} {self.op} {self.target}: {len(self.changes)} of {self.compared} "
            "outcomes changed"
        ]
        if self.left_out:
            lines.append(f"  left out: {self.left_out} cases that cannot be run now")
        for change in self.changes:
            told = f"    before: {change.before}", f"    now:    {change.after}"
            lines += [f"  {change.case}", *told]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Returns the changes as JSON values."""
        return {
            "target": self.target, "op": self.op, "verdict": str(self.verdict),
            "compared": self.compared, "left_out": self.left_out,
            "changes": [
                {"case": c.case, "before": c.before, "after": c.after} for c in self.changes
            ],
        }  # fmt: skip


def outcome_digest(outcome: Outcome) -> str:
    """Returns an outcome as one line: a hash of the very bits, or the sort of failure.

    Messages and times are left out: they may change between releases that compute the same.
    """
    if isinstance(outcome, Raised):
        return f"raised {outcome.type_name}"
    if not isinstance(outcome, Returned):
        return outcome.symptom
    parts = []
    for array in outcome.arrays:
        values = array.values
        if values.dtype.kind == "f":
            # Which NaN it is depends on the order of two operands, which no one promises.
            values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
        digest = blake2b(values.tobytes(), digest_size=12).hexdigest()
        parts.append(f"{array.dtype}{list(array.values.shape)} {digest}")
    return "returned " + ", ".join(parts)


def record(seen: Iterable[Observation], path: str | Path, *, op: str, target: str) -> int:
    """Writes the outcome of every case that was seen, the last of each; returns their number.

    Raises:
        InputError: The file cannot be written.
    """
    last = {str(o.case): outcome_digest(o.outcome) for o in seen}
    head = json.dumps({"format": _FORMAT, "op": op, "target": target})
    lines = [head, *(json.dumps([case, told]) for case, told in last.items())]
    try:
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}", why=error.strerror or str(error)) from None
    return len(last)


def compare_with(
    path: str | Path,
    fn: Target,
    op: str,
    *,
    isolated: bool = True,
    arrays: Literal["auto", "numpy", "torch"] = "auto",
    autograd: bool = False,
) -> Changes:
    """Returns what changed: the recorded cases run again, bit for bit.

    Raises:
        InputError: The file is no record, or one of another operation.
        TargetError: The function cannot be loaded.
    """
    recorded = list(_read(path, op))
    changes: list[Change] = []
    compared = left_out = 0
    with open_runner(fn, op, isolated=isolated, arrays=arrays, autograd=autograd) as runner:
        for case, before in recorded:
            if runner.unsupported(case):
                left_out += 1
                continue
            after = outcome_digest(runner.run(case, inputs_of(case), repeat=2))
            compared += 1
            if after != before:
                changes.append(Change(case=str(case), before=before, after=after))
    name = fn if isinstance(fn, str) else getattr(fn, "__name__", type(fn).__name__)
    return Changes(target=name, op=op, compared=compared, changes=tuple(changes), left_out=left_out)


def _read(path: str | Path, op: str) -> Iterator[tuple[Case, str]]:
    try:
        lines: Sequence[str] = Path(path).read_text(encoding="utf-8").splitlines()
        head = json.loads(lines[0])
        if head["format"] != _FORMAT:
            raise ValueError(f"its format is {head['format']!r}, not {_FORMAT!r}")
        rows = [json.loads(line) for line in lines[1:]]
        cases = [(parse_case(case), str(told)) for case, told in rows]
    except OSError as error:
        raise InputError(f"cannot read {path}", why=error.strerror or str(error)) from None
    except (ValueError, KeyError, IndexError, TypeError, ConvcheckError) as error:
        raise InputError(f"{path} is no record of outcomes", why=str(error),
                         fix="write one with --record") from None  # fmt: skip
    if head["op"] != op:
        raise InputError(f"{path} is a record of {head['op']}, not of {op}", fix="give that --op")
    yield from cases
