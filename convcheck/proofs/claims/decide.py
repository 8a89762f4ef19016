"""`claim`: which family a statement belongs to, and its decision within a time budget."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.language import Node, Statement, names_in, operators_in, parse_claim
from convcheck.proofs.verdicts import Decision, Open

_SEQUENCES = {"conv", "corr", "flip", "shift", "up", "down", "delta"}
_INTEGERS = {"count", "floor", "ceil", "//", "%"}
_DISTRIBUTIONS = {"H", "KL", "softmax", "logsumexp", "nll", "log", "exp"}


def claim(text: str, seconds: float = 5.0) -> Decision:
    """Returns the decision on a statement: `Proved`, `Refuted` or `Open`.

    Proved carries the hypotheses and how it was decided; Refuted carries the smallest
    counterexample that was found; Open says why nothing was decided.

    Args:
        text: A statement of the claims language, such as `conv(f, g) == conv(g, f)`,
            `ceil(W/s) == (W + s - 1)//s` or `KL(p, q) >= 0`.
        seconds: Wall time that the decision may take.

    Raises:
        UsageError: The text is no statement of the language.
    """
    statement = parse_claim(text)
    deadline = Deadline(seconds)
    try:
        return _decider(family(statement))(statement, deadline)
    except (Undecided, RecursionError) as stopped:
        reason = str(stopped) if isinstance(stopped, Undecided) else "its terms nest too deep"
        return Open(name=statement.text, statement=statement.text, reason=reason)


def family(statement: Statement) -> str:
    """Returns "sequences", "integers" or "distributions", by the operations that occur.

    Raises:
        UsageError: Operations of two families occur together.
    """
    formulas = (statement.goal, *statement.given)
    used = set[str]().union(*map(operators_in, formulas))
    names = set[str]().union(*map(names_in, formulas))
    if "delta" in names or statement.domain:
        used.add("delta")
    present = [
        (name, sorted(used & operations))
        for name, operations in (
            ("sequences", _SEQUENCES), ("integers", _INTEGERS), ("distributions", _DISTRIBUTIONS)
        )
        if used & operations
    ]  # fmt: skip
    if len(present) > 1:
        (first, a), (second, b) = present[:2]
        raise UsageError(
            f"{a[0]} is about {first} and {b[0]} is about {second}", where=statement.text,
            fix="state two claims",
        )  # fmt: skip
    if present:
        return present[0][0]
    letters = {name[0] for name in names}
    if _takes_entries(formulas):
        return "distributions"
    if used & {"sum", "dot"} and not letters & set("fgh") and any(map(_counts, formulas)):
        return "distributions"
    if used & {"sum", "dot", "index"}:
        # sums of p, q, r are about distributions, of other names about sequences
        return "distributions" if letters & set("pqr") and not letters & set("fgh") else "sequences"
    if letters & set("qr") and letters <= set("pqrcnt"):
        return "distributions"
    if names == {"p"}:
        raise UsageError(
            "p may be a padding or a distribution", where=statement.text,
            fix="write q for a distribution, or state the claim with W, k, s or d",
        )  # fmt: skip
    return "sequences" if letters & set("fgh") else "integers"


def _counts(node: Node) -> bool:
    """Returns whether n occurs outside of an index: the number of outcomes."""
    if node.op == "index":
        return _counts(node.args[0])
    return node == Node("name", (), "n") or any(map(_counts, node.args))


def _takes_entries(formulas: tuple[Node, ...]) -> bool:
    """Returns whether a largest or smallest entry is taken: max(z), of one argument."""
    if any(node.op in ("max", "min") and len(node.args) == 1 for node in formulas):
        return True
    return any(_takes_entries(node.args) for node in formulas)


def _decider(name: str) -> Callable[[Statement, Deadline], Decision]:
    # imported here, so that a claim about integers does not load python-flint
    module = import_module(f"convcheck.proofs.claims.{name}")
    decider: Callable[[Statement, Deadline], Decision] = getattr(module, f"decide_{name}")
    return decider
