"""Inequalities that hold for all distributions and scores, from which claims are combined.

Each fact is a form that is >= 0: Gibbs' inequality between any two distributions that the claim
names, entropies and probabilities, the bounds of log-sum-exp, log x <= x - 1, squares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from convcheck.proofs.claims.language import Node, show
from convcheck.proofs.claims.log_algebra import (
    ONE,
    Algebra,
    Form,
    add,
    freeze,
    is_elementwise,
    multiply,
    number,
)

MAX_DISTRIBUTIONS = 7


@dataclass(frozen=True, slots=True)
class Fact:
    """A form that is >= 0, and why."""

    form: Form
    why: str


def facts_for(nodes: list[Node], algebra: Algebra, given: list[Fact]) -> list[Fact]:
    """Returns the facts about the terms of a claim.

    Args:
        nodes: All terms of the claim.
        algebra: Builds the forms.
        given: Hypotheses of the claim, which are facts too.
    """
    kinds = algebra.kinds
    places = ["", *sorted(kinds.indices)]
    places += sorted(
        {str(n.args[1]) for n in nodes if n.op == "index" and n.args[1].op == "number"}
    )
    distributions = find_distributions(nodes, algebra, given)
    found = [Fact(number(1), "1 >= 0"), *given]
    divergences = list(gibbs(distributions, algebra))
    found += divergences
    found += about_distributions(distributions, algebra, places)
    found += about_scores(nodes, distributions, algebra, places)
    n = algebra.n
    found.append(Fact(add(n, number(1), -1), "n >= 1"))
    found.append(Fact(algebra.log(n), "log n >= 0"))
    found.append(Fact(add(add(n, number(1), -1), algebra.log(n), -1), "log n <= n - 1"))
    # what holds at each outcome holds in the sum, and in the mean under a distribution
    entries = [fact for fact in given if is_elementwise(freeze(fact.form))]
    for fact in entries:
        found.append(Fact(algebra.sum(fact.form), f"the sum of: {fact.why}"))
        for name, a in distributions[:2]:
            mean = algebra.sum(multiply(algebra.form(a), fact.form))
            found.append(Fact(mean, f"the mean under {name} of: {fact.why}"))
    # a hypothesis such as t >= 0 may be a weight: its products with the facts hold too
    weights = [fact for fact in given if is_scalar_form(fact.form)][:4]
    found += [
        Fact(multiply(weight.form, fact.form), f"({weight.why}) times ({fact.why})")
        for weight in weights
        for fact in (*given, *divergences)
        if len(weight.form) * len(fact.form) <= 24
    ]
    return found


def is_scalar_form(form: Form) -> bool:
    """Returns whether a form is built of scalars and numbers alone."""
    return all(atom[0] == "scalar" for monomial in form for atom, _ in monomial)


def strict_facts(
    nodes: list[Node], given: list[Node], algebra: Algebra, *, several: bool
) -> Iterator[Fact]:
    """Yields forms that are > 0.

    Args:
        nodes: All terms of the claim.
        given: Its hypotheses.
        algebra: Builds the forms.
        several: Whether a hypothesis says that there are two or more outcomes.
    """
    for node in given:
        if node.op in ("<", ">"):
            upper, lower = map(algebra.form, node.args if node.op == ">" else node.args[::-1])
            yield Fact(add(upper, lower, -1), show(node))
            yield Fact(add(algebra.exp(upper), algebra.exp(lower), -1), f"exp of {show(node)}")
        unequal = node.args[0] if node.op == "not" and node.args[0].op == "==" else node
        if node.op == "!=" or unequal is not node:
            a, b = unequal.args
            if {a.op, b.op} == {"name"} and {a.value, b.value} <= algebra.kinds.distributions:
                for pair in ((a, b), (b, a)):
                    why = f"KL > 0 where {show(node)} (Gibbs)"
                    yield Fact(algebra.form(Node("KL", pair)), why)
                difference = add(algebra.form(a), algebra.form(b), -1)
                square = algebra.sum(multiply(difference, difference))
                yield Fact(square, f"a sum of squares > 0 where {show(node)}")
    vectors = {
        show(node.args[0]): node.args[0]
        for node in nodes
        if node.op in ("softmax", "logsumexp", "nll") and several
    }
    places = ["", *sorted(algebra.kinds.indices)]
    for text, z in list(vectors.items())[:2]:
        lse = algebra.form(Node("logsumexp", (z,)))
        largest = algebra.form(Node("max", (z,)))
        yield Fact(add(lse, largest, -1), f"logsumexp({text}) > max({text}), as n >= 2")
        for place in places:
            entry = algebra.form(z, place)
            yield Fact(add(lse, entry, -1), f"logsumexp({text}) > {text}, as n >= 2")
            share = algebra.form(Node("softmax", (z,)), place)
            yield Fact(add(number(1), share, -1), f"softmax({text}) < 1, as n >= 2")


def find_distributions(
    nodes: list[Node], algebra: Algebra, given: list[Fact]
) -> list[tuple[str, Node]]:
    """Returns the terms of a claim that are distributions: entries >= 0 with sum 1."""
    kinds = algebra.kinds
    candidates = [Node("name", (), name) for name in sorted(kinds.distributions)]
    for node in nodes:
        if node.op in ("H", "KL"):
            candidates += node.args
        elif node.op == "softmax":
            candidates.append(node)
        elif node.op in ("logsumexp", "nll"):
            candidates.append(Node("softmax", (node.args[0],)))
    if kinds.has_n:
        one = Node("number", (), Fraction(1))
        candidates.append(Node("/", (one, Node("name", (), "n"))))
    found: dict[str, Node] = {}
    for candidate in candidates:
        total = algebra.sum(algebra.form(candidate))
        if total == number(1) and is_nonnegative(candidate, algebra, given):
            found.setdefault(show(candidate), candidate)
    return list(found.items())[:MAX_DISTRIBUTIONS]


def is_nonnegative(node: Node, algebra: Algebra, given: list[Fact]) -> bool:
    """Returns whether a term is visibly >= 0: sums and products of such, or a hypothesis."""
    form = algebra.form(node)
    if algebra.is_positive_form(form) or any(fact.form == form for fact in given):
        return True
    if node.op in ("+", "*"):
        return all(is_nonnegative(arg, algebra, given) for arg in node.args)
    return node.op == "/" and all(is_nonnegative(arg, algebra, given) for arg in node.args)


def gibbs(distributions: list[tuple[str, Node]], algebra: Algebra) -> Iterator[Fact]:
    """Yields KL(a, b) >= 0, by log x <= x - 1 at x = b/a, and that cross-entropies are >= 0."""
    for left, a in distributions:
        yield Fact(algebra.form(Node("H", (a,))), f"H({left}) >= 0")
        for right, b in distributions:
            if left != right:
                yield Fact(algebra.form(Node("KL", (a, b))), f"KL({left}, {right}) >= 0 (Gibbs)")
            cross = algebra.form(Node("H", (a, b)))
            overlap = algebra.sum(multiply(algebra.form(a), algebra.form(b)))
            yield Fact(cross, f"H({left}, {right}) >= 0, because {right} <= 1")
            tangent = add(add(cross, number(1), -1), overlap)
            yield Fact(tangent, f"H({left}, {right}) >= 1 - sum {left} * {right}")
            yield Fact(
                add(cross, algebra.log(overlap)),
                f"log sum {left} * {right} >= sum {left} log {right} (Jensen)",
            )
            if algebra.kinds.has_n and right == "1 / n":
                uniform = add(algebra.log(algebra.n), algebra.form(Node("H", (a,))), -1)
                yield Fact(uniform, f"H({left}) <= log n (Gibbs)")
            if left == "1 / n":
                gap = multiply(algebra.n, algebra.form(Node("KL", (a, b))))
                yield Fact(gap, f"n KL({left}, {right}) >= 0 (Gibbs)")
            least = algebra.form(Node("min", (b,)))
            lower = add(add({}, algebra.log(least), -1), cross, -1)
            yield Fact(lower, f"log min({right}) <= sum {left} log {right}")
            peak = algebra.log(algebra.form(Node("max", (b,))))
            yield Fact(add(cross, peak), f"log max({right}) >= sum {left} log {right}")


def about_distributions(
    distributions: list[tuple[str, Node]], algebra: Algebra, places: list[str]
) -> Iterator[Fact]:
    """Yields 0 <= a <= 1 and what follows for logs and for sums of products."""
    for place, (text, a) in enumerate(distributions):
        form = algebra.form(a)
        for index in places:
            entry = algebra.form(a, index)
            yield Fact(entry, f"{text} >= 0")
            yield Fact(add(number(1), entry, -1), f"{text} <= 1")
            yield Fact(add({}, algebra.log(entry), -1), f"log {text} <= 0")
        largest = algebra.form(Node("max", (a,)))
        yield Fact(add(number(1), largest, -1), f"max({text}) <= 1")
        yield Fact(add(largest, form, -1), f"max({text}) >= {text}")
        yield Fact(algebra.form(Node("min", (a,))), f"min({text}) >= 0")
        if algebra.outcomes == 1:
            yield Fact(add(form, number(1), -1), f"{text} >= 1, as n == 1")
        yield Fact(add({}, algebra.sum(algebra.log(form)), -1), f"sum log {text} <= 0")
        for other, b in distributions[place:]:
            product = algebra.sum(multiply(form, algebra.form(b)))
            yield Fact(product, f"sum {text} * {other} >= 0")
            yield Fact(add(number(1), product, -1), f"sum {text} * {other} <= 1")
            difference = add(form, algebra.form(b), -1)
            square = algebra.sum(multiply(difference, difference))
            yield Fact(square, f"sum ({text} - {other})^2 >= 0")


def about_scores(
    nodes: list[Node], distributions: list[tuple[str, Node]], algebra: Algebra, places: list[str]
) -> Iterator[Fact]:
    """Yields the bounds of log-sum-exp, largest entries and means, and of log and exp."""
    vectors: dict[str, Node] = {}
    for node in nodes:
        if node.op in ("softmax", "logsumexp", "nll", "max", "min") and len(node.args) < 3:
            inner = node.args[0]
            if algebra.kinds.is_vector(inner):
                vectors.setdefault(show(inner), inner)
        elif node.op == "sum" and node.args[0].op == "exp":
            vectors.setdefault(show(node.args[0].args[0]), node.args[0].args[0])
    for text, z in list(vectors.items())[:4]:
        largest = algebra.form(Node("max", (z,)))
        smallest = algebra.form(Node("min", (z,)))
        lse = algebra.form(Node("logsumexp", (z,)))
        n = algebra.n
        yield Fact(add(lse, largest, -1), f"logsumexp({text}) >= max({text})")
        upper = add(add(largest, algebra.log(n)), lse, -1)
        yield Fact(upper, f"logsumexp({text}) <= max({text}) + log n")
        yield Fact(add(largest, smallest, -1), f"max({text}) >= min({text})")
        total = algebra.sum(algebra.form(z))
        yield Fact(add(multiply(n, largest), total, -1), f"sum({text}) <= n max({text})")
        mean = multiply(total, algebra.inverse(n))
        raised = algebra.sum(algebra.exp(algebra.form(z)))
        yield Fact(add(add(raised, n, -1), total, -1), f"sum exp({text}) >= n + sum({text})")
        jensen = add(add(lse, algebra.log(n), -1), mean, -1)
        yield Fact(jensen, f"logsumexp({text}) >= mean + log n (Jensen)")
        for index in places:
            entry = algebra.form(z, index)
            yield Fact(add(lse, entry, -1), f"logsumexp({text}) >= {text}")
            if algebra.outcomes == 1:
                yield Fact(add(entry, lse, -1), f"logsumexp({text}) <= {text}, as n == 1")
            yield Fact(add(largest, entry, -1), f"max({text}) >= {text}")
            yield Fact(add(entry, smallest, -1), f"{text} >= min({text})")
        for name, a in distributions:
            mean = algebra.sum(multiply(algebra.form(a), algebra.form(z)))
            yield Fact(add(largest, mean, -1), f"max({text}) >= its mean under {name}")
            yield Fact(add(mean, smallest, -1), f"the mean of {text} under {name} >= min({text})")
    for node in nodes:
        if node.op == "sum" and algebra.is_positive_form(algebra.form(node.args[0])):
            for index in places:
                rest = add(algebra.form(node), algebra.form(node.args[0], index), -1)
                yield Fact(rest, f"one entry of {show(node.args[0])} is at most their sum")
        if node.op in ("log", "exp"):
            inner_form, outer = algebra.form(node.args[0]), algebra.form(node)
            text = show(node.args[0])
            if node.op == "exp":
                tangent = add(add(outer, inner_form, -1), number(1), -1)
                yield Fact(tangent, f"exp({text}) >= 1 + {text}")
            elif inner_form:
                if algebra.is_positive_form(inner_form) and len(inner_form) > 1:
                    for monomial, coefficient in inner_form.items():
                        part = algebra.log({monomial: coefficient})
                        yield Fact(add(outer, part, -1), f"log({text}) >= the log of each term")
                above = add(add(inner_form, number(1), -1), outer, -1)
                yield Fact(above, f"log({text}) <= {text} - 1")
                below = add(add(outer, number(1), -1), algebra.inverse(inner_form))
                yield Fact(below, f"log({text}) >= 1 - 1 / ({text})")
                weighted = multiply(inner_form, below)
                yield Fact(weighted, f"({text}) * log({text}) >= ({text}) - 1")
                if len(inner_form) == 1 and algebra.is_positive_form(inner_form):
                    # a log(a/b) >= a - b: the tangent times the numerator
                    (monomial,) = inner_form
                    top = tuple((atom, power) for atom, power in monomial if power > 0)
                    scaled = multiply({top: Fraction(1)}, below)
                    yield Fact(scaled, f"log({text}) >= 1 - 1 / ({text}), times the numerator")
        elif node.op == "max" and len(node.args) == 1 and node.args[0].op == "+":
            u, v = (algebra.form(Node("max", (arg,))) for arg in node.args[0].args)
            bound = add(add(u, v), algebra.form(node), -1)
            yield Fact(bound, f"{show(node)} is at most the sum of the two largest entries")


def visibly_nonnegative(forms: list[Form], algebra: Algebra) -> Iterator[Fact]:
    """Yields the monomials of forms that are >= 0 by their signs."""
    seen = set()
    for form in forms:
        for monomial in form:
            even = all(
                algebra.is_at_least_zero(atom) or exponent % 2 == 0 for atom, exponent in monomial
            )
            if even and monomial != ONE and monomial not in seen:
                seen.add(monomial)
                yield Fact({monomial: Fraction(1)}, "a product of terms >= 0")


def logs_of_primes(form: Form) -> Iterator[Fact]:
    """Yields log m >= 0 for the numbers m >= 2 whose logs occur."""
    for monomial in form:
        for atom, _ in monomial:
            if atom[0] == "log" and len(atom[1]) == 1 and atom[1][0][0] == ONE:
                yield Fact({((atom, Fraction(1)),): Fraction(1)}, "the log of a number >= 1")
