"""Counterexamples far from 0: sequences of units where a product of the difference is left."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.index_sums import Expansion, Lattice, free_variables, remainder
from convcheck.proofs.claims.language import COMPARISONS, Statement, goals
from convcheck.proofs.claims.sequence_sorts import Sorts
from convcheck.proofs.claims.signals import Place

MAX_LATTICES = 60
MAX_BASIS = 3


def distant_places(statement: Statement, sorts: Sorts, deadline: Deadline) -> Iterator[Place]:
    """Yields values of all names at which one product of the difference is not 0, small first.

    f[100] == 0 is false where f is 1 at 100: the difference of its sides is one product, and its
    index is 100. Only claims on Z, Z^2 and Z^3 without named factors are followed.
    """
    found: list[tuple[int, dict[str, Any]]] = []
    for _, goal in goals(statement):
        if sorts.modulus is not None or sorts.factors or goal.op not in COMPARISONS:
            continue
        try:
            terms = Expansion(sorts, deadline).difference(*goal.args)
            left = remainder(terms, any_group=False, deadline=deadline)
        except Undecided:
            continue
        free = free_variables(terms)
        for lattice in list(left)[:MAX_LATTICES]:
            for point in near(lattice):
                size = sum(map(abs, point))
                found += [(size, values) for values in units(lattice, point, free, sorts)]
    for _, values in sorted(found, key=lambda item: item[0]):
        yield Place(sorts, values, 0)


def near(lattice: Lattice) -> Iterator[tuple[int, ...]]:
    """Yields points of an affine lattice around its offset."""
    _, offset, basis = lattice
    for steps in product((0, 1, -1), repeat=min(len(basis), MAX_BASIS)):
        moves = [[step * x for x in row] for step, row in zip(steps, basis, strict=False)]
        yield tuple(map(sum, zip(offset, *moves, strict=True)))


def units(
    lattice: Lattice, point: tuple[int, ...], free: list[str], sorts: Sorts
) -> Iterator[dict[str, Any]]:
    """Yields values whose product at `point` is 1 or -1, and that are 0 elsewhere."""
    names, axes = lattice[0], sorts.axes
    indices = dict(zip(free, point[len(names) * axes :], strict=True))
    values: dict[str, Any] = {name: {} for name in sorts.sequences}
    values |= dict.fromkeys(sorts.scalars, 1) | dict.fromkeys(sorts.integers - sorts.points, 0)
    values |= {name: value for name, value in indices.items() if name in values}
    for name in sorts.points:
        values[name] = tuple(indices.get(f"{name}.{axis}", 0) for axis in range(axes))
    for slot, name in enumerate(names):
        values[name][point[slot * axes : (slot + 1) * axes]] = 1
    yield values
    for name in dict.fromkeys(names):
        yield values | {name: dict.fromkeys(values[name], -1)}
