"""Index sums whose factors of `up` and `down` are names: steps that hold for all factors >= 1.

Coefficients are polynomials in the factors. Equations are solved where a coefficient is 1 or -1,
after division by common factors that are products of factors and numbers, hence not 0; bases are
reduced where one entry divides another. Every step is a substitution with integer inverse for
each value of the factors, so that equal results prove equality. Unequal results decide nothing.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce as fold
from typing import Any

import flint

from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.index_sums import Affine, Term, symmetries

Row = list[Any]


def polynomials(names: frozenset[str]) -> dict[str, Any]:
    """Returns each factor name as a polynomial in all of them."""
    ordered = sorted(names)
    places = tuple(f"x{place}" for place in range(len(ordered)))
    context = flint.fmpz_mpoly_ctx.get(places, "lex")
    return dict(zip(ordered, context.gens(), strict=True))


def cancels(terms: list[Term], factors: dict[str, Any], deadline: Deadline) -> bool:
    """Returns whether a sum of terms is visibly 0 for all sequences and all factors >= 1.

    Raises:
        Undecided: A step is not possible for all factors.
    """
    one = next(iter(factors.values())) ** 0
    free = sorted(
        {
            key
            for term in terms
            for form in _forms(term)
            for key in form
            if isinstance(key, str) and key
        }
    )
    total: dict[object, dict[object, Fraction]] = {}
    for term in terms:
        deadline.check()
        slots = sorted(term.slots, key=lambda slot: slot[0])
        bound = sorted({key for form in _forms(term) for key in form if isinstance(key, int)})
        variables: list[int | str] = [*bound, *free]
        points = [_row(form, variables, one) for _, index in slots for form in index]
        points += [_row({name: 1}, variables, one) for name in free]
        equations = [_row(form, variables, one) for form in term.equations]
        solved = _solve(equations, points)
        if solved is None:
            continue
        axes = len(slots[0][1]) if slots else 1
        for order in symmetries(tuple(name for name, _ in slots)):
            places = [axes * slot + axis for slot in order for axis in range(axes)]
            places += range(axes * len(slots), len(solved))
            moved = [solved[place] for place in places]
            basis = _echelon([[row[column] for row in moved] for column in range(len(variables))])
            offset = _reduced([row[-1] for row in moved], basis)
            key = (
                tuple(name for name, _ in slots),
                tuple(map(str, offset)),
                tuple(tuple(map(str, row)) for row in basis),
            )
            here = total.setdefault(key, {})
            for monomial, coefficient in term.coefficient.items():
                here[monomial] = here.get(monomial, Fraction(0)) + coefficient
    return not any(value for here in total.values() for value in here.values())


def _solve(equations: list[Row], points: list[Row]) -> list[Row] | None:
    """Returns the points with the equations solved, or None where they have no solution."""
    pending = [_divided(row) for row in equations]
    while pending:
        pending = [row for row in pending if any(row)]
        chosen = next(
            (
                (row, column)
                for row in pending
                for column, entry in enumerate(row[:-1])
                if entry in (1, -1)
            ),
            None,
        )
        if chosen is None:
            if not pending:
                break
            if any(not any(row[:-1]) and row[-1].is_constant() for row in pending):
                return None
            raise Undecided("an equation on the indices has no coefficient 1 or -1")
        row, column = chosen
        sign = row[column]
        pending = [
            _divided(_without(other, row, other[column] * sign))
            for other in pending
            if other is not row
        ]
        points = [_without(point, row, point[column] * sign) for point in points]
    return points


def _divided(row: Row) -> Row:
    """Returns an equation divided by what all its entries share and is never 0."""
    if not any(row):
        return row
    common = fold(lambda a, b: a.gcd(b), row)
    return [entry // common for entry in row] if len(common.to_dict()) == 1 else row


def _echelon(rows: list[Row]) -> list[Row]:
    """Returns a basis in echelon form, by steps that hold for all values of the factors."""
    work = [row for row in rows if any(row)]
    done: list[Row] = []
    for column in range(len(rows[0]) if rows else 0):
        active = [row for row in work if row[column]]
        if not active:
            continue
        pivot = next(
            (
                row
                for row in active
                if all(not divmod(other[column], row[column])[1] for other in active)
            ),
            None,
        )
        if pivot is None:
            raise Undecided("two index steps have factors of which neither divides the other")
        work = [
            _without(row, pivot, divmod(row[column], pivot[column])[0])
            for row in work
            if row is not pivot
        ]
        work = [row for row in work if any(row)]
        if pivot[column].leading_coefficient() < 0:
            pivot = [-entry for entry in pivot]
        done = [_without(row, pivot, divmod(row[column], pivot[column])[0]) for row in done]
        done.append(pivot)
    return done


def _reduced(offset: Row, basis: list[Row]) -> Row:
    for row in basis:
        column = next(place for place, entry in enumerate(row) if entry)
        offset = _without(offset, row, divmod(offset[column], row[column])[0])
    return offset


def _without(row: Row, other: Row, factor: Any) -> Row:
    return [a - factor * b for a, b in zip(row, other, strict=True)]


def _row(form: Affine, variables: list[int | str], one: Any) -> Row:
    return [one * form.get(key, 0) for key in (*variables, "")]


def _forms(term: Term) -> list[Affine]:
    return [*term.equations, *(form for _, index in term.slots for form in index)]
