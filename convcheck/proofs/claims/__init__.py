"""Decisions on a user's own statements; the language is described in `claims.language`.

May import: core, proofs.
"""

from convcheck.proofs.claims.decide import claim

__all__ = ["claim"]
