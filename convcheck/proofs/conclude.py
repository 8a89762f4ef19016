"""`prove`: a theorem's derivation, and everything that must hold beside it.

A theorem is `Proved` when the kernel accepts its derivation, its hypotheses are used and can be
satisfied, an evaluation that shares nothing with the kernel agrees, each false sibling is refused
by the kernel and refuted by a model, and dropping any hypothesis makes a model refute it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from convcheck.proofs.asking import FOLLOWS, ask_sympy
from convcheck.proofs.checking import check
from convcheck.proofs.kernel import read
from convcheck.proofs.sampling import arithmetic_of, confirm, describe, search
from convcheck.proofs.smt import ask_z3
from convcheck.proofs.terms import Env, parse
from convcheck.proofs.theorem import Sibling, Theorem
from convcheck.proofs.verdicts import Decision, Open, Proved, Refuted

ARITHMETIC = {
    "modular": "modulo a prime",
    "exact": "in exact integers and fractions",
    "balls": "in balls of 60 digits",
}
LIMITS = ("SymPy has no ", "no answer in the time")  # what an engine says that cannot follow


def prove_theorem(theorem: Theorem) -> Decision:
    """Returns what the kernel, the second check and the models conclude on a theorem."""
    decision = check(theorem.certificate())
    if isinstance(decision, Open):
        return decision
    name, statement = theorem.name, theorem.statement
    unused = set(decision.hypotheses) - set(decision.obligations)
    if unused:
        return Open(name=name, statement=statement, reason=f"unused hypothesis: {unused.pop()}")
    context = read(theorem.certificate())
    hypotheses = list(context.hypotheses.values())
    places, violation = confirm(
        parse(statement), context.env, hypotheses, witnesses=theorem.witnesses
    )
    if violation is not None:
        model, shows = violation
        return Refuted(name=name, statement=statement, witness=describe(model), shows=shows)
    if not places:
        return Open(name=name, statement=statement, reason="no model satisfies the hypotheses")
    arithmetic = ARITHMETIC[arithmetic_of(parse(statement), context.env)]
    checks = [f"evaluated in {places} places, {arithmetic}"]
    for sentence, failure in (*_judge_siblings(theorem), *_judge_hypotheses(theorem)):
        if failure:
            return Open(name=name, statement=statement, reason=failure)
        checks.append(sentence)
    return replace(decision, checks=tuple(checks))


def prove_theorems(theorems: Sequence[Theorem]) -> Iterator[Decision]:
    """Yields the decision on each theorem, with the opinions of SymPy and Z3 among its checks.

    Both are asked in processes of their own while the kernel works. A theorem is `Open` where Z3
    contradicts it, or where SymPy reaches another line; what an engine has no means to follow, or
    no time for, is a remark.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        opinions = pool.submit(ask_sympy, theorems), pool.submit(ask_z3, theorems)
        decisions = [prove_theorem(theorem) for theorem in theorems]
        algebra, solver = (opinion.result() for opinion in opinions)
    for decision in decisions:
        if not isinstance(decision, Proved):
            yield decision
            continue
        yield _with_opinions(decision, algebra[decision.name], solver.get(decision.name, ""))


def _with_opinions(decision: Proved, algebra: str, solver: str) -> Proved | Open:
    """Returns the decision with what SymPy and Z3 say of it."""
    name, statement = decision.name, decision.statement
    if solver == "contradicts":
        reason = "Z3 finds integers for which the statement fails"
        return Open(name=name, statement=statement, reason=reason)
    if algebra != FOLLOWS and not algebra.startswith(LIMITS):
        reason = f"the kernel accepts the derivation, but SymPy does not: {algebra}"
        return Open(name=name, statement=statement, reason=reason)
    checks, remarks = list(decision.checks), list(decision.remarks)
    if algebra == FOLLOWS:
        checks.append("SymPy reaches the same statement by the same lines")
    else:
        remarks.append(f"SymPy cannot follow: {algebra}")
    if solver == "agrees":
        checks.append("Z3 finds no integers for which it fails")
    elif solver:
        remarks.append("Z3 reached no answer in its time")
    return replace(decision, checks=tuple(checks), remarks=tuple(remarks))


def refute(theorem: Theorem, sibling: Sibling) -> Refuted | Open:
    """Returns the counterexample of a false sibling; `Open` if none is found."""
    hypotheses = theorem.hypotheses if sibling.hypotheses is None else sibling.hypotheses
    return find_counterexample(theorem, sibling.statement, hypotheses)


def refute_without(theorem: Theorem, hypothesis: str) -> Refuted | Open:
    """Returns the counterexample of a theorem without one of its hypotheses."""
    rest = tuple(text for text in theorem.hypotheses if text != hypothesis)
    return find_counterexample(theorem, theorem.statement, rest, dropped=hypothesis)


def find_counterexample(
    theorem: Theorem, statement: str, hypotheses: Sequence[str], dropped: str = ""
) -> Refuted | Open:
    """Returns a model of the hypotheses in which the statement fails, small ones tried first."""
    fields = {**theorem.certificate(), "statement": statement, "hyps": list(hypotheses)}
    context = read(fields)
    # What convergence is for shows on an infinite group only.
    endless = dropped.startswith(("exists", "summable", "all"))
    found = search(
        parse(statement),
        context.env,
        list(context.hypotheses.values()),
        group=0 if endless and "G" in _domains(context.env) else None,
        witnesses=theorem.witnesses,
    )
    if found is None:
        return Open(name=theorem.name, statement=statement, reason="no counterexample was found")
    model, shows = found
    return Refuted(name=theorem.name, statement=statement, witness=describe(model), shows=shows)


def _domains(env: Env) -> set[str]:
    return {sort for domains, values in env.values() for sort in (*domains, values)}


def _judge_siblings(theorem: Theorem) -> Iterator[tuple[str, str]]:
    """Yields (what was found, what failed) per false sibling."""
    for sibling in theorem.siblings:
        hypotheses = theorem.hypotheses if sibling.hypotheses is None else sibling.hypotheses
        fields = {**theorem.certificate(), "statement": sibling.statement}
        if isinstance(check({**fields, "hyps": list(hypotheses)}), Proved):
            yield "", f"the kernel accepts a false sibling: {sibling.says}"
        found = refute(theorem, sibling)
        failed = f"no counterexample to a false sibling: {sibling.says}"
        yield (
            f"false sibling refused and refuted: {sibling.says}",
            (failed if isinstance(found, Open) else ""),
        )


def _judge_hypotheses(theorem: Theorem) -> Iterator[tuple[str, str]]:
    """Yields (what was found, what failed) per hypothesis dropped."""
    for hypothesis in theorem.hypotheses:
        found = refute_without(theorem, hypothesis)
        failed = f"no counterexample without the hypothesis {hypothesis}"
        yield f"false without {hypothesis}", failed if isinstance(found, Open) else ""
