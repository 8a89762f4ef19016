"""Proofs that can be re-checked: a small kernel, a catalogue, claims of the user's own.

May import: core, oracle. What must be trusted is `terms`, `normal` and `kernel`, which import the
standard library only; each name below is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcheck.proofs.bilinear import verify_bilinear
    from convcheck.proofs.catalogue import prove, theorems
    from convcheck.proofs.checking import check
    from convcheck.proofs.claims import claim
    from convcheck.proofs.theorem import Theorem
    from convcheck.proofs.verdicts import Decision, Open, Proved, Refuted

_HOMES = {
    "Decision": "convcheck.proofs.verdicts",
    "Open": "convcheck.proofs.verdicts",
    "Proved": "convcheck.proofs.verdicts",
    "Refuted": "convcheck.proofs.verdicts",
    "Theorem": "convcheck.proofs.theorem",
    "check": "convcheck.proofs.checking",
    "claim": "convcheck.proofs.claims",
    "prove": "convcheck.proofs.catalogue",
    "theorems": "convcheck.proofs.catalogue",
    "verify_bilinear": "convcheck.proofs.bilinear",
}

__all__ = [
    "Decision",
    "Open",
    "Proved",
    "Refuted",
    "Theorem",
    "check",
    "claim",
    "prove",
    "theorems",
    "verify_bilinear",
]


def __getattr__(name: str) -> Any:
    """Imports a public name from its module when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'convcheck.proofs' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
