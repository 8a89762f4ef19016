"""Which names of a claim about sequences are sequences, scalars, integers and factors."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.language import COMPARISONS, Node, Statement, names_in, show

_MAPS = ("conv", "corr", "flip", "shift", "up", "down", "dot", "sum")
_ARITHMETIC = ("+", "-", "neg", "*", "/", "^")
_SCALARS = {"a", "b", "c", "alpha", "beta", "gamma", "lambda", "tau", "eps"}
_INTEGERS = {"t", "n", "m", "k", "i", "j", "s", "d", "N", "M", "P", "Q"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorts:
    """The names of a claim, by what they stand for; `axes` and `modulus` say on which group.

    Attributes:
        sequences: Finitely supported sequences on Z^axes, or sequences on Z_n.
        scalars: Rational numbers.
        integers: Integers, such as the amount of a shift.
        points: Points of Z^axes, where axes > 1.
        factors: Integers >= 1, the factors of `up` and `down`.
        axes: Rank of the index.
        modulus: None on Z, a number on Z_5, 0 on Z_n for every n >= 1.
    """

    sequences: frozenset[str]
    scalars: frozenset[str]
    integers: frozenset[str]
    points: frozenset[str]
    factors: frozenset[str]
    axes: int = 1
    modulus: int | None = None

    def is_sequence(self, node: Node) -> bool:
        """Returns whether `node` is a sequence rather than a scalar.

        Raises:
            UsageError: A sequence and a scalar are added, or an operator does not apply.
        """
        if node.op == "name":
            return str(node.value) in self.sequences or node.value == "delta"
        if node.op in ("number", "dot", "sum", "index"):
            return False
        if node.op in (*_MAPS, "delta"):
            return True
        if node.op not in _ARITHMETIC:
            raise UsageError(
                f"{node.op} does not apply to sequences", where=show(node),
                fix="use conv, corr, flip, shift, up, down, delta, dot, sum, +, -, *, ^",
            )  # fmt: skip
        kinds = [self.is_sequence(arg) for arg in node.args[: 1 if node.op == "^" else 2]]
        if node.op in ("+", "-") and len(set(kinds)) == 2:
            other = node.args[kinds.index(False)]
            if not is_zero(other):
                raise UsageError(
                    f"{show(other)!r} is a scalar, and is added to a sequence", where=show(node),
                    fix="write f[t] for a value, c*delta for the scalar at 0",
                )  # fmt: skip
        if node.op == "/" and kinds[-1]:
            raise UsageError("a sequence cannot divide", where=show(node))
        return any(kinds)

    def check(self, node: Node) -> None:
        """Raises `UsageError` where an operation is given what it does not take."""
        if self.modulus is not None and node.op in ("up", "down"):
            raise UsageError(f"{node.op} is defined on Z, Z^2 and Z^3 only", where=show(node))
        if node.op in (*_MAPS, "index"):
            for arg in node.args[: 2 if node.op in ("conv", "corr", "dot") else 1]:
                if not self.is_sequence(arg) and not is_zero(arg):
                    raise UsageError(
                        f"{show(arg)!r} is a scalar, and {node.op} takes a sequence",
                        where=show(node), fix="write c*delta for the scalar at 0",
                    )  # fmt: skip
        if node.op in ("shift", "delta", "index"):
            for part in amounts(node, self.axes):
                _check_index(part)
        elif node.op in COMPARISONS:
            kinds = [self.is_sequence(arg) for arg in node.args]
            for arg, is_sequence in zip(node.args, kinds, strict=True):
                if not is_sequence and any(kinds) and not is_zero(arg):
                    raise UsageError(
                        f"{show(arg)!r} is a scalar, and is compared with a sequence",
                        where=show(node),
                        fix="compare values f[t], or write c*delta for the scalar at 0",
                    )
        for arg in node.args:
            self.check(arg)


def is_zero(node: Node) -> bool:
    """Returns whether `node` is the literal 0, which is also the zero sequence."""
    return node.op == "number" and not node.value


def find_sorts(statement: Statement) -> Sorts:
    """Returns the sorts of all names of a statement, from their uses, else by convention.

    Raises:
        UsageError: A name is used in two ways that exclude each other.
    """
    formulas = (statement.goal, *statement.given)
    used: dict[str, set[str]] = {"sequence": {"delta"}, "index": set(), "factor": set()}
    tuples: set[int] = set()
    for formula in formulas:
        _collect(formula, "", used, tuples)
    if len(tuples) > 1:
        raise UsageError("points of different rank", where=statement.text)
    axes = {"Z^2": 2, "Z^3": 3}.get(statement.domain, 0) or max(tuples, default=1)
    if tuples and tuples != {axes}:
        raise UsageError(f"a point of {tuples.pop()} coordinates on {statement.domain or 'Z'}")
    modulus = None
    if statement.domain.startswith("Z_"):
        modulus = 0 if statement.domain == "Z_n" else int(statement.domain[2:])
    names = set[str]().union(*map(names_in, formulas)) - {"delta"}
    sequences = used["sequence"] - {"delta"}
    others = names - sequences - used["index"] - used["factor"]
    sequences |= {name for name in others if name[0] not in _INTEGERS and not _is_scalar(name)}
    for kind in ("index", "factor"):
        if both := sorted(sequences & used[kind]):
            raise UsageError(
                f"{both[0]} is used as a sequence and as an integer", where=statement.text,
                fix="use two names",
            )  # fmt: skip
    integers = used["index"] - used["factor"]
    if modulus == 0:
        # on Z_n the name n is the modulus, so that as an index it is 0
        names, integers = names - {"n"}, integers - {"n"}
    sorts = Sorts(
        sequences=frozenset(sequences),
        scalars=frozenset(names - sequences - integers - used["factor"]),
        integers=frozenset(integers),
        points=frozenset(_points(formulas) & integers if axes > 1 else ()),
        factors=frozenset(used["factor"]),
        axes=axes,
        modulus=modulus,
    )
    for formula in formulas:
        sorts.check(formula)
    return sorts


def _check_index(node: Node) -> None:
    if node.op not in ("number", "name", "+", "-", "neg", "*"):
        raise UsageError(f"{show(node)!r} is no index", fix="an index is built with +, -, *")
    for arg in node.args:
        _check_index(arg)


def _is_scalar(name: str) -> bool:
    return name in _SCALARS or name[0] in "abc"


def _collect(node: Node, place: str, used: dict[str, set[str]], tuples: set[int]) -> None:
    if node.op == "name" and place:
        used[place].add(str(node.value))
    places = [place] * len(node.args)
    if node.op in ("conv", "corr", "flip", "sum", "dot"):
        places = ["sequence"] * len(node.args)
    elif node.op in ("shift", "index"):
        places = ["sequence"] + ["index"] * (len(node.args) - 1)
        if len(node.args) > 2:
            tuples.add(len(node.args) - 1)
    elif node.op in ("up", "down"):
        places = ["sequence", "factor"]
    elif node.op == "delta":
        places = ["index"] * len(node.args)
        if len(node.args) > 1:
            tuples.add(len(node.args))
    elif node.op == "tuple":
        if place == "index":
            tuples.add(len(node.args))
    elif node.op in ("*", "/", "^") and place == "sequence":
        places = ["", ""]
    for arg, where in zip(node.args, places, strict=True):
        _collect(arg, where, used, tuples)


def _points(formulas: tuple[Node, ...]) -> set[str]:
    """Returns the names that stand alone where a point is wanted: shift(f, n) on Z^2."""
    found: set[str] = set()
    stack = list(formulas)
    while stack:
        node = stack.pop()
        amounts = node.args if node.op == "delta" else node.args[1:]
        if node.op in ("shift", "delta", "index") and len(amounts) == 1:
            found |= names_in(amounts[0]) if amounts[0].op != "tuple" else set()
        stack.extend(node.args)
    return found


def amounts(node: Node, axes: int) -> tuple[Node, ...]:
    """Returns the index of `shift`, `delta` or `[ ]`, one term per axis.

    A single term on Z^2 is a point: its names stand for points, and it is given once per axis.

    Raises:
        UsageError: The number of coordinates is not the rank.
    """
    given = node.args if node.op == "delta" else node.args[1:]
    if len(given) == 1 and given[0].op == "tuple":
        given = given[0].args
    if axes > 1 and len(given) == 1 and (names_in(given[0]) or is_zero(given[0])):
        return given * axes
    if len(given) != axes:
        raise UsageError(
            f"{len(given)} coordinates on Z^{axes}", where=show(node), fix="e.g. shift(f, (1, 2))"
        )
    return given


def whole(node: Node) -> int:
    """Returns the integer that a literal factor is.

    Raises:
        UsageError: It is not an integer >= 1.
    """
    value = node.value if node.op == "number" else None
    if not isinstance(value, Fraction) or value.denominator != 1 or value < 1:
        raise UsageError(f"factor {show(node)!r}", why="it must be an integer of at least 1")
    return int(value)
