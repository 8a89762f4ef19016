"""The provers against evaluation by definition, on terms made at random."""

import random
import re
from fractions import Fraction
from itertools import islice, product

import flint
import pytest

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.distribution_facts import strict_facts
from convcheck.proofs.claims.distribution_sorts import find_kinds, walk
from convcheck.proofs.claims.distribution_values import Point, Undefined, ball
from convcheck.proofs.claims.distributions import (
    algebra_for,
    has_several_outcomes,
    hypothesis_facts,
    known_inequalities,
)
from convcheck.proofs.claims.index_sums import Expansion, remainder
from convcheck.proofs.claims.integer_values import OutOfDomain, value_of
from convcheck.proofs.claims.language import Node, names_in, parse_claim, substitute
from convcheck.proofs.claims.log_algebra import Algebra
from convcheck.proofs.claims.sequence_sorts import find_sorts
from convcheck.proofs.claims.sequences import decide_sequences, places
from convcheck.proofs.claims.smt import Script, ask
from convcheck.proofs.claims.symbolic_factors import cancels, polynomials


def _sequence(rng, depth):
    if depth == 0:
        return rng.choice(["f", "g", "delta", "f", "g"])
    first = _sequence(rng, depth - 1)
    second = _sequence(rng, rng.randrange(depth))
    return rng.choice(
        [
            f"conv({first}, {second})", f"corr({first}, {second})", f"flip({first})",
            f"shift({first}, {rng.randint(-1, 1)})", f"shift({first}, n)", f"up({first}, 2)",
            f"down({first}, {rng.choice((2, 3))})", f"({first}) + ({second})",
            f"2*({first}) - ({second})", f"({first})*({second})", f"dot({first}, {second})*delta",
        ]
    )  # fmt: skip


def test_index_sums_agree_with_evaluation_both_ways():
    rng = random.Random(5)
    proved = refuted = 0
    for _ in range(100):
        left = _sequence(rng, rng.randint(1, 2))
        right = rng.choice([_sequence(rng, 2), f"flip(flip({left}))", f"conv({left}, delta)"])
        statement = parse_claim(f"{left} == {right}")
        sorts = find_sorts(statement)
        terms = Expansion(sorts, Deadline(5)).difference(*statement.goal.args)
        is_proved = not remainder(terms, any_group=False, deadline=Deadline(5))
        seen = [place.holds(statement.goal) for place in islice(places(sorts), 400)]
        if is_proved:
            proved += 1
            assert all(seen), statement.text
        else:
            refuted += 1
            # complete: what is not proved has a counterexample, and a small one
            assert type(decide_sequences(statement, Deadline(5))).__name__ == "Refuted"
    assert proved > 25 and refuted > 25


def test_proofs_for_all_factors_agree_with_each_factor():
    rng = random.Random(6)
    proved = 0
    for _ in range(300):
        sides = []
        for _ in range(2):
            text = rng.choice(["f", "conv(f, g)", "up(f, a)"])
            for _ in range(rng.randint(1, 3)):
                text = rng.choice(
                    [f"up({text}, a)", f"down({text}, a)", f"up({text}, b)", f"down({text}, b)",
                     f"shift({text}, a*n)", f"flip({text})", f"shift({text}, n)"]
                )  # fmt: skip
            sides.append(text)
        statement = parse_claim(f"{sides[0]} == {sides[1]} given f == f")
        sorts = find_sorts(statement)
        factors = polynomials(sorts.factors)
        if not factors:
            continue
        try:
            terms = Expansion(sorts, Deadline(5), factors).difference(*statement.goal.args)
            if not cancels(terms, factors, Deadline(5)):
                continue
        except Undecided:
            continue
        proved += 1
        for a, b in product((1, 2, 3, 4, 6), repeat=2):
            values = {"a": Node("number", (), Fraction(a)), "b": Node("number", (), Fraction(b))}
            goal = substitute(statement.goal, values)
            terms = Expansion(sorts, Deadline(5)).difference(*goal.args)
            assert not remainder(terms, any_group=False, deadline=Deadline(5)), statement.text
    assert proved >= 5


def _integer(rng, depth):
    if depth == 0:
        return rng.choice(["W", "k", "s", "n", str(rng.randint(0, 4)), "W"])
    a, b, c = (_integer(rng, rng.randrange(depth)) for _ in range(3))
    return rng.choice(
        [
            f"({a} + {b})", f"({a} - {b})", f"({a}*{b})", f"-({a})", f"({a})//({b})",
            f"({a}) % ({b})", f"floor(({a})/({b}))", f"ceil(({a})/({b}))", f"min({a}, {b})",
            f"max({a}, {b}, {c})", f"abs({a})", f"({a})/({b})", f"count({a}, {b}, {c})",
            f"({a}) % -3", f"({a})//-2", f"({a})^2",
        ]
    )  # fmt: skip


def test_the_solver_is_told_what_the_formulas_mean():
    rng = random.Random(7)
    parts: list[str] = []
    given: list[str] = []
    while len(parts) < 24:
        text = _integer(rng, rng.randint(1, 3))
        values = {"W": rng.randint(1, 9), "k": rng.randint(1, 4), "s": rng.randint(1, 3)}
        values["n"] = rng.randint(-5, 5)
        try:
            value = value_of(parse_claim(f"{text} == 0").goal.args[0], values)
        except (OutOfDomain, UsageError):
            continue
        for name, number in values.items():
            own = f"{name}{len(parts)}"
            text = re.sub(rf"\b{name}\b", own, text)
            given.append(f"{own} == {number}")
        parts.append(f"{text} == {value.numerator}/{value.denominator}")
    for start in range(0, len(parts), 4):
        here = ", ".join(given[4 * start : 4 * start + 16])
        statement = parse_claim(" and ".join(parts[start : start + 4]) + " given " + here)
        names = sorted(set().union(*map(names_in, (statement.goal, *statement.given))))
        for euclid in (False, True):
            right = Script(euclid).text(names, list(statement.given), statement.goal)
            wrong = Script(euclid).text(
                names, list(statement.given), parse_claim(f"{parts[start]} + 1").goal
            )
            assert ask([(3, right)], 5).result == "unsat", statement.text
            assert ask([(3, wrong)], 5).result == "sat", statement.text


STATEMENTS_WITH_LOGS = [
    "KL(p, q) - H(p, softmax(z)) >= log(p*q^2/3)",
    "nll(z, y) + nll(2*z - c, p) == logsumexp(z + c)*exp(-c)",
    "log(softmax(z - max(z))/6) == sum(p*log(q/(p + q)))/n",
    "softmax(log(p) + z) <= exp(2*log(q) - log(3))/(1 + exp(c))",
    "H((p + q)/2) == 1/(1 + exp(-c)) + max(3*z + c) - min(z)",
    "max(z + log(q)) <= log(1 + exp(c)) + sum(p*q)*c*log(2)",
    "sum((p - 1/n)^2) == exp(logsumexp(2*z + log(p)))*log(exp(c)*5)",
]


def _of_form(form, point, place):
    """Returns the value of a form at a point, by the meaning of its atoms."""
    total = ball(0)
    for monomial, coefficient in form.items():
        product_ = ball(coefficient)
        for atom, exponent in monomial:
            value = ball(_of_atom(atom, point, place))
            if exponent.denominator == 1:
                power = value ** int(exponent)
            else:
                power = (value.log() * ball(exponent)).exp()
            product_ = product_ * power
        total = total + product_
    return total


def _of_atom(atom, point, place):
    kind = atom[0]
    if kind == "value":
        index = place if atom[2] == "" else int(atom[2]) if atom[2].isdigit() else None
        return point.values[atom[1]][int(point.values[atom[2]]) if index is None else index]
    if kind == "scalar":
        return point.values[atom[1]]
    if kind == "n":
        return point.n
    if kind == "sum":
        inner = {atom[1]: Fraction(1)}
        return sum((_of_form(inner, point, i) for i in range(point.n)), ball(0))
    if kind == "max":
        entries = [_of_form(dict(atom[1]), point, i) for i in range(point.n)]
        largest = entries[0]
        for entry in entries[1:]:
            largest = largest.max(entry)
        return largest
    if kind == "exp":
        return _of_form({atom[1]: Fraction(1)}, point, place).exp()
    inner = _of_form(dict(atom[1]), point, place)
    return {"log": inner.log, "abs": inner.__abs__, "inverse": lambda: 1 / inner}[kind]()


def _points(kinds, count):
    rng = random.Random(8)
    for _ in range(count):
        n = rng.randint(1, 3)
        values = {}
        for name in kinds.distributions:
            weights = [rng.randint(1, 6) for _ in range(n)]
            values[name] = [Fraction(weight, sum(weights)) for weight in weights]
        for name in kinds.scores:
            values[name] = [Fraction(rng.randint(-6, 6), 2) for _ in range(n)]
        for name in kinds.indices:
            values[name] = Fraction(rng.randrange(n))
        for name in kinds.scalars:
            values[name] = Fraction(rng.randint(1, 6), 2)
        yield Point(kinds, values, n)


@pytest.mark.parametrize("text", STATEMENTS_WITH_LOGS)
def test_normal_forms_have_the_value_of_their_terms(text):
    statement = parse_claim(text)
    kinds = find_kinds(statement)
    algebra = Algebra(kinds, Deadline(5), kinds.positive)
    compared = 0
    with flint.ctx.workprec(120):
        for point in _points(kinds, 12):
            for side in statement.goal.args:
                form = algebra.form(side)
                for place, value in enumerate(point.spread(point.value(side))):
                    assert _of_form(form, point, place).overlaps(ball(value)), (text, point)
                    compared += 1
    assert compared >= 24


STATEMENTS_WITH_HYPOTHESES = [
    "KL(p, (p+q)/2) <= KL(q, (p+r)/2)", "KL((p+r)/2, (q+r)/2) <= sum(abs(p-q))^2",
    "H(p, a*q+(1-a)*r) < H(a*p+(1-a)*q) given a >= 0, a <= 1", "KL(p,q) <= max(p/q) given a <= 1",
    "sum(p^2/q)^2 <= dot(p,q)", "max(abs(z)) <= sum(abs(u-z)) + max(a*z) given a >= 0",
    "H(p) < sum(abs(p-q)) given n == 2", "logsumexp(z) < sum(exp(u)) given n >= 2, z < u",
    "nll(z, y) < 1 given n == 1", "log(a/b) < logsumexp(u) given z <= u, a > 0, b > 0",
    "KL(p, q) < max(softmax(2*z)) given p != q", "softmax(z)[i] <= 1 given z[i] >= z[j], p >= q",
    "sum(log(p)) < n*log(n) given z <= u, n > 1", "min(p) < max(p*q) given not p == q, n <= 2",
]  # fmt: skip


@pytest.mark.parametrize("text", [*STATEMENTS_WITH_LOGS, *STATEMENTS_WITH_HYPOTHESES])
def test_every_known_inequality_holds(text):
    statement = parse_claim(text)
    given = list(statement.given)
    algebra = algebra_for(given, find_kinds(statement), Deadline(20))
    known = list(hypothesis_facts(given, algebra))
    nodes = list(walk(statement.goal))
    facts = known_inequalities(nodes, algebra, known)
    strict = list(strict_facts(nodes, given, algebra, several=has_several_outcomes(given)))
    checked = 0
    with flint.ctx.workprec(120):
        for point in _points(algebra.kinds, 40):
            if not all(point.holds(node) for node in given):
                continue
            for fact, is_strict in [*((f, False) for f in facts), *((f, True) for f in strict)]:
                for place in range(point.n):
                    value = _of_form(fact.form, point, place)
                    assert not value < 0, (fact.why, point)
                    # a value of 0 is a ball around 0, and a value > 0 is none at this precision
                    assert value > 0 or not is_strict, (fact.why, point)
                    checked += 1
            if checked > 700:
                break
    assert checked > 100


def test_a_wrong_inequality_would_be_seen():
    # the control of the test above: the negative of Gibbs' inequality is found to be below 0
    kinds = find_kinds(parse_claim("KL(p, q) >= 0"))
    algebra = Algebra(kinds, Deadline(5), kinds.positive)
    form = algebra.form(parse_claim("-KL(p, q) >= 0").goal.args[0])
    with flint.ctx.workprec(120):
        assert any(_of_form(form, point, 0) < 0 for point in _points(kinds, 10))


def test_points_without_a_value_are_no_counterexamples():
    kinds = find_kinds(parse_claim("log(p) <= 0"))
    point = Point(kinds, {"p": [Fraction(0), Fraction(1)]}, 2)
    with pytest.raises(Undefined):
        point.holds(parse_claim("log(p) <= 0").goal)
