"""Values of terms with logarithms at given numbers: exact fractions, else balls that contain them.

A ball is python-flint's `arb`: a midpoint and a radius that bound every rounding. Two disjoint
balls prove that two values differ. A value stays a fraction for as long as it is one, so that
log(1) is 0 and an equation at such a point is decided exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

import flint

from convcheck.proofs.claims.distribution_sorts import Kinds
from convcheck.proofs.claims.exact_values import equal_entries
from convcheck.proofs.claims.language import CONNECTIVES, Node

PRECISION_BITS = 160
MAX_SHOWN = 6


class Undefined(Exception):  # noqa: N818  # the claim says nothing here
    """A logarithm of a number <= 0, a division by 0, or an index outside."""


class _LogOfZero:
    """log 0: it has no value, but 0 * log 0 is 0."""


LOG_OF_ZERO = _LogOfZero()
Value = Any  # int, Fraction, flint.arb, LOG_OF_ZERO, or a list of them


@dataclass(frozen=True, slots=True)
class Point:
    """Values of all names of a claim, on n outcomes."""

    kinds: Kinds
    values: Mapping[str, Any]
    n: int

    def holds(self, node: Node) -> bool | None:
        """Returns whether a formula is true here; None where balls overlap."""
        if node.op in CONNECTIVES:
            parts = [self.holds(arg) for arg in node.args]
            if node.op == "not":
                return None if parts[0] is None else not parts[0]
            if node.op == "iff":
                return None if None in parts else parts[0] == parts[1]
            if node.op == "implies":
                parts[0] = None if parts[0] is None else not parts[0]
            decisive = node.op != "and"
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        if node.op == "!=":
            equal = self.holds(Node("==", node.args))
            return None if equal is None else not equal
        results = {_compare(node.op, left, right) for left, right in self.pairs(node)}
        if False in results:
            return False
        left, right = node.args
        if None in results and equal_entries(left, right, self.kinds, self.values, self.n):
            return node.op in ("==", "<=", ">=")
        return None if None in results else True

    def pairs(self, node: Node) -> list[tuple[Value, Value]]:
        """Returns both sides of a comparison, for each outcome where they are vectors."""
        left, right = map(self.value, node.args)
        if not isinstance(left, list) and not isinstance(right, list):
            return [(_number(left), _number(right))]
        paired = zip(self.spread(left), self.spread(right), strict=True)
        return [(_number(a), _number(b)) for a, b in paired]

    def spread(self, value: Value) -> list[Value]:
        """Returns a value as one per outcome."""
        return value if isinstance(value, list) else [value] * self.n

    def value(self, node: Node) -> Value:
        """Returns the value of a term."""
        op, args = node.op, node.args
        if op == "number":
            return Fraction(node.value)
        if op == "name":
            if node.value == "n" and self.kinds.has_n:
                return Fraction(self.n)
            return self.values[str(node.value)]
        if op == "index":
            return self.entry(self.spread(self.value(args[0])), self.value(args[1]))
        if op == "^":
            return self.map(lambda x: _power(x, int(Fraction(args[1].value))), self.value(args[0]))
        if op == "nll" and not self.kinds.is_vector(args[1]):
            scores = self.spread(self.value(args[0]))
            return _subtract(_logsumexp(scores), self.entry(scores, self.value(args[1])))
        operands = [self.value(arg) for arg in args]
        if op in _ELEMENTWISE:
            return self.map(_ELEMENTWISE[op], *operands)
        if op in ("max", "min") and len(args) > 1:
            sign = 1 if op == "max" else -1
            return self.map(lambda *xs: _largest(list(xs), sign), *operands)
        vectors = [self.spread(operand) for operand in operands]
        if op in ("max", "min"):
            return _largest(vectors[0], 1 if op == "max" else -1)
        return getattr(self, f"_{op.lower()}")(*vectors)

    def map(self, function: Callable[..., Value], *operands: Value) -> Value:
        """Returns a function of the operands, for each outcome where one is a vector."""
        if not any(isinstance(operand, list) for operand in operands):
            return function(*operands)
        return [function(*entries) for entries in zip(*map(self.spread, operands), strict=True)]

    def entry(self, values: list[Value], place: Value) -> Value:
        """Returns the entry at a place."""
        if not isinstance(place, (int, Fraction)) or not 0 <= place < self.n:
            raise Undefined(f"there is no outcome {place}")
        return values[int(place)]

    def _sum(self, values: list[Value]) -> Value:
        return _total(values)

    def _dot(self, left: list[Value], right: list[Value]) -> Value:
        return _total([_multiply(a, b) for a, b in zip(left, right, strict=True)])

    def _h(self, p: list[Value], q: list[Value] | None = None) -> Value:
        terms = [_multiply(a, _log(b)) for a, b in zip(p, q or p, strict=True)]
        return _negate(_total(terms))

    def _kl(self, p: list[Value], q: list[Value]) -> Value:
        terms = []
        for a, b in zip(p, q, strict=True):
            # an outcome of weight 0 adds 0 log 0 = 0, whatever q is there
            is_zero = not isinstance(a, flint.arb) and a == 0
            terms.append(Fraction(0) if is_zero else _multiply(a, _log(_divide(a, b))))
        return _total(terms)

    def _logsumexp(self, scores: list[Value]) -> Value:
        return _logsumexp(scores)

    def _softmax(self, scores: list[Value]) -> Value:
        # as 1 / sum(exp(z - z[i])), which is exact where all scores are equal
        return [
            _divide(Fraction(1), _total([_exp(_subtract(other, score)) for other in scores]))
            for score in scores
        ]

    def _nll(self, scores: list[Value], target: list[Value]) -> Value:
        total = _logsumexp(scores)
        terms = [
            _multiply(a, _subtract(total, score)) for a, score in zip(target, scores, strict=True)
        ]
        return _total(terms)


def ball(value: Value) -> flint.arb:
    """Returns a number as a ball."""
    if isinstance(value, flint.arb):
        return value
    exact = Fraction(value)
    return flint.arb(flint.fmpq(exact.numerator, exact.denominator))


def show_value(value: Value) -> str:
    """Returns a value as text: a fraction exactly, a ball with its leading digits."""
    if isinstance(value, list):
        texts = [show_value(entry) for entry in value]
        if len(texts) > MAX_SHOWN:
            runs = [(text, len(list(run))) for text, run in groupby(texts)]
            texts = [f"{count} times {text}" if count > 1 else text for text, count in runs]
        return "(" + ", ".join(texts) + ")"
    if isinstance(value, flint.arb):
        return str(value.str(8, radius=False))
    return str(value)


def _compare(op: str, left: Value, right: Value) -> bool | None:
    if isinstance(left, flint.arb) or isinstance(right, flint.arb):
        x, y = ball(left), ball(right)
        # comparisons of balls are true only if they hold for all points of both
        answers = {"==": (False, x != y), "<": (x < y, x >= y),
                   "<=": (x <= y, x > y), ">": (x > y, x <= y), ">=": (x >= y, x < y)}  # fmt: skip
        true, false = answers[op]
        return True if true else False if false else None
    return {"==": left == right, "<": left < right, "<=": left <= right,
            ">": left > right, ">=": left >= right}[op]  # fmt: skip


def _number(value: Value) -> Value:
    if value is LOG_OF_ZERO:
        raise Undefined("log 0")
    return value


def _is_exact_zero(value: Value) -> bool:
    return isinstance(value, (int, Fraction)) and value == 0


def _mixed(left: Value, right: Value) -> tuple[Value, Value]:
    left, right = _number(left), _number(right)
    if isinstance(left, flint.arb) or isinstance(right, flint.arb):
        return ball(left), ball(right)
    return left, right


def _add(left: Value, right: Value) -> Value:
    a, b = _mixed(left, right)
    return a + b


def _subtract(left: Value, right: Value) -> Value:
    a, b = _mixed(left, right)
    return a - b


def _multiply(left: Value, right: Value) -> Value:
    if _is_exact_zero(left) or _is_exact_zero(right):
        return Fraction(0)
    a, b = _mixed(left, right)
    return a * b


def _divide(left: Value, right: Value) -> Value:
    a, b = _mixed(left, right)
    if isinstance(b, flint.arb) and b.contains(0) or _is_exact_zero(b):
        raise Undefined("a division by 0")
    return a / b


def _negate(value: Value) -> Value:
    return -_number(value)


def _total(values: list[Value]) -> Value:
    total: Value = Fraction(0)
    for value in values:
        total = _add(total, value)
    return total


def _power(value: Value, exponent: int) -> Value:
    result: Value = Fraction(1)
    for _ in range(exponent):
        result = _multiply(result, value)
    return result


def _log(value: Value) -> Value:
    if isinstance(value, flint.arb):
        if not value > 0:
            raise Undefined("the logarithm of a number that is not certainly > 0")
        return value.log()
    if _number(value) < 0:
        raise Undefined("the logarithm of a negative number")
    if value == 0:
        return LOG_OF_ZERO
    return Fraction(0) if value == 1 else ball(value).log()


def _exp(value: Value) -> Value:
    return Fraction(1) if _is_exact_zero(value) else ball(_number(value)).exp()


def _logsumexp(scores: list[Value]) -> Value:
    return _log(_total([_exp(score) for score in scores]))


def _largest(values: list[Value], sign: int) -> Value:
    best = _number(values[0])
    for value in values[1:]:
        a, b = _mixed(best, value)
        if isinstance(a, flint.arb):
            best = a.max(b) if sign > 0 else a.min(b)
        else:
            best = max(a, b) if sign > 0 else min(a, b)
    return best


_ELEMENTWISE: dict[str, Callable[..., Value]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "neg": _negate, "log": _log,
    "exp": _exp, "abs": lambda x: abs(_number(x)),
}  # fmt: skip
