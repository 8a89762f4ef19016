"""Z3's opinion on the theorems about integers, from a process that is killed when it takes long.

Every divisor is asserted to be >= 1, because Z3 divides by 0 to anything; a statement is asked as
its negation. `unsat` agrees with the theorem, `sat` contradicts it, `unknown` says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from convcheck.proofs.asking import answer, ask
from convcheck.proofs.terms import Tree, declare, parse, walk
from convcheck.proofs.theorem import Theorem

Answer = Literal["agrees", "contradicts", "unknown"]
_ANSWERS: dict[str, Answer] = {"unsat": "agrees", "sat": "contradicts"}


def ask_z3(theorems: Sequence[Theorem], *, seconds: float = 30) -> dict[str, Answer]:
    """Returns Z3's answer per theorem of integers; `unknown` for all that time did not allow.

    Args:
        theorems: Those with another kind of proof than `nonnegative` are left out.
        seconds: When the process is killed.
    """
    asked = [theorem for theorem in theorems if "nonnegative" in theorem.proof]
    said = ask("convcheck.proofs.smt", asked, seconds=seconds)
    return {t.name: _ANSWERS.get(said.get(t.name, ""), "unknown") for t in asked}


def _decide(fields: Mapping[str, Any]) -> str:
    """Returns what Z3 says of the negated statement under its hypotheses."""
    import z3

    solver = z3.SolverFor("QF_NIA")
    solver.set("timeout", 1500)
    letters = {name: z3.Int(name) for name in declare(fields["vars"])}
    statement, hypotheses = parse(fields["statement"]), [parse(text) for text in fields["hyps"]]
    counting = statement[2][0] == "count"
    if counting:
        letters[statement[2][1][0]] = z3.Int(statement[2][1][0])
    solver.add(*(_translate(tree, letters) for tree in hypotheses))
    for tree in (statement, *hypotheses):
        for node in walk(tree):
            if node[0] == "fdiv":
                solver.add(_translate(node[3], letters) >= 1)
    if counting:
        # count(j, P) = n says that P(j) holds exactly for 0 <= j < n, and that n >= 0.
        j, n = letters[statement[2][1][0]], _translate(statement[3], letters)
        fits = z3.And(*(_translate(kid, letters) for kid in statement[2][2:]))
        claim = z3.And(fits == z3.And(j >= 0, j < n), n >= 0)
    else:
        claim = _translate(statement, letters)
    solver.add(z3.Not(claim))
    return str(solver.check())


def _translate(tree: Tree, letters: Mapping[str, Any]) -> Any:
    import z3

    head, label = tree[0], tree[1]
    if head == "num":
        return z3.IntVal(int(label))
    if head == "var":
        return letters[label]
    a, b = (_translate(tree[2], letters), _translate(tree[-1], letters))
    if head == "rel":
        return {"=": a == b, "<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b}[label]
    if head == "max":
        return z3.If(a >= b, a, b)
    return {"add": lambda: a + b, "mul": lambda: a * b, "neg": lambda: -a, "fdiv": lambda: a / b}[
        head
    ]()


if __name__ == "__main__":
    answer(_decide)
