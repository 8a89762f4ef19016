"""Values of distributions and scores that make a claim false: small ones, then far ones."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import flint

from convcheck.proofs.claims.budget import Deadline
from convcheck.proofs.claims.distribution_sorts import Kinds, walk
from convcheck.proofs.claims.distribution_values import (
    PRECISION_BITS,
    Point,
    Undefined,
    show_value,
)
from convcheck.proofs.claims.language import Node, Statement, conjuncts, show
from convcheck.proofs.claims.search import Candidates, by_size

Found = tuple[Mapping[str, Any], str]
FAR_OUTCOMES = (1, 2, 8, 24, 160)
MAX_FAR = 10**6


def search(statement: Statement, kinds: Kinds, deadline: Deadline) -> tuple[Found | None, bool]:
    """Returns the smallest values that make the claim false, and whether any were admissible."""
    satisfied = False
    for n in (1, 2, 3):
        groups = (distributions(n), scores(n), scalars())
        limit = deadline if n == 3 else deadline.part(deadline.left / 2)
        found, some = search_outcomes(statement, kinds, n, groups, limit)
        satisfied |= some
        if found is not None:
            return found, True
        if not has_outcomes(kinds):
            break
    return None, satisfied


def search_far(statement: Statement, kinds: Kinds, deadline: Deadline) -> Found | None:
    """Returns values that make the claim false, with many outcomes, rare ones and large scores."""
    sizes = {Fraction(1000)}
    for part in (statement.goal, *statement.given):
        numbers = [Fraction(node.value) for node in walk(part) if node.op == "number"]
        sizes |= {min(c + step, Fraction(MAX_FAR)) for c in numbers for step in (0, 1)}
    ordered = sorted(sizes)
    for n in FAR_OUTCOMES if has_outcomes(kinds) else (1,):
        groups = (far_distributions(n), far_scores(n, ordered), far_scalars(ordered))
        limit = deadline.part(deadline.left / 2)
        found, _ = search_outcomes(statement, kinds, n, groups, limit)
        if found is not None:
            return found
    return None


def has_outcomes(kinds: Kinds) -> bool:
    """Returns whether the number of outcomes matters to a claim."""
    return bool(kinds.distributions or kinds.scores or kinds.has_n)


def search_outcomes(
    statement: Statement,
    kinds: Kinds,
    n: int,
    candidates: tuple[Candidates, Candidates, Candidates],
    deadline: Deadline,
) -> tuple[Found | None, bool]:
    """Returns values on n outcomes that make the claim false, and whether any were admissible.

    Args:
        statement: The claim.
        kinds: What its names stand for.
        n: Number of outcomes.
        candidates: Of distributions, of scores and of scalars.
        deadline: When to give up.
    """
    satisfied = False
    names: list[str] = []
    axes: list[Candidates] = []
    places = [(i, Fraction(i)) for i in range(min(n, 3))]
    for group, values in zip(
        (kinds.distributions, kinds.scores, kinds.scalars, kinds.indices),
        (*candidates, places),
        strict=True,
    ):
        for name in sorted(group):
            names.append(name)
            axes.append(values)
    with flint.ctx.workprec(PRECISION_BITS):
        for chosen in by_size(axes, 9):
            if not deadline.left:
                break
            point = Point(kinds, dict(zip(names, chosen, strict=True)), n)
            try:
                if any(point.holds(node) is not True for node in statement.given):
                    continue
                holds = point.holds(statement.goal)
            except Undefined:
                continue
            satisfied = True
            if holds is False:
                return _witness(statement.goal, point), True
    return None, satisfied


def distributions(n: int) -> Candidates:
    """Returns small distributions on n outcomes: fractions with denominators 1 to 4, and 10."""
    found: dict[tuple[Fraction, ...], int] = {}
    for size, whole in enumerate((2, 1, 3, 4, 10)):
        for parts in product(range(whole + 1), repeat=n):
            if sum(parts) == whole:
                entry = tuple(Fraction(part, whole) for part in parts)
                found.setdefault(entry, size)
    rare = Fraction(1, 100)
    for place in range(n if n > 1 else 0):
        peaked = [rare] * n
        peaked[place] = 1 - (n - 1) * rare
        found.setdefault(tuple(peaked), 5)
    return [(size, list(entry)) for entry, size in found.items()]


def scores(n: int) -> Candidates:
    """Returns small vectors of n integers."""
    found = [
        (sum(map(abs, entry)), [Fraction(x) for x in entry])
        for entry in product((0, 1, -1, 2, -2, 3), repeat=n)
        if sum(map(abs, entry)) <= 4
    ]
    return sorted(found, key=lambda item: item[0])


def scalars() -> Candidates:
    """Returns small numbers."""
    sized = ((0, "1"), (1, "0 2 -1 1/2"), (2, "-1/2 3"), (3, "-2"), (4, "10"))
    return [(size, Fraction(text)) for size, texts in sized for text in texts.split()]


def far_distributions(n: int) -> Candidates:
    """Returns the uniform distribution on n outcomes, and some with rare outcomes."""
    found = [(0, [Fraction(1, n)] * n)]
    for size, rare in ((1, Fraction(0)), (2, Fraction(1, 10**6)), (3, Fraction(1, 10**60))):
        for place in (0, 1) if n > 1 else ():
            peaked = [rare] * n
            peaked[place] = 1 - (n - 1) * rare
            found.append((size, peaked))
    return found


def far_scores(n: int, sizes: list[Fraction]) -> Candidates:
    """Returns vectors of n entries that are 0, or as large as the numbers of the claim."""
    found: list[tuple[int, list[Fraction]]] = [(0, [Fraction(0)] * n)]
    for size in sizes:
        for entry in (size, -size):
            found.append((1, [entry] * n))
            for place in (0, 1) if n > 1 else ():
                peaked = [Fraction(0)] * n
                peaked[place] = entry
                found.append((1, peaked))
    return found


def far_scalars(sizes: list[Fraction]) -> Candidates:
    """Returns 0, 1 and the numbers of the claim, of both signs."""
    return [(0, Fraction(0)), (0, Fraction(1)), *((1, x) for c in sizes for x in (c, -c))]


def _witness(goal: Node, point: Point) -> Found:
    shown: dict[str, Any] = {name: show_value(x) for name, x in sorted(point.values.items())}
    kinds = point.kinds
    if kinds.has_n or not shown:
        shown["n"] = str(point.n)
    for part in conjuncts(goal):
        if point.holds(part) is False and part.op in ("==", "!=", "<", "<=", ">", ">="):
            left, right = part.args
            texts = [f"{show(arg)} = {show_value(point.value(arg))}" for arg in (left, right)]
            return shown, ", ".join(texts)
    return shown, "the formula is false there"
