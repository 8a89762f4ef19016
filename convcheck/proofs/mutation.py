"""Mutants of certificates: every line and statement changed a little; none that is false may pass.

A mutant that the kernel accepts is decided without the kernel: it is another derivation of the
theorem's own statement, or it is evaluated in models of n >= 3 elements with all free indices
swept, and counts as false where one of them refutes it. One that no model decides is undecided.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        rederived: Texts of those it accepted that derive the unchanged statement in another way.
        evaluated: Texts of those it accepted whose other statement is true in every model tried.
        accepted_false: Texts of those it accepted although a model refutes them; must be empty.
        undecided: Texts of those it accepted and no model decides; must be empty.
    """

    mutants: int
    refused: int
    rederived: tuple[str, ...]
    evaluated: tuple[str, ...]
    accepted_false: tuple[str, ...]
    undecided: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every mutant was refused or shown true."""
        return not self.accepted_false and not self.undecided


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
    (r"\b3\b", "4"),
    (r"\b4\b", "5"),
    (r"\b5\b", "6"),
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
    parts = {"chain": ["proof"], "induction": ["proof", "induction"]}.get(kind, [])
    for part in ("chain",) if kind == "chain" else ("base", "step") if parts else ():
        steps = body if kind == "chain" else body[part]
        for at in range(len(steps)):
            mutant = copy.deepcopy(certificate)
            del _inside(mutant, parts)[part][at]
            yield f"{part} {at} dropped", mutant
            for rule in ("ring", "reindex", "swap", "sift", "split", "given", "increase", "magic"):
                if steps[at]["rule"] != rule:
                    mutant = copy.deepcopy(certificate)
                    _inside(mutant, parts)[part][at]["rule"] = rule
                    yield f"{part} {at}: rule {rule}", mutant
    changes: tuple[dict[str, Any], ...] = (
        {"general": []},
        {"over": "t"},
        {"base": []},
        {"step": []},
    )
    for change in changes if kind == "induction" else ():
        mutant = copy.deepcopy(certificate)
        mutant["proof"]["induction"] |= change
        yield f"induction: {change}", mutant
    for case, combination in enumerate(body if kind == "nonnegative" else []):
        for at, (weight, facts) in enumerate(combination):
            for moved in (
                [2, facts],
                [0, facts],
                [weight, [*facts, 0]],
                [weight, [99]],
                [-1, facts],
            ):
                mutant = copy.deepcopy(certificate)
                mutant["proof"]["nonnegative"][case][at] = moved
                yield f"case {case}, product {at}: {moved}", mutant


def _inside(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = value[key]
    return value


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


KINDS = ("rederived", "evaluated", "accepted_false", "undecided")


def run_mutation_test(theorems: Iterable[Theorem], *, every: int = 1) -> MutationReport:
    """Returns what became of the mutants of the given theorems; of every n-th one to save time."""
    total = refused = 0
    accepted: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for theorem in theorems:
        original = replace(theorem, witnesses=()).certificate()
        for text, mutant in islice(mutants(original), 0, None, every):
            total += 1
            if isinstance(check(mutant), Open):
                refused += 1
                continue
            # Another way to the same statement is no wrong theorem.
            same = all(mutant[key] == original[key] for key in ("statement", "hyps", "vars"))
            kind = "rederived" if same else _evaluate(mutant, theorem.witnesses)
            accepted[kind].append(f"{theorem.name}: {text}")
    texts = {kind: tuple(listed) for kind, listed in accepted.items()}
    return MutationReport(mutants=total, refused=refused, **texts)


def _evaluate(mutant: dict[str, Any], witnesses: Sequence[Mapping[str, Any]]) -> str:
    """Returns the kind of a mutant with another statement, by what models make of it."""
    context = read(mutant)
    statement, hypotheses = parse(mutant["statement"]), list(context.hypotheses.values())
    try:
        if search(statement, context.env, hypotheses, tries=60, witnesses=witnesses) is not None:
            return "accepted_false"
        places, violation = confirm(
            statement, context.env, hypotheses, models=8, witnesses=witnesses
        )
    except Refusal:
        return "undecided"
    if violation is not None:
        return "accepted_false"
    return "evaluated" if places else "undecided"
