"""Claims about integers: refuted by the smallest values found, proved by Z3 or a certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.budget import CONTRADICTION, NOTHING_FOUND, Deadline, Undecided
from convcheck.proofs.claims.derivations import is_derived
from convcheck.proofs.claims.integer_values import (
    FUNCTIONS,
    OPERATORS,
    Number,
    OutOfDomain,
    compile_formula,
    default_hypotheses,
    least_value,
    value_of,
)
from convcheck.proofs.claims.language import (
    COMPARISONS,
    CONNECTIVES,
    FALSE,
    Node,
    Statement,
    conjuncts,
    names_in,
    operators_in,
    show,
)
from convcheck.proofs.claims.residues import decide_residues
from convcheck.proofs.claims.search import Candidates, by_size
from convcheck.proofs.claims.smt import Answer, Script, ask, unquoted
from convcheck.proofs.verdicts import Decision, Open, Proved, Refuted

DEFINITIONS = {
    "count": "count(W, k, s, p, d) is the number of i >= 0 with i*s + d*(k-1) + 1 <= W + 2*p",
    "//": "a // b is floor(a / b), and a % b is a - b*(a // b)",
}
DERIVED = "a combination of the hypotheses and of a // b's bounds, which the kernel accepts"
FIRST_SEARCH_SECONDS = 0.12
SEARCH_SECONDS = 0.8
MAX_SIZE = 40
MAX_VALUES = 60_000


def decide_integers(statement: Statement, deadline: Deadline) -> Decision:
    """Returns the decision on a claim about integers.

    Raises:
        UsageError: The claim uses an operation that is not about integers.
    """
    formulas = (statement.goal, *statement.given)
    used = set[str]().union(*map(operators_in, formulas))
    allowed = {*OPERATORS, *FUNCTIONS, *COMPARISONS, *CONNECTIVES}
    if strange := sorted(used - allowed):
        raise UsageError(
            f"{strange[0]} does not apply to integers", where=statement.text,
            fix="use +, -, *, /, //, %, ^, floor, ceil, min, max, abs, count",
        )  # fmt: skip
    names = sorted(set[str]().union(*map(names_in, formulas)))
    defaults = default_hypotheses(statement, names)
    claim = Claim(statement, names, [*defaults, *statement.given])
    name = statement.text
    witness = claim.search(deadline.part(FIRST_SEARCH_SECONDS))
    if witness is not None:
        return claim.refuted(witness)
    how = f"Z3, in a process of its own: no integers make it false; and none of the {claim.tried} "
    how += "smallest do"
    reason = ""
    positive: list[str] = []
    try:
        residues = decide_residues(statement.goal, claim.assumed, names, deadline)
        if residues:
            answer, how = Answer("unsat"), residues
        elif claim.is_satisfiable and is_derived(statement):
            answer, how = Answer("unsat"), DERIVED
        else:
            answer, positive = claim.solve(deadline, statement.goal)
            reason = f"Z3 answered {answer.result} {answer.reason}".strip()
    except Undecided as undecided:
        answer, reason = Answer("unknown"), str(undecided)
    if answer.result == "unsat" and not claim.is_satisfiable:
        if is_derived(replace(statement, goal=FALSE)):
            return Open(name=name, statement=name, reason=CONTRADICTION)
        # a model of the hypotheses, which may be far from 0
        model, _ = claim.solve(deadline, FALSE)
        reason = CONTRADICTION if model.result == "unsat" else NOTHING_FOUND
        claim.is_false_at(claim.point(model))
    if answer.result == "unsat" and claim.is_satisfiable:
        stated = [show(node) for node in claim.assumed]
        stated += [f"{t} >= 1" for t in positive if f"{t} >= 1" not in stated and not t.isdigit()]
        unproved = [says for op, says in DEFINITIONS.items() if op in used]
        return Proved(
            name=name,
            statement=name,
            hypotheses=tuple(stated),
            obligations=tuple(map(show, statement.given)),
            checks=(how, *unproved),
        )
    if answer.result == "sat":
        point = claim.point(answer)
        if claim.is_false_at(point):
            smaller = claim.search(deadline.part(SEARCH_SECONDS))
            return claim.refuted(point if smaller is None else smaller)
        listed = ", ".join(f"{key} = {value}" for key, value in zip(names, point, strict=True))
        reason = f"at {listed} an argument of count is not an integer"
    elif answer.result == "unknown":
        witness = claim.search(deadline.part(SEARCH_SECONDS))
        if witness is not None:
            return claim.refuted(witness)
    return Open(name=name, statement=name, reason=reason)


class Claim:
    """A claim about integers with its hypotheses, compiled to be evaluated."""

    def __init__(self, statement: Statement, names: list[str], assumed: list[Node]) -> None:
        self.statement, self.names, self.assumed = statement, names, assumed
        self.goal: Callable[..., bool] = compile_formula(statement.goal, names)
        self.given = [compile_formula(node, names) for node in assumed]
        self.tried = 0
        self.is_satisfiable = False
        for node in (statement.goal, *assumed):
            _check_literals(node)

    def is_false_at(self, values: tuple[int, ...]) -> bool:
        """Returns whether the hypotheses hold and the goal does not."""
        try:
            holds = self.goal(*values)
            assumed = all(given(*values) for given in self.given)
        except OutOfDomain:
            return False
        self.is_satisfiable |= assumed
        return assumed and not holds

    def search(self, deadline: Deadline) -> tuple[int, ...] | None:
        """Returns the smallest values at which the claim is false, or None."""
        axes: list[Candidates] = []
        for name in self.names:
            least = least_value(name)
            if least is None:
                axes.append([(abs(n), n) for n in sorted(range(-12, 25), key=abs)])
            else:
                axes.append([(n - least, n) for n in range(least, least + MAX_SIZE)])
        self.tried = 0
        for values in by_size(axes, MAX_SIZE):
            self.tried += 1
            if self.is_false_at(values):
                return values
            if not deadline.left or self.tried >= MAX_VALUES:
                break
        return None

    def solve(self, deadline: Deadline, goal: Node) -> tuple[Answer, list[str]]:
        """Returns what Z3 says, and the terms that were asserted to be at least 1."""
        scripts: list[tuple[float, str]] = []
        positive: dict[str, str] = {}
        for euclid in (False, True):
            script = Script(euclid)
            text = script.text(self.names, self.assumed, goal)
            positive.update(script.positive)
            scripts.append((max(0.1, min(0.8 + euclid, deadline.left / 2 - 0.3)), text))
        return ask(scripts, max(0.5, deadline.left)), list(positive)

    def point(self, answer: Answer) -> tuple[int, ...]:
        """Returns the values of the names in a model, 0 where it leaves them open."""
        values = {unquoted(key): value for key, value in answer.values.items()}
        return tuple(values.get(name, 0) for name in self.names)

    def refuted(self, values: tuple[int, ...]) -> Refuted:
        """Returns the refutation that a counterexample gives."""
        point = dict(zip(self.names, values, strict=True))
        shows = "the formula is false there"
        for part in conjuncts(self.statement.goal):
            if part.op in COMPARISONS and not compile_formula(part, self.names)(*values):
                sides = [f"{show(arg)} = {_shown(value_of(arg, point))}" for arg in part.args]
                shows = ", ".join(sides)
                break
        name = self.statement.text
        return Refuted(name=name, statement=name, witness=point, shows=shows)


def _shown(value: Number) -> str:
    return str(value)


def _check_literals(node: Node) -> None:
    if node.op == "index" or node.op == "tuple":
        raise UsageError(f"{show(node)!r} is not an integer", fix="use names and numbers")
    for arg in node.args:
        _check_literals(arg)
