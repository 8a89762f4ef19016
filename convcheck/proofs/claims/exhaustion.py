"""Multilinear identities on Z_n for one n, decided at all unit sequences."""

from __future__ import annotations

from itertools import product

from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.index_sums import Term
from convcheck.proofs.claims.language import Node
from convcheck.proofs.claims.sequence_sorts import Sorts
from convcheck.proofs.claims.signals import Place

MAX_PLACES = 20_000


def exhaust(goal: Node, terms: list[Term], sorts: Sorts, deadline: Deadline) -> str:
    """Returns how an equation on Z_n was proved at every choice of unit sequences, or "".

    An identity in which every product has each sequence exactly once is linear in each, so that
    it holds for all sequences if it holds for all units, which are shifts of delta.

    Raises:
        Undecided: It is not multilinear, or there are too many choices.
    """
    modulus = sorts.modulus
    assert modulus, "only one modulus can be exhausted"
    wanted = sorted(sorts.sequences)
    for term in terms:
        if sorted(name for name, _ in term.slots) != wanted or set(term.coefficient) != {()}:
            raise Undecided("the identity is not linear in each sequence, with numbers alone")
    names = [*wanted, *sorted(sorts.integers)]
    if modulus ** len(names) > MAX_PLACES:
        raise Undecided(f"more than {MAX_PLACES} choices of unit sequences")
    for chosen in product(range(modulus), repeat=len(names)):
        deadline.check()
        values = {
            name: {(place,): 1} if name in sorts.sequences else place
            for name, place in zip(names, chosen, strict=True)
        }
        if not Place(sorts, values, modulus).holds(goal):
            return ""
    return (
        f"decided by exhaustion: both sides agree at all {modulus ** len(names)} choices of units"
    )
