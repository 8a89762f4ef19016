"""Which names of a claim about distributions are distributions, scores, indices and scalars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.language import COMPARISONS, CONNECTIVES, Node, Statement, show

_VECTOR_FUNCTIONS = ("H", "KL", "softmax", "logsumexp", "nll", "sum", "dot", "max", "min")
_ALLOWED = {
    *_VECTOR_FUNCTIONS, *COMPARISONS, *CONNECTIVES,
    "log", "exp", "abs", "+", "-", "neg", "*", "/", "^", "number", "name", "index",
}  # fmt: skip
_DISTRIBUTIONS = {"p", "q", "r", "P", "Q", "R"}
_SCORES = {"z", "x", "u", "v", "w", "s", "logits", "scores"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """The names of a claim by what they stand for.

    Attributes:
        distributions: Vectors of n >= 1 numbers >= 0 with sum 1.
        scores: Vectors of n real numbers.
        indices: Places 0..n-1.
        scalars: Real numbers.
        positive: Scalars that are > 0 because their logarithm is taken.
        has_n: Whether `n` occurs, the number of outcomes.
    """

    distributions: frozenset[str]
    scores: frozenset[str]
    indices: frozenset[str]
    scalars: frozenset[str]
    positive: frozenset[str]
    has_n: bool

    def is_vector(self, node: Node) -> bool:
        """Returns whether a term has one value per outcome."""
        if node.op == "name":
            return node.value in self.distributions | self.scores
        if node.op in ("H", "KL", "logsumexp", "nll", "sum", "dot", "index"):
            return False
        if node.op in ("max", "min") and len(node.args) == 1:
            return False
        return any(map(self.is_vector, node.args))

    def describe(self) -> Iterator[str]:
        """Yields what the names stand for, one sentence per kind."""
        for names, says in (
            (self.distributions, "distributions on n >= 1 outcomes (>= 0, sum 1)"),
            (self.scores, "vectors of n >= 1 real numbers"),
            (self.indices, "places among the n outcomes"),
            (self.scalars - self.positive, "real numbers"),
            (self.positive, "real numbers > 0"),
        ):
            if names:
                yield f"{', '.join(sorted(names))}: {says}"


def find_kinds(statement: Statement) -> Kinds:
    """Returns what the names of a statement stand for, from their uses, else by convention.

    Raises:
        UsageError: An operation does not apply, or a name is used in two ways.
    """
    nodes = [node for part in (statement.goal, *statement.given) for node in walk(part)]
    for node in nodes:
        if node.op not in _ALLOWED:
            raise UsageError(
                f"{node.op} does not apply to distributions and scores", where=show(node),
                fix="use H, KL, softmax, logsumexp, nll, sum, dot, log, exp, max, min, +, -, *, /",
            )  # fmt: skip
    names = {str(node.value) for node in nodes if node.op == "name"}
    has_vectors = any(node.op in _VECTOR_FUNCTIONS for node in nodes) or names & _DISTRIBUTIONS
    inside = {
        str(inner.value)
        for node in nodes
        if node.op in ("sum", "dot", "H", "KL")
        for inner in walk(node)
        if inner.op == "name"
    }
    direct = _direct(nodes, ("H", "KL"), 2)
    bracketed = {
        str(inner.value)
        for node in nodes
        if node.op == "index"
        for arg in node.args[1:]
        for inner in walk(arg)
        if inner.op == "name"
    }
    targets = {
        str(node.args[1].value) for node in nodes if node.op == "nll" and node.args[1].op == "name"
    }
    distributions = {name for name in names if name[0] in _DISTRIBUTIONS} | direct
    distributions |= {name for name in targets & inside if name not in bracketed}
    indices = bracketed | (targets - distributions)
    scores = _direct(nodes, ("softmax", "logsumexp", "nll"), 1)
    if has_vectors:
        scores |= {name for name in names if name in _SCORES or name[0] in _SCORES}
        scores |= _direct(nodes, ("sum", "dot"), 2)
    scores -= distributions | indices
    if both := sorted(indices & distributions):
        raise UsageError(
            f"{both[0]} is used as an index and as a distribution", where=statement.text,
            fix="use two names",
        )  # fmt: skip
    has_n = bool("n" in names and has_vectors and "n" not in indices)
    scalars = names - distributions - scores - indices - ({"n"} if has_n else set())
    return Kinds(
        distributions=frozenset(distributions),
        scores=frozenset(scores),
        indices=frozenset(indices),
        scalars=frozenset(scalars),
        positive=frozenset(_direct(nodes, ("log",), 1) & scalars),
        has_n=has_n,
    )


def walk(node: Node) -> Iterator[Node]:
    """Yields a node and all below it."""
    yield node
    for arg in node.args:
        yield from walk(arg)


def _direct(nodes: list[Node], functions: tuple[str, ...], count: int) -> set[str]:
    """Returns the names that stand directly, or negated or scaled, as arguments of functions."""
    found = set()
    for node in nodes:
        if node.op in functions:
            for arg in node.args[:count]:
                inner = arg.args[0] if arg.op == "neg" else arg
                if inner.op == "name":
                    found.add(str(inner.value))
    return found
