"""Affine lattices in Z^n: the sets over which the index sums of sequences run.

A lattice is a basis (rows) in Hermite normal form, an affine lattice that and an offset reduced
by it, so that equal sets have equal values. Everything is exact arithmetic on Python ints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import lcm, prod

from convcheck.proofs.claims.budget import Undecided

Vector = tuple[int, ...]
Matrix = tuple[Vector, ...]
MAX_COSETS = 20_000


def hermite(rows: Sequence[Sequence[int]]) -> Matrix:
    """Returns the Hermite normal form of the lattice that integer `rows` span, zero rows left out.

    Pivots are positive, entries below a pivot are 0, entries above it lie in 0..pivot-1.
    """
    work = [list(row) for row in rows if any(row)]
    done: list[list[int]] = []
    for column in range(len(work[0]) if work else 0):
        while True:
            active = [row for row in work if row[column]]
            if len(active) < 2:
                break
            least = min(active, key=lambda row: abs(row[column]))
            for row in active:
                if row is not least:
                    _subtract(row, least, row[column] // least[column])
        if active:
            pivot = active[0]
            work = [row for row in work if row is not pivot and any(row)]
            if pivot[column] < 0:
                pivot = [-entry for entry in pivot]
            for row in done:
                _subtract(row, pivot, row[column] // pivot[column])
            done.append(pivot)
    return tuple(map(tuple, done))


def reduce(vector: Sequence[int], basis: Matrix) -> Vector:
    """Returns the representative of `vector` modulo a lattice in Hermite normal form."""
    result = list(vector)
    for row in basis:
        column = _pivot(row)
        _subtract(result, row, result[column] // row[column])
    return tuple(result)


def solve(rows: Sequence[Sequence[int]], size: int) -> tuple[Vector, Matrix] | None:
    """Solves integer equations `row[:size] . x + row[size] == 0` over the integers.

    Returns:
        A solution and a basis of the solutions of the homogeneous equations, or None where
        there is no solution in integers.
    """
    basis = [tuple(int(i == j) for j in range(size)) for i in range(size)]
    offset: Vector = (0,) * size
    for row in rows:
        # values of the equation along the current basis, and at the current offset
        steps = [sum(a * b for a, b in zip(row, vector, strict=False)) for vector in basis]
        rest = sum(a * b for a, b in zip(row, offset, strict=False)) + row[size]
        paired = [[step, *vector] for step, vector in zip(steps, basis, strict=True)]
        reduced = _echelon_first_column(paired)
        lead = reduced[0][0] if reduced else 0
        if not lead:
            if rest:
                return None
            continue
        if rest % lead:
            return None
        factor = -rest // lead
        offset = tuple(o + factor * v for o, v in zip(offset, reduced[0][1:], strict=True))
        basis = [tuple(vector[1:]) for vector in reduced[1:]]
    return offset, tuple(basis)


def direction(basis: Matrix) -> tuple[tuple[Fraction, ...], ...]:
    """Returns the reduced row echelon form of the rational space that `basis` spans."""
    rows = [[Fraction(entry) for entry in row] for row in basis]
    done: list[list[Fraction]] = []
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        rows = [row for row in rows if row is not pivot]
        lead = pivot[column]
        pivot = [entry / lead for entry in pivot]
        for row in (*rows, *done):
            factor = row[column]
            row[:] = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        done.append(pivot)
    return tuple(map(tuple, done))


def coordinates(vector: Sequence[int], basis: Matrix) -> tuple[Fraction, ...] | None:
    """Returns the coefficients of `vector` along a Hermite `basis`, or None if it is outside."""
    rest = [Fraction(entry) for entry in vector]
    result = []
    for row in basis:
        column = _pivot(row)
        factor = rest[column] / row[column]
        rest = [a - factor * b for a, b in zip(rest, row, strict=True)]
        result.append(factor)
    return None if any(rest) else tuple(result)


def common_sublattice(lattices: Sequence[Matrix]) -> Matrix:
    """Returns a multiple of the first lattice that lies in all; they span one rational space."""
    first = lattices[0]
    factor = 1
    for basis in lattices[1:]:
        for vector in first:
            along = coordinates(vector, basis)
            assert along is not None, "the lattices do not span one space"
            factor = lcm(factor, *(entry.denominator for entry in along))
    return tuple(tuple(factor * entry for entry in row) for row in first)


def cosets(offset: Vector, basis: Matrix, sublattice: Matrix) -> Iterator[Vector]:
    """Yields the representatives modulo `sublattice` (Hermite) that make up `offset + basis`.

    Raises:
        Undecided: There are too many.
    """
    inner = []
    for vector in sublattice:
        along = coordinates(vector, basis)
        assert along is not None and all(entry.denominator == 1 for entry in along)
        inner.append([int(entry) for entry in along])
    diagonal = [row[_pivot(row)] for row in hermite(inner)]
    if prod(diagonal) > MAX_COSETS:
        raise Undecided(f"a lattice splits into more than {MAX_COSETS} cosets")
    for steps in product(*map(range, diagonal)):
        moved = list(offset)
        for step, row in zip(steps, basis, strict=True):
            _subtract(moved, row, -step)
        yield reduce(moved, sublattice)


def _echelon_first_column(rows: list[list[int]]) -> list[list[int]]:
    """Returns unimodular combinations of `rows`, the first of which alone has a first entry."""
    rows = [row[:] for row in rows]
    while True:
        active = [row for row in rows if row[0]]
        if len(active) < 2:
            break
        least = min(active, key=lambda row: abs(row[0]))
        for row in active:
            if row is not least:
                _subtract(row, least, row[0] // least[0])
    return active + [row for row in rows if not row[0]]


def _subtract(row: list[int], other: Sequence[int], factor: int) -> None:
    if factor:
        row[:] = [a - factor * b for a, b in zip(row, other, strict=True)]


def _pivot(row: Sequence[int]) -> int:
    return next(index for index, entry in enumerate(row) if entry)
