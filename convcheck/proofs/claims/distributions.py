"""Claims about distributions and scores: refuted by balls, proved by known inequalities."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convcheck.proofs.claims.budget import CONTRADICTION, NOTHING_FOUND, Deadline, Undecided
from convcheck.proofs.claims.distribution_facts import (
    Fact,
    facts_for,
    find_distributions,
    logs_of_primes,
    strict_facts,
    visibly_nonnegative,
)
from convcheck.proofs.claims.distribution_mixtures import about_mixtures
from convcheck.proofs.claims.distribution_search import search, search_far
from convcheck.proofs.claims.distribution_sorts import Kinds, find_kinds, walk
from convcheck.proofs.claims.distribution_squares import about_squares
from convcheck.proofs.claims.language import (
    FALSE,
    Node,
    Statement,
    goals,
    names_at_least_zero,
    names_in,
    show,
    substitute,
)
from convcheck.proofs.claims.linear import nonnegative_combination
from convcheck.proofs.claims.log_algebra import (
    ONE,
    Algebra,
    Form,
    add,
    cleared,
    number,
    split_common,
)
from convcheck.proofs.verdicts import Decision, Open, Proved, Refuted

SEARCH_SECONDS = 0.25
FAR_SECONDS = 0.6
DEFINITIONS = {
    "H": "H(p) = -sum(p * log(p)), H(p, q) = -sum(p * log(q)), with 0 log 0 = 0",
    "KL": "KL(p, q) = sum(p * log(p / q)), with 0 log 0 = 0 and p = 0 wherever q = 0",
    "softmax": "softmax(z) = exp(z) / sum(exp(z))",
    "logsumexp": "logsumexp(z) = log(sum(exp(z)))",
    "nll": "nll(z, y) = -log(softmax(z)[y]), or its mean where y is a distribution",
}


def decide_distributions(statement: Statement, deadline: Deadline) -> Decision:
    """Returns the decision on a claim about distributions and scores.

    Raises:
        UsageError: The claim uses an operation that is not about them.
    """
    kinds = find_kinds(statement)
    name = statement.text
    found, satisfied = search(statement, kinds, deadline.part(SEARCH_SECONDS))
    if found is not None:
        return Refuted(name=name, statement=name, witness=found[0], shows=found[1])
    if not satisfied:
        reason = CONTRADICTION if is_contradiction(statement, kinds, deadline) else NOTHING_FOUND
        return Open(name=name, statement=name, reason=reason)
    try:
        reasons = prove(statement, kinds, deadline)
    except Undecided as undecided:
        far = search_far(statement, kinds, deadline.part(FAR_SECONDS))
        if far is not None:
            return Refuted(name=name, statement=name, witness=far[0], shows=far[1])
        return Open(name=name, statement=name, reason=str(undecided))
    used = {node.op for part in (statement.goal, *statement.given) for node in walk(part)}
    stated = [*kinds.describe(), *map(show, statement.given)]
    if "/" in used:
        stated.append("no divisor is 0")
    if "log" in used:
        stated.append("logarithms are taken of positive numbers")
    definitions = [says for op, says in DEFINITIONS.items() if op in used]
    return Proved(
        name=name,
        statement=name,
        hypotheses=tuple(stated),
        obligations=tuple(map(show, statement.given)),
        checks=(*reasons, *definitions),
    )


def prove(statement: Statement, kinds: Kinds, deadline: Deadline) -> list[str]:
    """Returns why each part of the goal holds.

    Raises:
        Undecided: The forms differ, or no combination of known inequalities is found.
    """
    return [
        prove_goal(part, list(given), kinds, deadline)
        for given, goal in goals(statement)
        for part in without_extremes(goal)
    ]


def is_contradiction(statement: Statement, kinds: Kinds, deadline: Deadline) -> bool:
    """Returns whether 1 <= 0 is proved under the hypotheses."""
    try:
        return bool(prove_goal(FALSE, list(statement.given), kinds, deadline))
    except Undecided:
        return False


def without_extremes(goal: Node) -> list[Node]:
    """Returns what a bound by several terms says: x >= max(a, b) is x >= a and x >= b."""
    for place, op in ((0, "min"), (1, "max")):
        bound, other = goal.args[place], goal.args[1 - place]
        if goal.op in ("<=", "<"):
            op = {"min": "max", "max": "min"}[op]
        if goal.op not in ("==", "!=") and bound.op == op and len(bound.args) > 1:
            sides = [(arg, other) if place == 0 else (other, arg) for arg in bound.args]
            return [Node(goal.op, side) for side in sides]
    return [goal]


def prove_goal(goal: Node, given: list[Node], kinds: Kinds, deadline: Deadline) -> str:
    """Returns why one comparison holds under its hypotheses."""
    solved: dict[str, Node] = {}
    plain = Algebra(kinds, deadline, kinds.positive)
    for hypothesis in given:
        hypothesis = equality_of_gibbs(hypothesis, plain) or hypothesis
        left, right = hypothesis.args[0], hypothesis.args[-1]
        is_count = kinds.has_n and left == Node("name", (), "n")
        is_name = hypothesis.op == "==" and left.op == "name" and not is_count
        if is_name and str(left.value) not in names_in(right):
            replaced = substitute(right, solved)
            if str(left.value) not in solved and str(left.value) not in names_in(replaced):
                one = {str(left.value): replaced}
                solved = {key: substitute(node, one) for key, node in solved.items()} | one
    goal = substitute(goal, solved)
    given = [substitute(hypothesis, solved) for hypothesis in given]
    algebra = algebra_for(given, kinds, deadline)
    known = list(hypothesis_facts(given, algebra))
    return prove_part(goal, given, known, algebra, deadline)


def algebra_for(given: list[Node], kinds: Kinds, deadline: Deadline) -> Algebra:
    """Returns the algebra that knows which scalars are > 0 or >= 0, and how many outcomes."""
    positive = kinds.positive | {
        str(node.args[0].value)
        for node in given
        if node.op == ">" and node.args[0].op == "name" and node.args[1].op == "number"
        and Fraction(node.args[1].value) >= 0
    }  # fmt: skip
    nonnegative = positive | set(names_at_least_zero(given))
    return Algebra(
        kinds,
        deadline,
        frozenset(positive & kinds.scalars),
        frozenset(nonnegative & kinds.scalars),
        outcomes_of(given) if kinds.has_n else None,
    )


def outcomes_of(given: list[Node]) -> int | None:
    """Returns the number of outcomes that a hypothesis n == 2 says, or None."""
    for node in given:
        for left, right in (node.args, node.args[::-1]) if node.op == "==" else ():
            if left == Node("name", (), "n") and right.op == "number":
                count = Fraction(right.value)
                return int(count) if count.denominator == 1 and count > 0 else None
    return None


def has_several_outcomes(given: list[Node]) -> bool:
    """Returns whether a hypothesis says that n >= 2."""
    for node in given:
        for op, left, right in (
            (node.op, node.args[0], node.args[-1]),
            ({"<=": ">=", "<": ">"}.get(node.op, node.op), node.args[-1], node.args[0]),
        ):
            if left == Node("name", (), "n") and right.op == "number":
                least = Fraction(right.value)
                if op in ("==", ">=") and least >= 2 or op == ">" and least >= 1:
                    return True
    return False


def equality_of_gibbs(hypothesis: Node, algebra: Algebra) -> Node | None:
    """Returns p == q for a hypothesis that says KL(p, q) == 0 or KL(p, q) <= 0."""
    if hypothesis.op not in ("==", "<=", ">="):
        return None
    difference = add(algebra.form(hypothesis.args[0]), algebra.form(hypothesis.args[1]), -1)
    signs = {"==": (1, -1), "<=": (1,), ">=": (-1,)}[hypothesis.op]
    named = find_distributions(list(walk(hypothesis)), algebra, [])
    for _, a in named:
        for _, b in named:
            divergence = algebra.form(Node("KL", (a, b)))
            if a != b and any(divergence == add({}, difference, sign) for sign in signs):
                return Node("==", (a, b) if a.op == "name" else (b, a))
    return None


def hypothesis_facts(given: list[Node], algebra: Algebra) -> Iterator[Fact]:
    """Yields the hypotheses as forms >= 0."""
    for node in given:
        if node.op not in ("==", "<=", "<", ">=", ">"):
            continue
        orders = [node.args, node.args[::-1]]
        if node.op != "==":
            orders = orders[:1] if node.op in (">=", ">") else orders[1:]
        for upper, lower in orders:
            try:
                high, low = algebra.form(upper), algebra.form(lower)
                yield Fact(add(high, low, -1), show(node))
                if algebra.is_positive_form(high) and algebra.is_positive_form(low):
                    raised = add(algebra.log(high), algebra.log(low), -1)
                    yield Fact(raised, f"log of {show(node)}")
                raised = add(algebra.exp(high), algebra.exp(low), -1)
                yield Fact(raised, f"exp of {show(node)}")
            except Undecided:
                continue


def prove_part(
    goal: Node, given: list[Node], known: list[Fact], algebra: Algebra, deadline: Deadline
) -> str:
    """Returns why one comparison holds."""
    if goal.op not in ("==", "<=", "<", ">=", ">"):
        raise Undecided(f"a statement with {goal.op} is only searched for counterexamples")
    difference = add(algebra.form(goal.args[0]), algebra.form(goal.args[1]), -1)
    equal = not difference or not cleared(difference)
    if equal and goal.op in ("==", "<=", ">="):
        return "decided by normal form: both sides are one polynomial in logs, exps and sums"
    if goal.op == "==" and not known:
        raise Undecided("the normal forms of the two sides differ, and no counterexample is small")
    nodes = [node for part in (goal, *given) for node in walk(part)]
    facts = known_inequalities(nodes, algebra, known)
    strict: list[Fact] = []
    if goal.op in ("<", ">"):
        several = has_several_outcomes(given)
        strict = list(strict_facts(nodes, given, algebra, several=several))
    directions = {"==": (1, -1), ">=": (1,), ">": (1,), "<=": (-1,), "<": (-1,)}[goal.op]
    used: dict[str, None] = {}
    for sign in directions:
        target = add({}, difference, sign)
        certain = strict if goal.op in ("<", ">") else None
        combined = combine(target, facts, algebra, deadline, certain)
        for monotone in (combine_logarithms, combine_exponentials):
            combined = combined or monotone(goal, facts, algebra, deadline, certain)
        if combined is None:
            raise Undecided("no combination of the known inequalities gives it")
        used.update(dict.fromkeys(combined))
    return "a combination, with exact weights >= 0, of: " + "; ".join(used)


def known_inequalities(nodes: list[Node], algebra: Algebra, known: list[Fact]) -> list[Fact]:
    """Returns all facts about the terms of a claim whose hypotheses say `known`."""
    distributions = find_distributions(nodes, algebra, known)
    return [
        *facts_for(nodes, algebra, known),
        *about_mixtures(distributions, algebra, known),
        *about_squares(nodes, distributions, algebra),
    ]


def combine(
    target: Form,
    facts: list[Fact],
    algebra: Algebra,
    deadline: Deadline,
    strict: list[Fact] | None,
) -> list[str] | None:
    """Returns why target >= 0, as the facts that add up to it.

    Where `strict` is a list, why target > 0: one of what is certainly > 0 is taken off first.
    """
    # a common factor that is > 0 does not change the sign
    common, rest = split_common(target) if target else (ONE, target)
    starts = [(target, "")]
    if common != ONE and all(algebra.is_positive(atom) for atom, _ in common):
        starts.append((rest, ""))
    if strict is not None:
        if not _is_strict(common):
            starts = starts[:1]
        certain = [Fact({m: c}, "") for m, c in target.items() if c > 0 and _is_strict(m)] + [
            Fact(number(1), ""),
            *strict,
        ]
        starts = [(add(start, fact.form, -1), fact.why) for start, _ in starts for fact in certain]
    forms = [*(start for start, _ in starts), *(fact.form for fact in facts)]
    extra = [*visibly_nonnegative(forms, algebra)]
    extra += [fact for form in forms for fact in logs_of_primes(form)]
    candidates = [*facts, *extra]
    for start, why in starts:
        found = nonnegative_combination(start, [fact.form for fact in candidates], deadline)
        if found is not None:
            reasons = [why] * bool(why) + [candidates[place].why for place in sorted(found)]
            return reasons or ["0 >= 0"]
    return None


def combine_logarithms(
    goal: Node,
    facts: list[Fact],
    algebra: Algebra,
    deadline: Deadline,
    strict: list[Fact] | None,
) -> list[str] | None:
    """Returns why one positive side is at most the other, by comparing their logarithms."""
    upper, lower = map(algebra.form, goal.args if goal.op in (">=", ">") else goal.args[::-1])
    if goal.op == "==" or not all(map(algebra.is_positive_form, (upper, lower))):
        return None
    target = add(algebra.log(upper), algebra.log(lower), -1)
    combined = combine(target, facts, algebra, deadline, strict)
    return None if combined is None else ["log is increasing", *combined]


def combine_exponentials(
    goal: Node,
    facts: list[Fact],
    algebra: Algebra,
    deadline: Deadline,
    strict: list[Fact] | None,
) -> list[str] | None:
    """Returns why one side is at most the other, by comparing their exponentials."""
    if goal.op == "==" or not any(node.op in ("log", "logsumexp", "nll") for node in walk(goal)):
        return None
    upper, lower = goal.args if goal.op in (">=", ">") else goal.args[::-1]
    try:
        high, low = (algebra.exp(algebra.form(side)) for side in (upper, lower))
    except Undecided:
        return None
    combined = combine(add(high, low, -1), facts, algebra, deadline, strict)
    return None if combined is None else ["exp is increasing", *combined]


def _is_strict(monomial: tuple) -> bool:
    return all(
        atom[0] in ("exp", "n")
        or (atom[0] == "log" and len(atom[1]) == 1 and atom[1][0][0] == ONE)
        or (atom[0] == "sum" and all(inner[0] == "exp" for inner, _ in atom[1]))
        or (atom[0] == "inverse" and all(c > 0 and _is_strict(m) for m, c in atom[1]))
        for atom, _ in monomial
    )
