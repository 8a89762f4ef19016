"""What separates failing from passing cases: a short conjunction, learned from the outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from convcheck.conformance.features import Value, features
from convcheck.core.case import Case

_LONGEST = 3
_SWITCHES = (
    "bias", "ceil_mode", "int arguments", "log_target", "class weights",
    "default arguments left out", "ignored targets", "only ignored targets",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One comparison of a feature with a number or word."""

    feature: str
    relation: Literal[">", "<", "is", "is not"]
    value: Value

    def holds(self, found: dict[str, Value]) -> bool:
        """Whether it is true of a case's features."""
        if self.feature not in found:
            return False
        value = found[self.feature]
        if self.relation == "is":
            return value == self.value
        if self.relation == "is not":
            return value != self.value
        assert isinstance(value, int) and isinstance(self.value, int)
        return value > self.value if self.relation == ">" else value < self.value

    def __str__(self) -> str:
        """Returns the comparison in words."""
        if self.feature in _SWITCHES:
            on = (self.relation, self.value) in ((">", 0), ("is", 1))
            return f"with {self.feature}" if on else f"without {self.feature}"
        return f"{self.feature} {self.relation} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A conjunction of atoms.

    Attributes:
        atoms: All of them must hold; none of them means always.
        exact: Whether it is true of every failing and of no passing case seen.
    """

    atoms: tuple[Atom, ...]
    exact: bool

    def holds(self, case: Case) -> bool:
        """Whether it is true of a case."""
        found = features(case)
        return all(atom.holds(found) for atom in self.atoms)

    def __str__(self) -> str:
        """Returns "a and b", empty where it always holds."""
        return " and ".join(map(str, self.atoms))


def learn(failing: Sequence[Case], passing: Sequence[Case]) -> Condition:
    """Returns the shortest conjunction found that is true of `failing` and of none of `passing`.

    Every atom is true of all failing cases; at each step that one is taken which rules out most of
    the passing cases that are left.
    """
    if not passing:
        return Condition(atoms=(), exact=True)
    wrong = [features(case) for case in failing]
    left = [features(case) for case in passing]
    atoms = list(_atoms(wrong, left))
    chosen: list[Atom] = []
    while left and len(chosen) < _LONGEST:
        counts = [sum(not atom.holds(found) for found in left) for atom in atoms]
        most = max(counts, default=0)
        if not most:
            break
        # The first of equals: features are listed with the plainest first.
        chosen.append(atoms[counts.index(most)])
        left = [found for found in left if chosen[-1].holds(found)]
    return Condition(atoms=tuple(_needed(chosen, passing)), exact=not left)


def _needed(chosen: list[Atom], passing: Sequence[Case]) -> Iterator[Atom]:
    """Leaves out an atom that the later ones made superfluous."""
    found = [features(case) for case in passing]
    kept = list(chosen)
    for atom in chosen:
        rest = [other for other in kept if other is not atom]
        before = sum(all(a.holds(f) for a in kept) for f in found)
        after = sum(all(a.holds(f) for a in rest) for f in found)
        if rest and before == after:
            kept = rest
    yield from kept


def _atoms(failing: list[dict[str, Value]], passing: list[dict[str, Value]]) -> Iterator[Atom]:
    for name in failing[0]:
        if not all(name in found for found in failing):
            continue
        values = [found[name] for found in failing]
        others = [found[name] for found in passing if name in found]
        if isinstance(values[0], str):
            if len(set(values)) == 1:
                yield Atom(feature=name, relation="is", value=values[0])
            for other in sorted({str(o) for o in others} - {str(v) for v in values}):
                yield Atom(feature=name, relation="is not", value=other)
            continue
        numbers = [value for value in values if isinstance(value, int)]
        below = [o for o in others if isinstance(o, int) and o < min(numbers)]
        above = [o for o in others if isinstance(o, int) and o > max(numbers)]
        if below:
            yield Atom(feature=name, relation=">", value=max(below))
        if above:
            yield Atom(feature=name, relation="<", value=min(above))
        if below and above and len(set(numbers)) == 1:
            yield Atom(feature=name, relation="is", value=numbers[0])
