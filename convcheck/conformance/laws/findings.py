"""A broken law, or a wrong element of a large result, as a finding with its script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from convcheck.conformance.arguments import ARRAYS, parameters
from convcheck.conformance.laws.large_shapes import Sampled
from convcheck.conformance.laws.law import Call
from convcheck.conformance.laws.put import Put
from convcheck.conformance.reproduce import derivation, import_lines
from convcheck.conformance.subject import Subject
from convcheck.core.finding import Finding
from convcheck.core.ops import find_op
from convcheck.core.verdict import Verdict

_READABLE = 200
_SHOWN = 64

Sources = Mapping[str, tuple[np.ndarray, str]]


def finding_of_law(
    put: Put, subject: Subject, *, broken: Sequence[str], kept: Sequence[str], is_minimal: bool
) -> Finding:
    """Returns a broken law as a finding: both sides, every law that is broken, those that hold."""
    law = put.law
    details: dict[str, object] = {
        "law": law.name, "says": f"breaks the law {law.says}", "minimal": is_minimal,
        "left_side": put.trial.left, "right_side": put.trial.right,
        "laws_broken": list(broken), "laws_kept": list(kept), "named": False,
        "replay": f'convcheck replay "{put.case}" --target {_name(subject)} --op {subject.op} '
        f'--law "{law.name}"',
    }  # fmt: skip
    if put.kind == "failed":
        what = f"a call of the law ended badly: the function {put.outcome}"
    elif put.left.shape != put.right.shape:
        what = f"one side has shape {put.left.shape}, the other {put.right.shape}"
    else:
        where = np.argwhere(put.differs)
        index = tuple(map(int, where[0]))
        what = (
            f"element {index} is {put.left[index]!s} on the left and {put.right[index]!s} on the "
            f"right; {len(where)} of {put.left.size} elements differ"
        )
        if put.left.size <= _SHOWN:
            details |= {"left": _plain(put.left), "right": _plain(put.right)}
    others = [name for name in broken if name != law.name]
    diagnosis = f"breaks {len(broken)} of {len(broken) + len(kept)} laws"
    diagnosis += f", also: {', '.join(others)}" if others else ""
    return Finding(
        verdict=Verdict.FAIL,
        where=str(put.case),
        what=f'the law "{law.name}" is broken: {what}',
        why=f"{law.says}, for every correct function; every sum here is exact in its dtype",
        code="IMPL-LAW",
        case=put.case,
        diagnosis=diagnosis,
        script=_script_of_law(put, subject),
        picture=_both_sides(put),
        details=details,
    )


def finding_of_sample(seen: Sampled, subject: Subject, *, is_minimal: bool) -> Finding:
    """Returns a wrong element of a large result as a finding."""
    if seen.index is None:
        what = str(seen.outcome)
    else:
        what = (
            f"element {seen.index} is {seen.actual:g} where {seen.expected:g} was expected; "
            f"{seen.different} of {seen.compared} elements looked at differ"
        )
    lines = [
        f"# {seen.case}",
        *_opening(subject, seen.case.dtype, seen.sources),
        f"y = {_call_text(Call(case=seen.case, arrays={n: n for n in seen.sources}), subject)}",
    ]
    if seen.index is not None:
        whole = f"y[{seen.output}]" if find_op(seen.case.op).family.endswith("backward") else "y"
        lines += [
            f"actual, expected = float({whole}[{seen.index}]), {seen.expected!r}",
            "assert actual == expected, f'{actual} where {expected} was expected'",
        ]
    return Finding(
        verdict=Verdict.FAIL,
        where=str(seen.case),
        what=what,
        why="single elements of a large result, each worked out by its defining sum",
        code="IMPL-LARGE",
        case=seen.case,
        diagnosis="shows on a large shape",
        script="\n".join(lines) + "\n",
        details={
            "kind": "value", "minimal": is_minimal, "named": False, "says": "",
            "index": list(seen.index or ()), "expected": seen.expected, "actual": seen.actual,
            "different": seen.different, "compared": seen.compared,
            "replay": f'convcheck replay "{seen.case}" --target {_name(subject)} --op {subject.op}',
        },
    )  # fmt: skip


def _script_of_law(put: Put, subject: Subject) -> str:
    lines = [f"# {put.case}; the law: {put.law.says}"]
    lines += _opening(subject, put.case.dtype, put.sources, partner=any(
        call.by == "partner" for call in put.trial.calls
    ))  # fmt: skip
    for number, call in enumerate(put.trial.calls):
        text = _call_text(call, subject)
        several = find_op(call.case.op).family.endswith("backward")
        read = f"[np.asarray(part) for part in {text} if part is not None]"
        lines.append(f"y{number} = {read if several else f'np.asarray({text})'}")
    lines += [
        f"left, right = {put.trial.left}, {put.trial.right}",
        "assert np.shape(left) == np.shape(right) and np.all(left == right), "
        "f'{left} is not {right}'",
    ]
    return "\n".join(lines) + "\n"


def _opening(subject: Subject, dtype: str, sources: Sources, *, partner: bool = False) -> list[str]:
    """Returns the imports, the way to make an array, and the arrays."""
    lines = ["import numpy as np", *import_lines(_name(subject), "torch")[1:]]
    made = f"np.ascontiguousarray(array, {dtype!r})"
    if subject.arrays == "torch":
        lines[0] += ", torch"
        made = f"torch.tensor({made})"
    if partner:
        told = "" if subject.autograd else "  # write the partner's name here"
        lines.append(f"partner = fn{told}")
    lines += derivation(subject.op) if subject.autograd else []
    lines.append(f"a = lambda array: {made}")
    for name, (values, text) in sources.items():
        plain = repr(values.astype(int).tolist()).replace(", ", ",")
        if len(plain) <= _READABLE:
            text = f"np.array({plain}, {dtype!r})"
        lines.append(f"{name} = {text}")
    return lines


def _call_text(call: Call, subject: Subject) -> str:
    given = [
        f"a({call.arrays[name]})" if name in call.arrays else "None"
        for name in ARRAYS[find_op(call.case.op).family]
    ]
    given += [
        f"{name}={value!r}" if subject.by_keyword else repr(value)
        for name, value in parameters(call.case).items()
    ]
    return f"{'partner' if call.by == 'partner' else 'fn'}({', '.join(given)})"


def _both_sides(put: Put) -> str:
    if put.left is None or put.left.size > _SHOWN or put.right.size > _SHOWN:
        return ""
    lines = []
    for name, side in (("left", put.left), ("right", put.right)):
        text = getattr(put.trial, name)
        lines += [f"{name}: {text} =", *(f"  {row}" for row in str(side).splitlines())]
    return "\n".join(lines)


def _plain(side: np.ndarray) -> object:
    finite = np.where(np.isfinite(side), side, 0)
    return finite.tolist() if np.isfinite(side).all() else [str(value) for value in side.ravel()]


def _name(subject: Subject) -> str:
    bare = subject.name.rpartition(":")[2]
    return subject.name if subject.importable else f"your_module:{bare}"
