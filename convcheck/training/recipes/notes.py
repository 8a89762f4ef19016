"""The recipe of the lecture notes, to the letter: batch 4, constant rate, two epochs."""

from __future__ import annotations

from convcheck.training.network import Net
from convcheck.training.recipe import Recipe

NOTES = Recipe(
    name="notes",
    says="the notes' network and optimiser: batch 4, SGD at 0.001 with momentum 0.9, 2 epochs",
    network=Net,
    batch_size=4,
    epochs=2,
    learning_rate=0.001,
    momentum=0.9,
    log_every=2000,
    checkpoint_every=2500,
)
