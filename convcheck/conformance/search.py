"""The order in which cases are tried: found before, corners, impossible calls, rows, chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from random import Random

from convcheck.conformance.corners import corners
from convcheck.conformance.covering import rows
from convcheck.conformance.fast_paths import usual
from convcheck.conformance.invalid import invalid_cases, must_refuse
from convcheck.conformance.parameters import Level, Parameter, Row, model
from convcheck.conformance.rows import case_from_row
from convcheck.core.case import Case
from convcheck.core.ops import Op
from convcheck.core.shapes import output_shape
from convcheck.core.spec import ConvSpec, PoolSpec, SequenceSpec

# Impossible calls come in when these many corners have shown that the function works at all.
_CORNERS_FIRST = 30
_MOST_WORK = 4_000_000
# Share of the random cases with a window such as models have.
_USUAL_SHARE = 0.4
_WIDE: dict[str, tuple[Level, ...]] = {
    "batch": (1, 2, 4, 5, 8),
    "in_per_group": (1, 2, 4, 5, 7, 8, 9, 16, 31, 33),
    "out_per_group": (1, 2, 4, 5, 7, 8, 9, 16, 31, 33),
    "channels": (1, 3, 4, 5, 8, 9, 16, 33),
    "groups": (1, 2, 3, 4, 5, 8),
    "kernel": (1, 2, 3, 4, 5, 6, 7, 8),
    "stride": (1, 2, 3, 4, 5),
    "padding": (0, 1, 2, 3, 4, 6),
    "dilation": (1, 2, 3, 4, 5),
    "extent": (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 20, 31, 32, 40),
    "f": (1, 2, 3, 4, 5, 6, 7, 9, 12, 16, 31, 64, 100),
    "g": (1, 2, 3, 4, 5, 6, 7, 9, 12, 16, 31, 64),
    "classes": (1, 2, 3, 5, 8, 10, 33),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A case to be tried, with what it is for.

    Attributes:
        case: The case.
        phase: "kept", "corner", "invalid", "row" or "random".
        row: The row of levels that it realises, where it is one of the covering array.
    """

    case: Case
    phase: str
    row: Row | None = None


def work(case: Case) -> int:
    """Returns about how many products a case sums; 0 where it sums none."""
    if must_refuse(case):
        return 0
    if case.op == "output_size":
        return output_shape(case)[0]  # Windows, for code that counts them.
    out, spec = prod(output_shape(case)), case.spec
    if isinstance(spec, ConvSpec):
        positions = (
            prod(case.spatial) * case.batch if spec.transposed else out // max(1, spec.out_channels)
        )
        each = prod(spec.kernel_size) * spec.in_channels * spec.out_channels // spec.groups
        return positions * each
    if isinstance(spec, PoolSpec):
        return out * prod(spec.kernel_size)
    if isinstance(spec, SequenceSpec):
        return prod(case.spatial) * prod(spec.kernel_size)
    return case.batch * case.channels * prod(case.spatial)


def parameters_for(op: Op, left_out: Sequence[Level]) -> tuple[Parameter, ...]:
    """Returns the model of an operation without the levels that a function cannot be given."""
    return tuple(
        replace(p, levels=tuple(level for level in p.levels if level not in left_out))
        for p in model(op)
    )


def planned(
    op: Op, *, strength: int, seed: int, kept: Sequence[Case] = (), left_out: Sequence[Level] = ()
) -> Iterator[Planned]:
    """Yields the cases of a run, without end.

    Args:
        op: The operation.
        strength: How many parameters the covering array combines.
        seed: Seed of the values and of the random cases.
        kept: Cases that failed before.
        left_out: Levels that the function cannot be given, such as "bfloat16" for NumPy arrays.
    """
    for case in kept:
        yield Planned(case=case, phase="kept")
    known = corners(op)
    # The same call on other values, and then on the first again: nothing may be remembered.
    opening = [replace(known[0], seed=number) for number in (1, 2, 1)]
    for case in [*opening, *known[1:_CORNERS_FIRST]]:
        yield Planned(case=replace(case, seed=case.seed + seed), phase="corner")
    for number, case in enumerate(invalid_cases(op)):
        # Every other one in an unusual state, which a refusal has to leave as well.
        yield Planned(case=replace(case, seed=1 + number % 2), phase="invalid")
    for case in known[_CORNERS_FIRST:]:
        yield Planned(case=replace(case, seed=case.seed + seed), phase="corner")
    parameters = parameters_for(op, left_out)
    found = []
    for number, row in enumerate(rows(op, strength)):
        possible = {
            p.name: row[p.name] if row[p.name] in p.levels else p.levels[0] for p in parameters
        }
        case = case_from_row(op, possible, seed=1000 * (seed + 1) + number)
        found.append(Planned(case=case, phase="row", row=possible))
    yield from sorted(found, key=lambda item: work(item.case))
    yield from _random(op, parameters, seed)


def _random(op: Op, parameters: Sequence[Parameter], seed: int) -> Iterator[Planned]:
    chance = Random(seed)
    number = 1_000_000 * (seed + 1)
    last: Case | None = None
    while True:
        number += 1
        if last is not None and chance.random() < 0.1:
            # A shape that was seen before, with other values.
            yield Planned(case=replace(last, seed=number), phase="random")
            continue
        row = random_row(parameters, chance)
        if chance.random() < _USUAL_SHARE:
            row |= usual(op, chance)
        case = case_from_row(op, row, seed=number)
        if work(case) <= _MOST_WORK:
            last = case
            yield Planned(case=case, phase="random")


def wide_levels(parameter: Parameter) -> tuple[Level, ...]:
    """Returns further levels of a parameter, beyond those that are combined systematically."""
    return _WIDE.get(parameter.name) or _WIDE.get(parameter.name.rsplit("_", 1)[0], ())


def random_row(parameters: Sequence[Parameter], chance: Random) -> Row:
    """Returns a row of random levels, some of them from a wider range than the model's."""
    row: Row = {}
    for p in parameters:
        wide = wide_levels(p)
        if p.name in ("dtype", "layout", "values") and chance.random() < 0.5:
            row[p.name] = p.levels[0]
        elif wide and chance.random() < 0.5:
            row[p.name] = chance.choice(wide)
        else:
            row[p.name] = chance.choice(p.levels)
    return row
