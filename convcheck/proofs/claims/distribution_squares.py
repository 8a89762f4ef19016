"""Inequalities with squares and absolute values: Pinsker, chi-square, Cauchy-Schwarz."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations

from convcheck.proofs.claims.distribution_facts import Fact
from convcheck.proofs.claims.language import Node, show
from convcheck.proofs.claims.log_algebra import Algebra, add, multiply, number

MAX_VECTORS = 4


def about_squares(
    nodes: list[Node], distributions: list[tuple[str, Node]], algebra: Algebra
) -> Iterator[Fact]:
    """Yields bounds of divergences by distances, and Cauchy-Schwarz for the vectors of a claim."""
    used = {node.op for node in nodes}
    for (left, a), (right, b) in permutations(distributions, 2):
        p, q = algebra.form(a), algebra.form(b)
        divergence, difference = algebra.form(Node("KL", (a, b))), add(p, q, -1)
        # by Pinsker and |a - b|_2^2 <= |a - b|_1^2 / 2, since a - b has the sum 0
        square = algebra.sum(multiply(difference, difference))
        yield Fact(add(divergence, square, -1), f"KL({left}, {right}) >= sum of squares (Pinsker)")
        if "abs" in used:
            apart = algebra.abs(difference)
            distance = algebra.sum(apart)
            half = multiply(multiply(distance, distance), number(Fraction(1, 2)))
            yield Fact(add(divergence, half, -1), f"Pinsker's inequality for {left}, {right}")
            yield Fact(add(number(2), distance, -1), f"sum |{left} - {right}| <= 2")
            yield Fact(add(number(1), apart, -1), f"|{left} - {right}| <= 1")
            yield Fact(add(number(1), algebra.max(apart), -1), f"|{left} - {right}| <= 1")
        if "/" in used:
            # where the claim divides by b, it is > 0
            ratio = algebra.sum(multiply(multiply(p, p), algebra.inverse(q)))
            yield Fact(add(add(ratio, number(1), -1), divergence, -1), "log x <= x - 1, at p/q")
            yield Fact(add(algebra.log(ratio), divergence, -1), "Jensen's inequality, at p/q")
    pairs: dict[str, tuple[Node, Node]] = {}
    vectors: dict[str, Node] = {}
    for node in nodes:
        product = node.args[0] if node.op == "sum" else node
        if product.op in ("*", "dot") and node.op in ("sum", "dot"):
            pairs[show(node)] = (product.args[0], product.args[1])
        if node.op == "sum" and algebra.kinds.is_vector(node.args[0]):
            vectors[show(node.args[0])] = node.args[0]
        if node.op == "abs":
            yield from about_absolute(node, algebra)
    for x, y in list(pairs.values())[:MAX_VECTORS]:
        u, v = algebra.form(x), algebra.form(y)
        lengths = multiply(algebra.sum(multiply(u, u)), algebra.sum(multiply(v, v)))
        inner = algebra.sum(multiply(u, v))
        bound = add(lengths, multiply(inner, inner), -1)
        yield Fact(bound, f"Cauchy-Schwarz for {show(x)} and {show(y)}")
    for x in list(vectors.values())[:MAX_VECTORS]:
        u = algebra.form(x)
        total = algebra.sum(u)
        bound = multiply(algebra.n, algebra.sum(multiply(u, u)))
        squares = add(bound, multiply(total, total), -1)
        yield Fact(squares, f"Cauchy-Schwarz for {show(x)} and 1")
        mean = multiply(algebra.sum(multiply(u, u)), algebra.inverse(algebra.n))
        centre = multiply(total, algebra.inverse(algebra.n))
        yield Fact(add(mean, multiply(centre, centre), -1), f"the variance of {show(x)} is >= 0")


def about_absolute(node: Node, algebra: Algebra) -> Iterator[Fact]:
    """Yields |x| >= x, |x| >= -x, and the same of the largest entries."""
    inner, outer = algebra.form(node.args[0]), algebra.form(node)
    text = show(node.args[0])
    yield Fact(add(outer, inner, -1), f"|{text}| >= {text}")
    yield Fact(add(outer, inner), f"|{text}| >= -({text})")
    if algebra.kinds.is_vector(node):
        largest = algebra.max(outer)
        yield Fact(add(largest, algebra.max(inner), -1), f"max |{text}| >= max({text})")
        yield Fact(add(largest, algebra.max(add({}, inner, -1)), -1), f"max |{text}| >= -min")
        peak = multiply(algebra.n, multiply(largest, largest))
        squares = algebra.sum(multiply(inner, inner))
        yield Fact(add(peak, squares, -1), f"each square of {text} is at most the largest")
    if node.args[0].op in ("+", "-"):
        parts = [algebra.abs(algebra.form(arg)) for arg in node.args[0].args]
        yield Fact(add(add(parts[0], parts[1]), outer, -1), "the triangle inequality")
