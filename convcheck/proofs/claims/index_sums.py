"""Sequence terms as sums over index variables, with a complete decision of their equality.

The value at t of every term of the language is a sum of products

    c * sum over u in Z^k of  f1[a1(u, t)] * f2[a2(u, t)] * ...   where  b1(u, t) == 0, ...

with affine index maps, because each operation is one: conv(f, g)[t] = sum_s f[s] g[t - s],
up(f, P)[t] = sum_m f[m] where t - P m == 0, down(f, P)[t] = f[P t]. Solving the equations in
integers leaves, for each monomial f1[x1] f2[x2] ..., the indicator of an affine lattice of points
(x1, x2, ..., t). Two sums are equal for all sequences exactly if, for each list of names, the
indicators of their lattices, made symmetric in equal names, add up to the same function. That is
decided by splitting the lattices of one affine space into cosets of a common sublattice: cosets
are disjoint, and lattices of other spaces of no larger dimension are too thin to fill a coset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from math import factorial, prod
from typing import Any

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.language import Node, show
from convcheck.proofs.claims.lattices import (
    Matrix,
    Vector,
    common_sublattice,
    cosets,
    direction,
    hermite,
    reduce,
    solve,
)
from convcheck.proofs.claims.sequence_sorts import Sorts, amounts, is_zero, whole

# An affine form: variable -> coefficient; bound variables are ints, free ones are text, the
# constant stands under "". Coefficients are ints, or polynomials in the names of factors.
Affine = dict[int | str, Any]
# A polynomial in the scalars: ((name, exponent), ...) -> coefficient.
Scalar = dict[tuple[tuple[str, int], ...], Fraction]
MAX_TERMS = 4000
MAX_SYMMETRIES = 720


@dataclass(frozen=True, slots=True)
class Term:
    """One product under a sum: coefficient, values of sequences, equations on the indices."""

    coefficient: Scalar
    slots: tuple[tuple[str, tuple[Affine, ...]], ...] = ()
    equations: tuple[Affine, ...] = ()


Lattice = tuple[tuple[str, ...], Vector, Matrix]


class Expansion:
    """Expands terms of the language into index sums; counts the bound variables it makes."""

    def __init__(
        self, sorts: Sorts, deadline: Deadline, factors: dict[str, Any] | None = None
    ) -> None:
        self.sorts = sorts
        self.deadline = deadline
        self.named_factors = factors or {}
        self.bound = 0

    def fresh(self) -> tuple[Affine, ...]:
        """Returns a new index variable, one form per axis."""
        self.bound += self.sorts.axes
        return tuple({self.bound - axis: 1} for axis in range(self.sorts.axes))

    def difference(self, left: Node, right: Node) -> list[Term]:
        """Returns the terms of left - right, at a free index t where they are sequences."""
        if self.sorts.is_sequence(left) or self.sorts.is_sequence(right):
            index: tuple[Affine, ...] = tuple({f"@{a}": 1} for a in range(self.sorts.axes))
            return self.at(left, index) + scale(self.at(right, index), Fraction(-1))
        return self.scalar(left) + scale(self.scalar(right), Fraction(-1))

    def at(self, node: Node, index: tuple[Affine, ...]) -> list[Term]:
        """Returns the value of a sequence at an index."""
        self.deadline.check()
        if is_zero(node):
            return []
        op, args = node.op, node.args
        if op == "name" and node.value != "delta":
            return [Term({(): Fraction(1)}, ((str(node.value), index),))]
        if op in ("delta", "name"):
            center = self.point(node) if args else ({},) * self.sorts.axes
            return [Term({(): Fraction(1)}, (), tuple(map(_minus, index, center)))]
        if op in ("+", "-"):
            right = self.at(args[1], index)
            return self.at(args[0], index) + (scale(right, Fraction(-1)) if op == "-" else right)
        if op == "neg":
            return scale(self.at(args[0], index), Fraction(-1))
        if op == "flip":
            return self.at(args[0], tuple(_times(form, -1) for form in index))
        if op == "shift":
            return self.at(args[0], tuple(map(_minus, index, self.point(node))))
        if op in ("conv", "corr"):
            inner = self.fresh()
            outer = tuple(map(_minus if op == "conv" else _plus, index, inner))
            return self.multiply(self.at(args[0], inner), self.at(args[1], outer))
        if op == "down":
            factors = self.factors(args[1])
            return self.at(args[0], tuple(map(_times, index, factors)))
        if op == "up":
            inner = self.fresh()
            spread = map(_times, inner, self.factors(args[1]))
            kept = Term({(): Fraction(1)}, (), tuple(map(_minus, index, spread)))
            return self.multiply([kept], self.at(args[0], inner))
        if op == "*":
            sides = [
                self.at(arg, index) if self.sorts.is_sequence(arg) else self.scalar(arg)
                for arg in args
            ]
            return self.multiply(*sides)
        if op == "/":
            return self.multiply(self.at(args[0], index), self.scalar(args[1], inverse=True))
        if op == "^":
            exponent = int(Fraction(args[1].value))
            if not exponent:
                raise Undecided("a sequence to the power 0 has no finite support")
            result = self.at(args[0], index)
            for _ in range(exponent - 1):
                result = self.multiply(result, self.at(args[0], index))
            return result
        raise UsageError(f"{show(node)!r} is not a sequence")

    def scalar(self, node: Node, inverse: bool = False) -> list[Term]:
        """Returns the value of a scalar term."""
        op, args = node.op, node.args
        if inverse:
            if op != "number" or not node.value:
                raise Undecided(f"{show(node)!r} divides; only a number other than 0 may")
            return [Term({(): 1 / Fraction(node.value)})]
        if op == "number":
            return [Term({(): Fraction(node.value)})] if node.value else []
        if op == "name":
            name = str(node.value)
            if name in self.sorts.integers | self.sorts.factors:
                raise Undecided(f"{name} is an index and a scalar at once")
            return [Term({((name, 1),): Fraction(1)})]
        if op in ("+", "-"):
            right = self.scalar(args[1])
            return self.scalar(args[0]) + (scale(right, Fraction(-1)) if op == "-" else right)
        if op == "neg":
            return scale(self.scalar(args[0]), Fraction(-1))
        if op == "*":
            return self.multiply(self.scalar(args[0]), self.scalar(args[1]))
        if op == "/":
            return self.multiply(self.scalar(args[0]), self.scalar(args[1], inverse=True))
        if op == "^":
            result = [Term({(): Fraction(1)})]
            for _ in range(int(Fraction(args[1].value))):
                result = self.multiply(result, self.scalar(args[0]))
            return result
        if op == "index":
            return self.at(args[0], self.point(node))
        if op in ("sum", "dot"):
            inner = self.fresh()
            sides = [self.at(arg, inner) for arg in args]
            return self.multiply(*sides) if op == "dot" else sides[0]
        raise UsageError(f"{show(node)!r} is not a scalar")

    def point(self, node: Node) -> tuple[Affine, ...]:
        """Returns the index that `shift`, `delta` or `[ ]` is given, as affine forms."""
        return tuple(
            self.affine(term, axis) for axis, term in enumerate(amounts(node, self.sorts.axes))
        )

    def affine(self, node: Node, axis: int) -> Affine:
        """Returns an integer term as an affine form."""
        if node.op == "number":
            value = Fraction(node.value)
            if value.denominator != 1:
                raise UsageError(f"index {value}", why="an index is an integer")
            return {"": int(value)}
        if node.op == "name":
            name = str(node.value)
            if name == "n" and self.sorts.modulus == 0:
                return {}
            if name in self.named_factors:
                return {"": self.named_factors[name]}
            return {f"{name}.{axis}" if name in self.sorts.points else name: 1}
        if node.op == "neg":
            return _times(self.affine(node.args[0], axis), -1)
        if node.op in ("+", "-", "*"):
            left, right = (self.affine(arg, axis) for arg in node.args)
            if node.op != "*":
                return (_plus if node.op == "+" else _minus)(left, right)
            for one, other in ((left, right), (right, left)):
                if not set(one) - {""}:
                    return _times(other, one.get("", 0))
        raise Undecided(f"the index {show(node)!r} is not affine in its names")

    def factors(self, node: Node) -> tuple[Any, ...]:
        """Returns the factor of `up` or `down`, one per axis."""
        if node.op in ("name", "*", "+") and self.named_factors:
            return (self.affine(node, 0).get("", 0),) * self.sorts.axes
        if node.op == "tuple" and len(node.args) == self.sorts.axes:
            return tuple(map(whole, node.args))
        return (whole(node),) * self.sorts.axes

    def multiply(self, left: list[Term], right: list[Term]) -> list[Term]:
        """Returns the products of all pairs."""
        if len(left) * len(right) > MAX_TERMS:
            raise Undecided(f"more than {MAX_TERMS} products")
        result = []
        for a, b in product(left, right):
            self.deadline.check()
            scalar = _multiply_scalars(a.coefficient, b.coefficient)
            result.append(Term(scalar, a.slots + b.slots, a.equations + b.equations))
        return result


def scale(terms: list[Term], factor: Fraction) -> list[Term]:
    """Returns the terms times a number."""
    return [
        Term({k: factor * v for k, v in term.coefficient.items()}, term.slots, term.equations)
        for term in terms
    ]


def remainder(
    terms: list[Term], *, any_group: bool, deadline: Deadline, free: list[str] | None = None
) -> dict[Lattice, Scalar]:
    """Returns what is left of a sum of terms: empty exactly if it is 0 for all sequences.

    Args:
        terms: The sum, such as a difference of two sides.
        any_group: Whether to use only steps that hold on every abelian group, such as Z_n: then
            an empty result is a proof, but another result decides nothing.
        deadline: When to give up.
        free: The free variables, where more than those of the terms are to be told apart.

    Raises:
        Undecided: A sum has infinitely many terms, or there are too many.
    """
    free = free_variables(terms) if free is None else free
    total: dict[Lattice, Scalar] = {}
    for term in terms:
        deadline.check()
        for lattice in _lattices(term, free, any_group):
            _add(total, lattice, term.coefficient)
    if any_group or not total:
        return total
    spaces: dict[object, list[Lattice]] = {}
    for lattice in total:
        names, offset, basis = lattice
        rational = direction(basis)
        spaces.setdefault((names, rational, _offset_beside(offset, rational)), []).append(lattice)
    left: dict[Lattice, Scalar] = {}
    for lattices in spaces.values():
        if len({basis for _, _, basis in lattices}) == 1:
            left.update({lattice: total[lattice] for lattice in lattices})
            continue
        sublattice = hermite(common_sublattice([basis for _, _, basis in lattices]))
        for names, offset, basis in lattices:
            for coset in cosets(offset, basis, sublattice):
                deadline.check()
                _add(left, (names, coset, sublattice), total[names, offset, basis])
    return left


def free_variables(terms: list[Term]) -> list[str]:
    """Returns the free variables of the terms, in order."""
    return sorted({key for form in _forms(terms) for key in form if isinstance(key, str) and key})


def _lattices(term: Term, free: list[str], any_group: bool) -> Iterator[Lattice]:
    """Yields the lattice of points (x1, x2, ..., free) of a term, per symmetry of its names."""
    slots = sorted(term.slots, key=lambda slot: slot[0])
    bound = sorted({key for form in _forms([term]) for key in form if isinstance(key, int)})
    variables: list[int | str] = [*bound, *free]
    rows = [_row(form, variables) for form in term.equations]
    if any_group and not _is_unimodular(rows, len(variables)):
        raise Undecided("an equation on the indices has a coefficient other than 1 and -1")
    solution = solve(rows, len(variables))
    if solution is None:
        if any_group:  # 3 == 0 has no solution on Z, and holds on Z_3
            raise Undecided("two places differ on Z, and may be one place modulo n")
        return
    offset, basis = solution
    points = [_row(form, variables) for _, index in slots for form in index]
    points += [_row({name: 1}, variables) for name in free]
    start = tuple(sum(map(int.__mul__, row, offset)) + row[-1] for row in points)
    steps = [tuple(sum(map(int.__mul__, row, vector)) for row in points) for vector in basis]
    if len(hermite(steps)) < len(steps):
        raise Undecided("a sum runs over infinitely many equal terms")
    names = tuple(name for name, _ in slots)
    axes = len(slots[0][1]) if slots else 1
    for order in symmetries(names):
        places = [axes * slot + axis for slot in order for axis in range(axes)]
        places += range(axes * len(slots), len(points))
        moved = hermite([[step[place] for place in places] for step in steps])
        yield names, reduce([start[place] for place in places], moved), moved


def symmetries(names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Returns the permutations of the slots that keep every name in its place."""
    blocks = [[i for i, n in enumerate(names) if n == name] for name in sorted(set(names))]
    # counted before any is made: there are thousands of millions of orders of 13 equal names
    if prod(factorial(len(block)) for block in blocks) > MAX_SYMMETRIES:
        raise Undecided("a sequence occurs too often in one product")
    choices = [list(permutations(block)) for block in blocks]
    return [tuple(place for block in chosen for place in block) for chosen in product(*choices)]


def _is_unimodular(rows: list[list[int]], size: int) -> bool:
    reduced = hermite([row[:size] for row in rows])
    return all(next(entry for entry in row if entry) == 1 for row in reduced)


def _offset_beside(offset: Vector, rational: tuple[tuple[Fraction, ...], ...]) -> tuple:
    result = [Fraction(entry) for entry in offset]
    for row in rational:
        column = next(index for index, entry in enumerate(row) if entry)
        result = [a - result[column] * b for a, b in zip(result, row, strict=True)]
    return tuple(result)


def _row(form: Affine, variables: list[int | str]) -> list[int]:
    return [*(form.get(variable, 0) for variable in variables), form.get("", 0)]


def _forms(terms: list[Term]) -> Iterator[Affine]:
    for term in terms:
        yield from term.equations
        for _, index in term.slots:
            yield from index


def _add(total: dict[Lattice, Scalar], lattice: Lattice, coefficient: Scalar) -> None:
    here = total.setdefault(lattice, {})
    for monomial, factor in coefficient.items():
        here[monomial] = here.get(monomial, Fraction(0)) + factor
        if not here[monomial]:
            del here[monomial]
    if not here:
        del total[lattice]


def _multiply_scalars(left: Scalar, right: Scalar) -> Scalar:
    result: Scalar = {}
    for (a, x), (b, y) in product(left.items(), right.items()):
        powers = dict(a)
        for name, exponent in b:
            powers[name] = powers.get(name, 0) + exponent
        key = tuple(sorted(powers.items()))
        result[key] = result.get(key, Fraction(0)) + x * y
    return result


def _plus(left: Affine, right: Affine) -> Affine:
    total = dict(left)
    for key, factor in right.items():
        total[key] = total.get(key, 0) + factor
    return {key: factor for key, factor in total.items() if factor}


def _times(form: Affine, factor: int) -> Affine:
    return {key: factor * value for key, value in form.items() if factor}


def _minus(left: Affine, right: Affine) -> Affine:
    return _plus(left, _times(right, -1))
