"""Whether two terms are exactly equal at given numbers, where balls can only say "close".

A value is a form of `log_algebra` without names: a polynomial in logs of primes and exponentials of
numbers. Equal forms are equal numbers, so that H(1/2, 1/2) == log(2) is decided; unequal forms
decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.distribution_sorts import Kinds
from convcheck.proofs.claims.language import Node
from convcheck.proofs.claims.log_algebra import (
    ONE,
    Algebra,
    Form,
    add,
    cleared,
    multiply,
    number,
)

SECONDS = 0.1


def equal_entries(left: Node, right: Node, kinds: Kinds, values: Mapping[str, Any], n: int) -> bool:
    """Returns whether two terms are certainly equal at given numbers, at every outcome.

    Args:
        left: One term.
        right: The other.
        kinds: What the names stand for.
        values: A number, or a list of n numbers, per name.
        n: Number of outcomes.
    """
    algebra = Algebra(kinds, Deadline(SECONDS), frozenset(), outcomes=n)
    evaluator = _Evaluator(algebra, values, n)
    try:
        sides = zip(evaluator.entries(left), evaluator.entries(right), strict=True)
        return all(not cleared(add(a, b, -1)) for a, b in sides)
    except (Undecided, ZeroDivisionError, KeyError, IndexError):
        return False


class _Evaluator:
    """Evaluates terms to forms, a vector to one form per outcome."""

    def __init__(self, algebra: Algebra, values: Mapping[str, Any], n: int) -> None:
        self.algebra, self.values, self.n = algebra, values, n

    def entries(self, node: Node) -> list[Form]:
        """Returns the values at all outcomes; of a scalar, the same at each."""
        op, args = node.op, node.args
        if op == "number":
            return [number(Fraction(node.value))] * self.n
        if op == "name":
            if node.value == "n" and self.algebra.kinds.has_n:
                return [number(self.n)] * self.n
            value = self.values[str(node.value)]
            return [number(x) for x in (value if isinstance(value, list) else [value] * self.n)]
        if op == "index":
            place = self.entries(args[1])[0]
            return [self.entries(args[0])[int(place.get(ONE, Fraction(0)))]] * self.n
        if op == "nll" and not self.algebra.kinds.is_vector(args[1]):
            score = Node("index", args)
            return [add(self.entries(Node("logsumexp", args[:1]))[0], self.entries(score)[0], -1)
                    ] * self.n  # fmt: skip
        if op == "^":
            powers = [number(1)] * self.n
            for _ in range(int(Fraction(args[1].value))):
                powers = list(map(multiply, powers, self.entries(args[0])))
            return powers
        vectors = [self.entries(arg) for arg in args]
        if op in self.elementwise:
            return list(map(self.elementwise[op], *vectors))
        if op == "softmax":
            shares = map(self.algebra.exp, vectors[0])
            return [multiply(x, self.algebra.inverse(self.total(op, vectors))) for x in shares]
        return [self.total(op, vectors)] * self.n

    @property
    def elementwise(self) -> dict[str, Callable[..., Form]]:
        return {
            "+": add, "-": lambda a, b: add(a, b, -1), "neg": lambda a: add({}, a, -1),
            "*": multiply, "/": lambda a, b: multiply(a, self.algebra.inverse(b)),
            "log": self.algebra.log, "exp": self.algebra.exp,
        }  # fmt: skip

    def total(self, op: str, vectors: list[list[Form]]) -> Form:
        """Returns the value of an operation that makes one number of a vector."""
        first, last = vectors[0], vectors[-1]
        if op in ("sum", "softmax", "logsumexp"):
            terms = first if op == "sum" else list(map(self.algebra.exp, first))
        elif op == "dot":
            terms = list(map(multiply, first, last))
        elif op in ("H", "KL"):
            # an outcome of weight 0 adds 0 log 0 = 0
            pairs = [(a, b) for a, b in zip(first, last, strict=True) if a]
            logs = [(a, self.algebra.log(b)) for a, b in pairs]
            if op == "KL":
                logs = [(a, add(b, self.algebra.log(a), -1)) for a, b in logs]
            terms = [add({}, multiply(a, b), -1) for a, b in logs]
        elif op in ("max", "min") and len(vectors) == 1 and all(set(x) <= {ONE} for x in first):
            choose = max if op == "max" else min
            return number(choose(x.get(ONE, Fraction(0)) for x in first))
        else:
            raise Undecided(f"{op} has no exact value")
        whole: Form = {}
        for term in terms:
            whole = add(whole, term)
        return self.algebra.log(whole) if op == "logsumexp" else whole
