"""Every claim of the notes, in the order in which a reader meets them."""

from __future__ import annotations

from convcheck.notes import definition, layer, loss, network, sizes
from convcheck.notes.claim import Claim

_ALL = (*definition.CLAIMS, *layer.CLAIMS, *sizes.CLAIMS, *loss.CLAIMS, *network.CLAIMS)

CLAIMS: tuple[Claim, ...] = tuple(sorted(_ALL, key=lambda claim: claim.id))
