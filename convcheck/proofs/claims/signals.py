"""Values of sequence terms at given sequences, by the definitions; nothing of the prover is used.

A sequence is a mapping from index to value, zeros left out. On Z_n indices are taken modulo n.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from convcheck.proofs.claims.language import CONNECTIVES, Node
from convcheck.proofs.claims.sequence_sorts import Sorts, amounts

Number = int | Fraction
Point = tuple[int, ...]
Signal = dict[Point, Number]


class Undefined(Exception):  # noqa: N818  # a value that does not exist is no fault
    """A term has no value here: it divides by zero."""


@dataclass(frozen=True, slots=True)
class Place:
    """Values of all names of a claim: signals, numbers, points; `modulus` is 0 on Z."""

    sorts: Sorts
    values: Mapping[str, Any]
    modulus: int = 0

    def holds(self, node: Node) -> bool:
        """Returns whether a formula is true here."""
        if node.op in CONNECTIVES:
            first = self.holds(node.args[0])
            if node.op == "not":
                return not first
            if node.op == "and":
                return first and self.holds(node.args[1])
            if node.op == "or":
                return first or self.holds(node.args[1])
            second = self.holds(node.args[1])
            return first == second if node.op == "iff" else second or not first
        left, right = self.sides(node)
        if node.op in ("==", "!="):
            return (left == right) == (node.op == "==")
        if not isinstance(left, dict) and not isinstance(right, dict):
            return _ordered(node.op, left, right)
        f, g = _as_signal(left), _as_signal(right)
        inside = all(_ordered(node.op, f.get(t, 0), g.get(t, 0)) for t in {*f, *g})
        # outside of both supports 0 is compared with 0
        return inside and node.op in ("<=", ">=")

    def differing(self, node: Node) -> Point | None:
        """Returns the index nearest to 0 at which a comparison of signals is false."""
        left, right = self.sides(node)
        if not isinstance(left, dict):
            return None
        points = {
            *left,
            *right,
            self.wrap((0,) * self.sorts.axes),
            self.wrap((9,) * self.sorts.axes),
        }
        for t in sorted(points, key=lambda t: (sum(map(abs, t)), t)):
            if not _ordered(node.op, left.get(t, 0), right.get(t, 0)):
                return t
        return None

    def sides(self, node: Node) -> tuple[Any, Any]:
        """Returns both sides of a comparison; the literal 0 beside a sequence is a sequence."""
        left, right = map(self.value, node.args)
        if isinstance(left, dict) != isinstance(right, dict):
            left, right = _as_signal(left), _as_signal(right)
        return left, right

    def value(self, node: Node) -> Any:
        """Returns the value of a term: a signal or a number."""
        op, args = node.op, node.args
        if op == "name":
            if node.value == "delta":
                return {(0,) * self.sorts.axes: 1}
            if node.value == "n" and self.sorts.modulus == 0:
                return self.modulus
            return self.values[str(node.value)]
        if op == "number":
            number = Fraction(node.value)
            return int(number) if number.denominator == 1 else number
        if op == "index":
            return _as_signal(self.value(args[0])).get(self.point(node), 0)
        if op == "shift":
            return self.moved(_as_signal(self.value(args[0])), self.point(node))
        if op == "delta":
            return {self.point(node): 1}
        if op in ("up", "down"):
            return self.resampled(op, _as_signal(self.value(args[0])), args[1])
        if op == "^":
            base, exponent = self.value(args[0]), int(Fraction(args[1].value))
            if isinstance(base, dict):
                return {t: x**exponent for t, x in base.items()}
            return base**exponent
        operands = [self.value(arg) for arg in args]
        if op in _OF_SIGNALS:
            operands = list(map(_as_signal, operands))
        return getattr(self, _METHODS[op])(*operands)

    def point(self, node: Node) -> Point:
        """Returns the index that a node is given."""
        found = []
        for axis, term in enumerate(amounts(node, self.sorts.axes)):
            found.append(self.integer(term, axis))
        return self.wrap(tuple(found))

    def integer(self, node: Node, axis: int) -> int:
        """Returns an index term, of a point along one axis."""
        if node.op == "name":
            if node.value == "n" and self.sorts.modulus == 0:
                return self.modulus
            value = self.values[str(node.value)]
            return value[axis] if isinstance(value, tuple) else value
        if node.op == "number":
            return int(Fraction(node.value))
        numbers = [self.integer(arg, axis) for arg in node.args]
        return int(getattr(self, _METHODS[node.op])(*numbers))

    def wrap(self, point: Point) -> Point:
        """Returns the index modulo n on Z_n."""
        return tuple(x % self.modulus for x in point) if self.modulus else point

    def convolved(self, f: Signal, g: Signal) -> Signal:
        """conv(f, g)[t] = sum over s of f[s] g[t - s]."""
        total: Signal = {}
        for s, x in f.items():
            for u, y in g.items():
                t = self.wrap(tuple(a + b for a, b in zip(s, u, strict=True)))
                total[t] = total.get(t, 0) + x * y
        return {t: x for t, x in total.items() if x}

    def correlated(self, f: Signal, g: Signal) -> Signal:
        """corr(f, g)[t] = sum over s of f[s] g[s + t]."""
        total: Signal = {}
        for s, x in f.items():
            for u, y in g.items():
                t = self.wrap(tuple(b - a for a, b in zip(s, u, strict=True)))
                total[t] = total.get(t, 0) + x * y
        return {t: x for t, x in total.items() if x}

    def flipped(self, f: Signal) -> Signal:
        """flip(f)[t] = f[-t]."""
        return {self.wrap(tuple(-a for a in t)): x for t, x in f.items()}

    def moved(self, f: Signal, by: Point) -> Signal:
        """shift(f, n)[t] = f[t - n]."""
        return {self.wrap(tuple(a + b for a, b in zip(t, by, strict=True))): f[t] for t in f}

    def resampled(self, op: str, f: Signal, factor: Node) -> Signal:
        """up(f, P)[P t] = f[t], 0 between; down(f, P)[t] = f[P t]."""
        parts = factor.args if factor.op == "tuple" else (factor,) * self.sorts.axes
        by = [self.integer(part, axis) for axis, part in enumerate(parts)]
        if op == "up":
            return {tuple(a * p for a, p in zip(t, by, strict=True)): x for t, x in f.items()}
        return {
            tuple(a // p for a, p in zip(t, by, strict=True)): x
            for t, x in f.items()
            if not any(a % p for a, p in zip(t, by, strict=True))
        }

    def total(self, f: Signal) -> Number:
        """sum(f)."""
        return sum(f.values())

    def paired(self, f: Signal, g: Signal) -> Number:
        """dot(f, g) = sum over t of f[t] g[t]."""
        return sum((x * g[t] for t, x in f.items() if t in g), 0)

    def added(self, f: Any, g: Any) -> Any:
        """The sum of two signals or numbers."""
        if not isinstance(f, dict) and not isinstance(g, dict):
            return f + g
        f, g = _as_signal(f), _as_signal(g)
        total = {t: f.get(t, 0) + g.get(t, 0) for t in {*f, *g}}
        return {t: x for t, x in total.items() if x}

    def negated(self, f: Any) -> Any:
        """The negative of a signal or number."""
        return {t: -x for t, x in f.items()} if isinstance(f, dict) else -f

    def subtracted(self, f: Any, g: Any) -> Any:
        """The difference of two signals or numbers."""
        return self.added(f, self.negated(g))

    def multiplied(self, f: Any, g: Any) -> Any:
        """The product: of two signals at each index, of a number and a signal, of two numbers."""
        if isinstance(f, dict) and isinstance(g, dict):
            return {t: x * g[t] for t, x in f.items() if t in g}
        if isinstance(g, dict):
            f, g = g, f
        if isinstance(f, dict):
            return {t: x * g for t, x in f.items()} if g else {}
        return f * g

    def divided(self, f: Any, g: Any) -> Any:
        """The quotient by a number."""
        if not g:
            raise Undefined("division by zero")
        return self.multiplied(f, Fraction(1) / g)


_METHODS = {
    "conv": "convolved", "corr": "correlated", "flip": "flipped", "sum": "total", "dot": "paired",
    "+": "added", "-": "subtracted", "neg": "negated", "*": "multiplied", "/": "divided",
}  # fmt: skip
_OF_SIGNALS = ("conv", "corr", "flip", "sum", "dot")


def _as_signal(value: Any) -> Signal:
    if isinstance(value, dict):
        return value
    assert value == 0, "a scalar stands where a sequence is wanted"
    return {}


def _ordered(op: str, left: Number, right: Number) -> bool:
    if op in ("==", "!="):
        return (left == right) == (op == "==")
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]
