"""The search for combinations: exact linear arithmetic over products of facts.

A statement about integers is proved by -1 = sum of c * product of facts with c >= 0. The products
up to a degree are columns, their monomials rows; the weights are a vertex that the simplex method
finds in exact fractions. What it finds is re-checked by the kernel, so nothing here is trusted.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

from convcheck.proofs.kernel import Context, list_cases
from convcheck.proofs.normal import Poly, number, times
from convcheck.proofs.terms import Tree

Combination = list[list[Any]]
ONE: Any = frozenset()  # the monomial of the constant term


def find_combinations(
    statement: Tree, context: Context, *, degree: int = 3
) -> list[Combination] | None:
    """Returns one combination per case of the statement, or None where a case has none."""
    found = []
    for facts in list_cases(statement, context):
        combination = combine([fact for _, fact in facts], degree)
        if combination is None:
            return None
        found.append(combination)
    return found


def combine(facts: list[Poly], degree: int) -> Combination | None:
    """Returns weights and products of facts that sum to -1, of the least degree possible."""
    for top in range(1, degree + 1):
        columns: list[tuple[list[int], Poly]] = []
        for size in range(1, top + 1):
            for chosen in combinations_with_replacement(range(len(facts)), size):
                product = number(1)
                for index in chosen:
                    product = times(product, facts[index])
                columns.append((list(chosen), product))
        weights = solve([poly for _, poly in columns])
        if weights is not None:
            return [[_plain(weights[at]), columns[at][0]] for at in sorted(weights)]
    return None


def _plain(weight: Fraction) -> int | str:
    return int(weight) if weight.denominator == 1 else str(weight)


def solve(columns: list[Poly]) -> dict[int, Fraction] | None:
    """Returns weights >= 0 with sum of weight * column = -1, or None where there are none.

    The first phase of the simplex method with Bland's rule, which cannot cycle.
    """
    monomials = list(dict.fromkeys(mono for column in columns for mono in column) | {ONE: None})
    row_of = {mono: at for at, mono in enumerate(monomials)}
    # The equation of the constant term is negated, so that every right-hand side is >= 0.
    rows: list[dict[int, Fraction]] = [{} for _ in monomials]
    for at, column in enumerate(columns):
        for mono, c in column.items():
            rows[row_of[mono]][at] = Fraction(-c if mono == ONE else c)
    right = [Fraction(int(mono == ONE)) for mono in monomials]
    basis = [-1 - at for at in range(len(rows))]
    cost: dict[int, Fraction] = {}
    for row in rows:
        for at, c in row.items():
            cost[at] = cost.get(at, Fraction(0)) + c
    total = sum(right)
    while total:
        entering = min((at for at, c in cost.items() if c > 0), default=None)
        if entering is None:
            return None
        ratios = [
            (right[i] / row[entering], basis[i], i)
            for i, row in enumerate(rows)
            if row.get(entering, 0) > 0
        ]
        if not ratios:
            return None
        _, _, pivot = min(ratios)
        scale = rows[pivot][entering]
        rows[pivot] = {at: c / scale for at, c in rows[pivot].items()}
        right[pivot] /= scale
        basis[pivot] = entering
        for i, row in enumerate(rows):
            if i != pivot and (factor := row.get(entering)):
                _subtract(row, rows[pivot], factor)
                right[i] -= factor * right[pivot]
        total -= cost[entering] * right[pivot]
        _subtract(cost, rows[pivot], cost[entering])
    return {at: right[i] for i, at in enumerate(basis) if at >= 0 and right[i]}


def _subtract(row: dict[int, Fraction], other: dict[int, Fraction], factor: Fraction) -> None:
    for at, c in other.items():
        value = row.get(at, Fraction(0)) - factor * c
        if value:
            row[at] = value
        else:
            row.pop(at, None)
