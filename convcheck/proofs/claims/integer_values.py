"""Integer formulas at given values: compiled to Python as they are written, by the definitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.language import Node, Statement, show

Number = int | Fraction
OPERATORS = ("+", "-", "neg", "*", "/", "//", "%", "^", "number", "name")
FUNCTIONS = ("floor", "ceil", "min", "max", "abs", "count")

# Sizes of layers by the letter of their name, with the least value of each.
LEAST = {"W": 1, "H": 1, "k": 1, "K": 1, "s": 1, "S": 1, "d": 1, "D": 1, "p": 0, "P": 0, "op": 0}


class OutOfDomain(Exception):  # noqa: N818  # the claim says nothing about such values
    """A divisor is not positive, or the arguments of `count` describe no window."""


def compile_formula(node: Node, names: Sequence[str]) -> Callable[..., bool]:
    """Returns a function of the values of `names` that says whether a formula holds.

    The function raises `OutOfDomain` where a divisor is not positive.

    Raises:
        UsageError: The formula uses what is not about integers.
    """
    places = {name: f"v{place}" for place, name in enumerate(names)}
    source = f"lambda {', '.join(places.values())}: {_source(node, places)}"
    return eval(source, dict(_ENVIRONMENT))  # built from parsed nodes alone


def value_of(node: Node, values: dict[str, int]) -> Number:
    """Returns the value of a term."""
    places = {name: f"v{place}" for place, name in enumerate(values)}
    source = f"lambda {', '.join(places.values())}: {_source(node, places)}"
    return eval(source, dict(_ENVIRONMENT))(*values.values())


def constant(node: Node) -> Fraction | None:
    """Returns the number that a term without names and functions is, or None."""
    if node.op == "number":
        return Fraction(node.value)
    if node.op == "neg":
        inner = constant(node.args[0])
        return None if inner is None else -inner
    return None


def default_hypotheses(statement: Statement, names: list[str]) -> list[Node]:
    """Returns what the names of sizes imply (s >= 1, p >= 0), where no hypothesis bounds them."""
    bounded = set()
    for node in statement.given:
        for left, op, right in (
            (node.args[0], node.op, node.args[-1]),
            (node.args[-1], {"<=": ">=", "<": ">"}.get(node.op, ""), node.args[0]),
        ):
            if left.op == "name" and op in (">=", ">") and constant(right) is not None:
                bounded.add(str(left.value))
    found = []
    for name in names:
        least = least_value(name)
        if least is not None and name not in bounded:
            number = Node("number", (), Fraction(least))
            found.append(Node(">=", (Node("name", (), name), number)))
    return found


def least_value(name: str) -> int | None:
    """Returns the least value that a name of a size stands for, or None for any integer."""
    letter = re.sub(r"[\d'].*|_.*", "", name)
    return LEAST.get(letter)


def _source(node: Node, places: dict[str, str]) -> str:
    op, args = node.op, node.args
    if op == "number":
        number = Fraction(node.value)
        if number.denominator == 1:
            return str(number.numerator)
        return f"Fraction({number.numerator}, {number.denominator})"
    if op == "name":
        return places[str(node.value)]
    texts = [_source(arg, places) for arg in args]
    if op in ("/", "//", "%"):
        sign = constant(args[1])
        if sign == 0:
            raise UsageError("a division by 0", where=show(node))
        # a negative literal is a divisor that the writer meant; any other must be positive
        divisor = texts[1] if sign is not None else f"positive({texts[1]})"
        return f"(over({texts[0]}, {divisor}))" if op == "/" else f"({texts[0]} {op} {divisor})"
    if op in ("neg", "not"):
        return f"({'-' if op == 'neg' else 'not '}{texts[0]})"
    if op in ("and", "or"):
        return f"({texts[0]} {op} {texts[1]})"
    if op == "implies":
        return f"({texts[1]} if {texts[0]} else True)"
    if op == "iff":
        return f"({texts[0]} == {texts[1]})"
    if op in FUNCTIONS:
        return f"{op}({', '.join(texts)})"
    if op in ("==", "!=", "<", "<=", ">", ">=", *OPERATORS):
        return f"({texts[0]} {'**' if op == '^' else op} {texts[1]})"
    raise UsageError(
        f"{op} does not apply to integers", where=show(node),
        fix="use +, -, *, /, //, %, ^, floor, ceil, min, max, abs, count",
    )  # fmt: skip


def _positive(divisor: Number) -> Number:
    if divisor <= 0:
        raise OutOfDomain
    return divisor


def _over(number: Number, divisor: Number) -> Fraction:
    return Fraction(number) / divisor


def _count(W: Number, k: Number, s: Number = 1, p: Number = 0, d: Number = 1) -> int:
    """Returns how many i >= 0 put a window of taps i*s, i*s+d, ..., i*s+d*(k-1) inside W+2*p."""
    whole = all(Fraction(value).denominator == 1 for value in (W, k, s, p, d))
    if k < 1 or s < 1 or d < 1 or not whole:
        raise OutOfDomain
    free = W + 2 * p - d * (k - 1) - 1
    # i*s <= free, counted; this is the definition, not the formula: it is 0 where nothing fits
    if free < 0:
        return 0
    positions = range(0, int(free) + 1, int(s))
    return positions.index(positions[-1]) + 1


_ENVIRONMENT: dict[str, Any] = {
    "__builtins__": {}, "Fraction": Fraction, "positive": _positive, "over": _over,
    "floor": floor, "ceil": ceil, "min": min, "max": max, "abs": abs, "count": _count,
}  # fmt: skip
