"""An airbench-class recipe: full width, large batches, half precision, everything on the GPU."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from convcheck.training.recipes.typical import TYPICAL
from convcheck.training.typical_network import TypicalNet


def wide_net(classes: int) -> nn.Module:
    """Returns the typical network at airbench94's widths."""
    return TypicalNet(classes, widths=(64, 256, 256))


GPU = replace(
    TYPICAL,
    name="gpu",
    says="the typical network at widths 64, 256 and 256: batch 1024, bfloat16, compiled, 10 epochs",
    network=wide_net,
    batch_size=1024,
    epochs=10,
    learning_rate=1.5,
    weight_decay=0.0013,
    label_smoothing=0.2,
    log_every=48,
    checkpoint_every=480,
    fused=True,
    autocast="bfloat16",
    compiled=True,
)
