"""The notes' network in seconds: what `shapes10` is trained with where no recipe is named."""

from __future__ import annotations

from convcheck.training.network import Net
from convcheck.training.recipe import Recipe

QUICK = Recipe(
    name="quick",
    says="the notes' network at batch 16 and a rate of 0.02 that falls to 0, 3 epochs",
    network=Net,
    batch_size=16,
    epochs=3,
    learning_rate=0.02,
    momentum=0.9,
    schedule="linear",
    log_every=125,
    checkpoint_every=500,
)
