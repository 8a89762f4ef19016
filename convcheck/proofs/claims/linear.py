"""Exact linear programming: is a vector a combination of others with coefficients >= 0?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from flint import fmpq

from convcheck.proofs.claims.budget import Deadline

Key = TypeVar("Key", bound=Hashable)
Sparse = Mapping[Key, Fraction]
ZERO = fmpq(0)


def nonnegative_combination(
    target: Sparse[Key], facts: Sequence[Sparse[Key]], deadline: Deadline
) -> dict[int, Fraction] | None:
    """Returns coefficients c >= 0 by the place of a fact, with target == sum of c * fact.

    The first phase of the simplex method in fractions, with Bland's rule, which cannot cycle.

    Args:
        target: The vector wanted, zeros left out.
        facts: The vectors to combine.
        deadline: When to give up; raises `Undecided`.

    Returns:
        The nonzero coefficients, or None where there is no such combination.
    """
    # keys are long tuples, whose hashes are the price of a look-up: numbered once
    numbers: dict[Key, int] = {}
    wanted, *vectors = [
        {numbers.setdefault(key, len(numbers)): entry for key, entry in vector.items()}
        for vector in (target, *facts)
    ]
    kept = _useful(wanted, vectors)
    keys = list(
        dict.fromkeys(key for vector in (wanted, *(vectors[p] for p in kept)) for key in vector)
    )
    # rows: one equation per key, its right side made nonnegative, with an artificial variable
    width = len(kept)
    rows = []
    for key in keys:
        entries = [vectors[p].get(key, 0) for p in kept] + [wanted.get(key, 0)]
        sign = -1 if entries[-1] < 0 else 1
        # python-flint's fractions: the elimination is most of the time of a proof
        rows.append([fmpq(sign * x.numerator, x.denominator) if x else ZERO for x in entries])
    basis = [width + place for place in range(len(keys))]
    # the sum of the artificial variables is to become 0; its reduced costs
    costs = [-sum((row[column] for row in rows), ZERO) for column in range(width + 1)]
    while True:
        deadline.check()
        entering = next((column for column in range(width) if costs[column] < 0), None)
        if entering is None:
            break
        ratios = [
            (row[-1] / row[entering], basis[place], place)
            for place, row in enumerate(rows)
            if row[entering] > 0
        ]
        if not ratios:
            return None
        place = min(ratios)[2]
        pivot = rows[place]
        lead = pivot[entering]
        rows[place] = pivot = [entry / lead if entry else entry for entry in pivot]
        for other, row in enumerate(rows):
            if other != place and row[entering]:
                factor = row[entering]
                rows[other] = [a - factor * b if b else a for a, b in zip(row, pivot, strict=True)]
        factor = costs[entering]
        costs = [a - factor * b if b else a for a, b in zip(costs, pivot, strict=True)]
        basis[place] = entering
    found: dict[int, Fraction] = {}
    for place, row in enumerate(rows):
        if row[-1]:
            if basis[place] >= width:
                return None
            found[kept[basis[place]]] = Fraction(int(row[-1].p), int(row[-1].q))
    return found


def _useful(target: Sparse[Key], facts: Sequence[Sparse[Key]]) -> list[int]:
    """Returns the places of the facts all of whose entries something else can cancel."""
    kept = [place for place, fact in enumerate(facts) if fact]
    while True:
        signs: dict[Key, set[bool]] = {}
        for place in kept:
            for key, entry in facts[place].items():
                signs.setdefault(key, set()).add(entry > 0)
        for key, entry in target.items():
            signs.setdefault(key, set()).add(entry < 0)
        left = [place for place in kept if all(len(signs[key]) == 2 for key in facts[place])]
        if len(left) == len(kept):
            return kept
        kept = left
