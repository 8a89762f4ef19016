"""`Theorem`: one entry of the catalogue, and its certificate as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """A false statement that looks like the theorem; the kernel must refuse it, a model refute it.

    Attributes:
        statement: The false statement.
        says: The mistake, in a few words.
        hypotheses: Its hypotheses; those of the theorem for None.
    """

    statement: str
    says: str
    hypotheses: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Theorem:
    """A statement, what it assumes, why it is true, and what would be false beside it.

    Attributes:
        name: Stable name, such as `convolution_commutes`.
        title: The name in words.
        topic: The catalogue's file, such as `sizes`.
        says: What it means, in one or two sentences.
        variables: The sort of every name, in the kernel's notation.
        statement: `left = right` or `left <= right`, in the kernel's notation.
        hypotheses: What is assumed.
        proof: `chain`, `induction` or `nonnegative`; see `kernel.check`.
        siblings: False statements beside it.
        source: Where it is stated or used.
        witnesses: Models of the hypotheses, where random ones seldom satisfy them: numbers, nested
            lists for functions, the size of each finite set.
    """

    name: str
    title: str
    topic: str
    says: str
    variables: Mapping[str, str]
    statement: str
    proof: Mapping[str, Any]
    hypotheses: tuple[str, ...] = ()
    siblings: tuple[Sibling, ...] = ()
    source: str = ""
    witnesses: tuple[Mapping[str, Any], ...] = ()

    def certificate(self) -> dict[str, Any]:
        """Returns the JSON values that `kernel.check` takes; no verdict is among them."""
        fields = {
            "name": self.name,
            "vars": dict(self.variables),
            "hyps": list(self.hypotheses),
            "statement": self.statement,
            "proof": dict(self.proof),
        }
        return {**fields, "witness": dict(self.witnesses[0])} if self.witnesses else fields


def step(rule: str, line: str, says: str = "", reverse: bool = False, **args: str) -> Step:
    """Returns one line of a chain: the rule that leads to it and what it says to a reader."""
    whole = {"rule": rule, "args": args, "line": line, "says": says, "reverse": reverse}
    return {key: value for key, value in whole.items() if value}


def chain(*steps: Step) -> dict[str, Any]:
    """Returns a proof by successive lines."""
    return {"chain": list(steps)}


def induction(over: str, base: list[Step], passage: list[Step], *general: str) -> dict[str, Any]:
    """Returns a proof by induction over a natural number, for all values of `general` at once."""
    return {"induction": {"over": over, "general": list(general), "base": base, "step": passage}}
