"""How well a network does on pictures that it has not learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convcheck.training.batches import normalise
from convcheck.training.recipe import Recipe, precision

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """Predictions on a set of pictures.

    Attributes:
        labels: (N,) int64, the true classes.
        probabilities: (N, classes) float32, softmax of the logits.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The most probable class of each picture, (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def accuracy(self) -> float:
        """Share of pictures whose class is the most probable one."""
        return float((self.predictions == self.labels).mean())

    def confusion(self) -> NDArray[np.int64]:
        """Returns counts (classes, classes): row the true class, column the predicted one."""
        classes = self.probabilities.shape[1]
        counts = np.zeros((classes, classes), dtype=np.int64)
        np.add.at(counts, (self.labels, self.predictions), 1)
        return counts

    def mistakes(self, count: int) -> NDArray[np.int64]:
        """Returns indices of the wrong predictions, the most confident first, at most `count`."""
        confidence = self.probabilities.max(axis=1)
        wrong = np.flatnonzero(self.predictions != self.labels)
        return wrong[np.argsort(-confidence[wrong], kind="stable")][:count]


def evaluate(
    recipe: Recipe,
    network: nn.Module,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    mirrored: bool = False,
) -> Evaluation:
    """Returns the network's predictions; its mode (training or not) is left as it was.

    Args:
        recipe: Holds the normalisation.
        network: Pictures to logits.
        images: (N, 3, H, W), uint8.
        labels: (N,) int64.
        mirrored: Whether each picture's mirror image has a say too.
    """
    device = next(network.parameters()).device
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    was_training = network.training
    network.eval()
    parts = []
    with torch.inference_mode(), precision(recipe, device):
        for start in range(0, len(images), _BATCH):
            raw = torch.from_numpy(images[start : start + _BATCH]).to(device)
            pictures = normalise(recipe, raw).contiguous(memory_format=layout)
            logits = network(pictures)
            if mirrored:
                logits = logits + network(pictures.flip(-1))
            parts.append(logits.float().softmax(dim=1).cpu())
    network.train(was_training)
    return Evaluation(labels=np.asarray(labels), probabilities=torch.cat(parts).numpy())
