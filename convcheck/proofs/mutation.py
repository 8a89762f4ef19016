"""Mutants of certificates: every line and statement changed a little; none that is false may pass.

A mutant that the kernel accepts is evaluated in models: it counts as false where one refutes it.
One that it accepts and no model refutes is listed, so that a person can see that it is true.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from convcheck.proofs.checking import check
from convcheck.proofs.kernel import read
from convcheck.proofs.sampling import confirm, search
from convcheck.proofs.terms import Refusal, parse
from convcheck.proofs.theorem import Theorem
from convcheck.proofs.verdicts import Open


@dataclass(frozen=True, slots=True, kw_only=True)
class MutationReport:
    """What became of the mutants.

    Attributes:
        mutants: How many there were.
        refused: How many the kernel refused.
        accepted_true: Texts of those it accepted, and that no model refutes.
        accepted_false: Texts of those it accepted although a model refutes them; must be empty.
    """

    mutants: int
    refused: int
    accepted_true: tuple[str, ...]
    accepted_false: tuple[str, ...]


# What may stand for what: a sign, an index, a constant, a domain, a relation, an order.
_SWAPS = (
    (r"\+", "-"),
    (r"(?<!inf,)-(?!inf)", "+"),
    (r"\*", "+"),
    (r"/(?!/)", "*"),
    (r"//", "*"),
    (r"<=", ">="),
    (r">=", "<="),
    (r"\b0\b", "1"),
    (r"\b1\b", "2"),
    (r"\b2\b", "3"),
    (r"\blog\b", "exp"),
    (r"\bexp\b", "log"),
    (r"\bmax\b", "min"),
    (r"\bdelta\(", "max("),
)


def mutants(certificate: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (what was changed, the changed certificate) for every place that can be changed."""
    for path, text in list(_texts(certificate)):
        for changed in _variants(text, certificate["vars"]):
            mutant = copy.deepcopy(certificate)
            _put(mutant, path, changed)
            yield f"{'/'.join(map(str, path))}: {text} -> {changed}", mutant
    for at, hypothesis in enumerate(certificate["hyps"]):
        mutant = copy.deepcopy(certificate)
        del mutant["hyps"][at]
        yield f"hyps/{at}: {hypothesis} dropped", mutant
    for name, sort in certificate["vars"].items():
        for other in _sorts(sort):
            mutant = copy.deepcopy(certificate)
            mutant["vars"][name] = other
            yield f"vars/{name}: {sort} -> {other}", mutant
    yield from _structural(certificate)


def _structural(certificate: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields mutants of the derivation's shape: a line dropped, a rule renamed, a weight moved."""
    [(kind, body)] = certificate["proof"].items()
    steps = body if kind == "chain" else []
    for at in range(len(steps)):
        mutant = copy.deepcopy(certificate)
        del mutant["proof"]["chain"][at]
        yield f"line {at} dropped", mutant
        for rule in ("ring", "reindex", "swap", "sift", "split", "given", "increase", "magic"):
            if steps[at]["rule"] != rule:
                mutant = copy.deepcopy(certificate)
                mutant["proof"]["chain"][at]["rule"] = rule
                yield f"line {at}: rule {rule}", mutant
    for case, combination in enumerate(body if kind == "nonnegative" else []):
        for at, (weight, facts) in enumerate(combination):
            for change in (
                [2, facts],
                [0, facts],
                [weight, [*facts, 0]],
                [weight, [99]],
                [-1, facts],
            ):
                mutant = copy.deepcopy(certificate)
                mutant["proof"]["nonnegative"][case][at] = change
                yield f"case {case}, product {at}: {change}", mutant


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in items:
        if (
            isinstance(part, str)
            and key not in ("name", "says", "rule", "over")
            and path[:1] != ("vars",)
        ):
            yield (*path, key), part
        else:
            yield from _texts(part, (*path, key))


def _put(value: Any, path: tuple[Any, ...], text: str) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = text


def _variants(text: str, declared: dict[str, str]) -> Iterator[str]:
    for pattern, other in _SWAPS:
        for match in re.finditer(pattern, text):
            yield text[: match.start()] + other + text[match.end() :]
    for match in re.finditer(r"\b([A-Za-z]\w*)\b", text):
        for name, sort in declared.items():
            if name != match[1] and declared.get(match[1]) == sort:
                yield text[: match.start()] + name + text[match.end() :]
        for domain in ("G", "R", "Z", "Zn"):
            if match[1] in ("G", "R", "Z", "Zn", "D") and match[1] != domain:
                yield text[: match.start()] + domain + text[match.end() :]
    if text:
        yield text[:-1]
    yield text + ")"


def _sorts(sort: str) -> Iterator[str]:
    for old, new in (("G", "R"), ("D", "G"), ("Z", "G"), ("Zn", "G"), ("K>0", "K"), ("Z", "K")):
        changed = re.sub(rf"\b{old}\b(?!>)" if old != "K>0" else r"K>0", new, sort)
        if changed != sort:
            yield changed


def run_mutation_test(theorems: Iterable[Theorem], *, every: int = 1) -> MutationReport:
    """Returns what became of the mutants of the given theorems; of every n-th one to save time."""
    total = refused = 0
    true: list[str] = []
    false: list[str] = []
    for theorem in theorems:
        original = replace(theorem, witnesses=()).certificate()
        for text, mutant in islice(mutants(original), 0, None, every):
            total += 1
            if isinstance(check(mutant), Open):
                refused += 1
                continue
            # Another way to the same statement is no wrong theorem.
            same = all(mutant[key] == original[key] for key in ("statement", "hyps", "vars"))
            accepted = true if same or not _is_false(mutant) else false
            accepted.append(f"{theorem.name}: {text}")
    return MutationReport(
        mutants=total, refused=refused, accepted_true=tuple(true), accepted_false=tuple(false)
    )


def _is_false(mutant: dict[str, Any]) -> bool:
    """Whether a model satisfies the mutant's hypotheses and refutes its statement."""
    context = read(mutant)
    statement, hypotheses = parse(mutant["statement"]), list(context.hypotheses.values())
    try:
        if search(statement, context.env, hypotheses, tries=60) is not None:
            return True
        return confirm(statement, context.env, hypotheses)[1] is not None
    except Refusal:
        return False
