"""The notes' "typical architecture" with what makes it learn: the most from 10 CPU minutes.

The settings are airbench94's, scaled to a quarter of its width and an eighth of its batch.
"""

from __future__ import annotations

from convcheck.training.recipe import Recipe
from convcheck.training.typical_network import TypicalNet, whiten

TYPICAL = Recipe(
    name="typical",
    says="whitening stem, batch norm, flips, shifts and a triangular rate, 7 epochs at batch 128",
    network=TypicalNet,
    prepare=whiten,
    batch_size=128,
    epochs=7,
    learning_rate=0.13,
    momentum=0.85,
    nesterov=True,
    weight_decay=0.0019,
    label_smoothing=0.1,
    norm_bias_rate=64.0,
    schedule="triangle",
    peak=0.23,
    flip=True,
    shift=2,
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    log_every=50,
    checkpoint_every=100,
    drop_last=True,
    channels_last=True,
    threads=2,
)
