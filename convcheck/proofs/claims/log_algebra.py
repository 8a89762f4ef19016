"""Normal forms of terms with logarithms, exponentials and sums over outcomes.

A form is a polynomial {monomial: coefficient}; a monomial is a sorted tuple of (atom, exponent).
Atoms, with "" for the outcome that a sum or a vector equation runs over:

    ("value", name, place)   an entry of a distribution or of scores
    ("scalar", name)         a scalar; ("n",) the number of outcomes
    ("sum", monomial)        the sum of a monomial over all outcomes
    ("log", form)  ("exp", monomial)  ("inverse", form)  ("max", form)  ("abs", form)

Rewriting: sum p = 1 for a distribution p; scalars leave sums; log of a product of positive
factors is the sum of their logs; exp of a sum is a product; exp(log a) = a. Each rule holds for
all values, so that equal forms mean equal terms; unequal forms decide nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.distribution_sorts import Kinds
from convcheck.proofs.claims.language import Node, show

Atom = tuple[Any, ...]
Monomial = tuple[tuple[Atom, Fraction], ...]
Form = dict[Monomial, Fraction]
Frozen = tuple[tuple[Monomial, Fraction], ...]

ONE: Monomial = ()
MAX_TERMS = 400
MAX_FACTOR = 10**6


def number(value: Fraction | int) -> Form:
    """Returns the form of a number."""
    return {ONE: Fraction(value)} if value else {}


def add(left: Form, right: Form, factor: Fraction | int = 1) -> Form:
    """Returns left + factor * right."""
    total = dict(left)
    for monomial, coefficient in right.items():
        total[monomial] = total.get(monomial, Fraction(0)) + factor * coefficient
    return {monomial: coefficient for monomial, coefficient in total.items() if coefficient}


def multiply(left: Form, right: Form) -> Form:
    """Returns left * right."""
    if len(left) * len(right) > MAX_TERMS:
        raise Undecided(f"an expansion has more than {MAX_TERMS} terms")
    total: Form = {}
    for a, x in left.items():
        for b, y in right.items():
            key = join(a, b)
            total[key] = total.get(key, Fraction(0)) + x * y
    return {monomial: coefficient for monomial, coefficient in total.items() if coefficient}


def join(left: Monomial, right: Monomial, factor: Fraction | int = 1) -> Monomial:
    """Returns left * right ** factor."""
    powers = dict(left)
    for atom, exponent in right:
        powers[atom] = powers.get(atom, Fraction(0)) + factor * exponent
    return tuple(sorted(((a, e) for a, e in powers.items() if e), key=repr))


def freeze(form: Form) -> Frozen:
    """Returns a form as a value that can be part of an atom."""
    return tuple(sorted(form.items(), key=repr))


def of_atom(*atom: Any) -> Form:
    """Returns the form of one atom."""
    return {((atom, Fraction(1)),): Fraction(1)}


def is_elementwise(value: Monomial | Frozen | Atom) -> bool:
    """Returns whether a value depends on the outcome that is summed over."""
    if isinstance(value, tuple):
        if value and value[0] == "value":
            return bool(value[2] == "")
        if value and value[0] in ("sum", "max"):
            return False
        return any(is_elementwise(part) for part in value)
    return False


class Algebra:
    """Builds the forms of the terms of one claim."""

    def __init__(
        self,
        kinds: Kinds,
        deadline: Deadline,
        positive: frozenset[str],
        nonnegative: frozenset[str] = frozenset(),
        outcomes: int | None = None,
    ) -> None:
        self.kinds = kinds
        self.deadline = deadline
        self.positive_names = positive
        self.nonnegative_names = nonnegative
        self.outcomes = outcomes

    @property
    def n(self) -> Form:
        """The number of outcomes: an atom, or a number where a hypothesis says it."""
        return of_atom("n") if self.outcomes is None else number(self.outcomes)

    def is_positive(self, atom: Atom) -> bool:
        """Returns whether an atom is > 0 wherever its logarithm may be taken."""
        if atom[0] == "value":
            return atom[1] in self.kinds.distributions
        if atom[0] == "scalar":
            return atom[1] in self.positive_names
        if atom[0] == "sum":
            return all(self.is_positive(inner) for inner, _ in atom[1])
        if atom[0] == "inverse":
            return self.is_positive_form(dict(atom[1]))
        if atom[0] == "log":
            return len(atom[1]) == 1 and atom[1][0][0] == ONE and atom[1][0][1] > 1
        return atom[0] in ("n", "exp")

    def is_at_least_zero(self, atom: Atom) -> bool:
        """Returns whether an atom is >= 0."""
        named = atom[0] == "scalar" and atom[1] in self.nonnegative_names
        return named or atom[0] == "abs" or self.is_positive(atom)

    def is_positive_form(self, form: Form) -> bool:
        """Returns whether a form is a sum of positive monomials with positive coefficients."""
        return bool(form) and all(
            c > 0 and all(self.is_positive(a) for a, _ in m) for m, c in form.items()
        )

    def form(self, node: Node, place: str = "") -> Form:
        """Returns the form of a term; of a vector its entry at `place`, "" for any."""
        self.deadline.check()
        op, args = node.op, node.args
        if op == "number":
            return number(Fraction(node.value))
        if op == "name":
            return self.name(str(node.value), place)
        if op == "index":
            inner = args[1]
            if len(args) != 2 or inner.op not in ("name", "number"):
                raise Undecided(f"the index of {show(node)!r} is not a name or a number")
            return self.form(args[0], str(inner.value))
        if op == "+":
            return add(self.form(args[0], place), self.form(args[1], place))
        if op == "-":
            return add(self.form(args[0], place), self.form(args[1], place), -1)
        if op == "neg":
            return add({}, self.form(args[0], place), -1)
        if op == "*":
            return multiply(self.form(args[0], place), self.form(args[1], place))
        if op == "/":
            return multiply(self.form(args[0], place), self.inverse(self.form(args[1], place)))
        if op == "^":
            result = number(1)
            for _ in range(int(Fraction(args[1].value))):
                result = multiply(result, self.form(args[0], place))
            return result
        if op == "log":
            return self.log(self.form(args[0], place))
        if op == "exp":
            return self.exp(self.form(args[0], place))
        if op == "sum":
            return self.sum(self.form(args[0]))
        if op == "dot":
            return self.sum(multiply(self.form(args[0]), self.form(args[1])))
        if op == "H":
            weight, inside = self.form(args[0]), self.form(args[-1])
            return add({}, self.sum(multiply(weight, self.log(inside))), -1)
        if op == "KL":
            p, q = self.form(args[0]), self.form(args[1])
            return self.sum(multiply(p, add(self.log(p), self.log(q), -1)))
        if op == "logsumexp":
            return self.log(self.sum(self.exp(self.form(args[0]))))
        if op == "softmax":
            total = self.sum(self.exp(self.form(args[0])))
            return multiply(self.exp(self.form(args[0], place)), self.inverse(total))
        if op == "nll":
            return self.nll(args[0], args[1])
        if op == "abs":
            return self.abs(self.form(args[0], place))
        if op in ("max", "min") and len(args) == 1:
            sign = 1 if op == "max" else -1
            return add({}, self.max(add({}, self.form(args[0]), sign)), sign)
        raise Undecided(f"no normal form for {op}")

    def name(self, name: str, place: str) -> Form:
        """Returns the form of a name."""
        if name in self.kinds.distributions | self.kinds.scores:
            return of_atom("value", name, place)
        if name == "n" and self.kinds.has_n:
            return self.n
        if name in self.kinds.indices:
            raise Undecided(f"the index {name} is used as a number")
        return of_atom("scalar", name)

    def nll(self, scores: Node, target: Node) -> Form:
        """Returns -log softmax(scores) at the target, or its mean over a target distribution."""
        total = self.log(self.sum(self.exp(self.form(scores))))
        if self.kinds.is_vector(target):
            return self.sum(multiply(self.form(target), add(total, self.form(scores), -1)))
        if target.op not in ("name", "number"):
            raise Undecided(f"the target {show(target)!r} is not a name or a number")
        return add(total, self.form(scores, str(target.value)), -1)

    def sum(self, form: Form) -> Form:
        """Returns the sum of an entry over all outcomes."""
        total: Form = {}
        for monomial, coefficient in form.items():
            inner = tuple(part for part in monomial if is_elementwise(part[0]))
            outer = tuple(part for part in monomial if not is_elementwise(part[0]))
            if not inner:
                whole = self.n
            elif len(inner) == 1 and inner[0][1] == 1 and self._is_distribution(inner[0][0]):
                whole = number(1)
            else:
                whole = of_atom("sum", inner)
            total = add(total, multiply({outer: coefficient}, whole))
        return total

    def _is_distribution(self, atom: Atom) -> bool:
        return bool(atom[0] == "value" and atom[1] in self.kinds.distributions)

    def inverse(self, form: Form) -> Form:
        """Returns 1 / form, where the form is not 0."""
        if not form:
            raise Undecided("a division by a term that is 0")
        common, rest = split_common(form)
        inverted: Form = {join(ONE, common, -1): Fraction(1)}
        if len(rest) == 1:
            return multiply(inverted, number(1 / rest[ONE]))
        content = _content(rest)
        rest = {monomial: c / content for monomial, c in rest.items()}
        return multiply(multiply(inverted, number(1 / content)), of_atom("inverse", freeze(rest)))

    def log(self, form: Form) -> Form:
        """Returns the logarithm of a form, products of positive factors taken apart."""
        if not form:
            raise Undecided("the logarithm of a term that is 0")
        common, rest = split_common(form)
        if len(rest) > 1 or rest.get(ONE, Fraction(0)) < 0:
            if len(rest) == 1 or not all(self.is_positive(atom) for atom, _ in common):
                return of_atom("log", freeze(form))
            content = abs(_content(rest))
            rest = {monomial: c / content for monomial, c in rest.items()}
            total = add(_log_number(content), of_atom("log", freeze(rest)))
        elif all(self.is_positive(atom) for atom, _ in common):
            total = _log_number(rest[ONE])
        else:
            return of_atom("log", freeze(form))
        for atom, exponent in common:
            if atom[0] == "exp":
                total = add(total, {atom[1]: exponent})
            elif atom[0] == "inverse":
                total = add(total, self.log(dict(atom[1])), -exponent)
            else:
                inner = freeze({((atom, Fraction(1)),): Fraction(1)})
                total = add(total, of_atom("log", inner), exponent)
        return total

    def exp(self, form: Form) -> Form:
        """Returns the exponential of a form, as a product."""
        result: Monomial = ONE
        rest = number(1)
        for monomial, coefficient in form.items():
            inner = monomial[0][0] if len(monomial) == 1 and monomial[0][1] == 1 else None
            if inner and inner[0] == "log":
                base = dict(inner[1])
                if len(base) == 1 and set(base.values()) == {Fraction(1)}:
                    result = join(result, next(iter(base)), coefficient)
                    continue
                if coefficient.denominator == 1:
                    factor = base if coefficient > 0 else self.inverse(base)
                    if abs(coefficient) > 8:
                        raise Undecided("a power of more than 8")
                    for _ in range(abs(int(coefficient))):
                        rest = multiply(rest, factor)
                    continue
            result = join(result, ((("exp", monomial), Fraction(1)),), coefficient)
        return multiply(rest, {result: Fraction(1)})

    def max(self, form: Form) -> Form:
        """Returns the largest entry; what does not depend on the outcome is taken out."""
        inner = {m: c for m, c in form.items() if is_elementwise(m)}
        outer = {m: c for m, c in form.items() if not is_elementwise(m)}
        if not inner:
            return outer
        if len(inner) == 1:
            ((monomial, coefficient),) = inner.items()
            fixed = tuple(part for part in monomial if not is_elementwise(part[0]))
            moving = tuple(part for part in monomial if is_elementwise(part[0]))
            if all(self.is_at_least_zero(atom) and exponent > 0 or self.is_positive(atom)
                   for atom, exponent in fixed):  # fmt: skip
                rising = coefficient > 0 and all(atom[0] == "exp" for atom, _ in moving)
                if rising:  # the largest exponential is that of the largest exponent
                    exponent_form = {atom[1]: exponent for atom, exponent in moving}
                    largest = multiply(self.exp(self.max(exponent_form)), number(coefficient))
                    return add(outer, multiply({fixed: Fraction(1)}, largest))
                if fixed:
                    largest = self.max({moving: coefficient})
                    return add(outer, multiply({fixed: Fraction(1)}, largest))
        content = abs(_content(inner))
        scaled = freeze({m: c / content for m, c in inner.items()})
        return add(outer, of_atom("max", scaled), content)

    def abs(self, form: Form) -> Form:
        """Returns the absolute value of a form, the same for x and -x."""
        if not form or all(c > 0 and all(map(self.is_at_least_zero, dict(m))) for m, c in
                           form.items()):  # fmt: skip
            return form
        content = _content(form)
        scaled = freeze({m: c / content for m, c in form.items()})
        return multiply(of_atom("abs", scaled), number(abs(content)))


def cleared(form: Form) -> Form:
    """Returns a form times its denominators: 0 exactly if the form is, where they are not 0."""
    for _ in range(12):
        found = next((a for m in form for a, _ in m if a[0] == "inverse"), None)
        if found is None:
            return form
        highest = max(dict(m).get(found, Fraction(0)) for m in form)
        if highest.denominator != 1 or highest < 1:
            return form
        total: Form = {}
        for monomial, coefficient in form.items():
            missing = highest - dict(monomial).get(found, Fraction(0))
            if missing.denominator != 1:
                return form
            kept = tuple(part for part in monomial if part[0] != found)
            product: Form = {kept: coefficient}
            for _ in range(int(missing)):
                product = multiply(product, dict(found[1]))
            total = add(total, product)
        form = total
    return form


def split_common(form: Form) -> tuple[Monomial, Form]:
    """Returns the common monomial factor of a form, and the rest."""
    monomials = [dict(m) for m in form]
    atoms = {atom for m in monomials for atom in m}
    common = tuple(
        sorted(
            ((a, e) for a in atoms if (e := min(m.get(a, Fraction(0)) for m in monomials))),
            key=repr,
        )
    )
    return common, {join(m, common, -1): c for m, c in form.items()}


def _content(form: Form) -> Fraction:
    """Returns the coefficient by which a form is divided to make equal multiples equal."""
    return form[min(form, key=repr)]


def _log_number(value: Fraction) -> Form:
    """Returns log(value) for value > 0 as a sum of logs of primes."""
    total: Form = {}
    for part, sign in ((value.numerator, 1), (value.denominator, -1)):
        factor = 2
        while part > 1:
            if factor * factor > part or factor > MAX_FACTOR:
                factor = part
            while part % factor == 0:
                total = add(total, of_atom("log", ((ONE, Fraction(factor)),)), sign)
                part //= factor
            factor += 1
    return total
