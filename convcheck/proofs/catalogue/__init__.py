"""The theorems, topic by topic, in the order in which a reader meets them."""

from __future__ import annotations

from functools import cache

from convcheck.core.errors import UsageError, nearest
from convcheck.proofs.catalogue import (
    algorithms,
    convolution,
    coverage,
    fields,
    fourier,
    layer,
    loss,
    sizes,
)
from convcheck.proofs.theorem import Theorem
from convcheck.proofs.verdicts import Decision


@cache
def theorems() -> tuple[Theorem, ...]:
    """Returns every theorem of the catalogue."""
    return (
        *convolution.THEOREMS,
        *fourier.THEOREMS,
        *layer.THEOREMS,
        *sizes.theorems(),
        *fields.THEOREMS,
        *coverage.theorems(),
        *loss.THEOREMS,
        *algorithms.THEOREMS,
    )


def find_theorem(name: str) -> Theorem:
    """Returns the theorem of that name.

    Raises:
        UsageError: There is none.
    """
    for theorem in theorems():
        if theorem.name == name:
            return theorem
    raise UsageError(
        f"no theorem {name!r}", fix=nearest(name, [theorem.name for theorem in theorems()])
    )


def prove(name: str) -> Decision:
    """Returns `Proved`, `Refuted` or `Open` for the theorem of that name.

    Raises:
        UsageError: There is none.
    """
    from convcheck.proofs.conclude import prove_theorem

    return prove_theorem(find_theorem(name))
