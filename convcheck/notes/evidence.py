"""Readings from the three sources of evidence: a theorem, a claim decided, a computation."""

from __future__ import annotations

from convcheck.notes.claim import Reading


def by_theorem(name: str, says: str, *, under: str = "") -> Reading:
    """Returns a reading that holds exactly if the catalogue proves the theorem `name`.

    Args:
        name: Name in the catalogue of `convcheck.proofs`.
        says: The reading.
        under: The theorem's hypotheses, in words, where it has some.
    """
    from convcheck.proofs import Proved, prove

    verdict = prove(name)
    if isinstance(verdict, Proved):
        evidence = f"proved: theorem {name}, {verdict.statement}"
        return Reading(says=says, holds=True, evidence=evidence, under=under)
    return Reading(says=says, holds=None, evidence=f"{name}: {verdict}", under=under)


def by_claim(text: str, says: str, *, under: str = "") -> Reading:
    """Returns a reading that holds or fails as `convcheck claim TEXT` decides.

    Args:
        text: A statement of the claims language.
        says: The reading.
        under: The hypothesis under which it is read, in words.
    """
    from convcheck.proofs import Proved, Refuted, claim

    verdict = claim(text)
    if isinstance(verdict, Proved):
        return Reading(says=says, holds=True, evidence=f"proved: {text}", under=under)
    if isinstance(verdict, Refuted):
        witness = ", ".join(f"{name} = {value}" for name, value in verdict.witness.items())
        evidence = f"refuted: {text} at {witness}: {verdict.shows}"
        return Reading(says=says, holds=False, evidence=evidence, under=under)
    return Reading(says=says, holds=None, evidence=f"open: {text}", under=under)


def by_computation(holds: bool, says: str, evidence: str, *, under: str = "") -> Reading:
    """Returns a reading that a computation decided; `evidence` holds its numbers."""
    return Reading(says=says, holds=bool(holds), evidence=evidence, under=under)
