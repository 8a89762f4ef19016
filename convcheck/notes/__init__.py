"""Every claim of the lecture notes, decided by a check that runs.

The notes are "A Brief Introduction of Convolutional Neural Network"; claims are in our words.
May import: training, models, proofs, oracle, core. `decide` runs one claim's check.
"""

from convcheck.notes.catalogue import CLAIMS
from convcheck.notes.claim import Claim, Decided, Reading, Status, decide, status

__all__ = ["CLAIMS", "Claim", "Decided", "Reading", "Status", "decide", "status"]
