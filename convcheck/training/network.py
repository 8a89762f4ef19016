"""The network of the lecture notes, made to run."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Net(nn.Module):
    """Two convolutions, each with a ReLU and a 2x2 maximum, and three linear layers.

    On (N, 3, 32, 32) the sizes are 28, 14, 10 and 5, so that `fc1` reads 16 * 5 * 5 values. A
    first kernel of 3 would end at 5 as well (30, 15, 11, 5): only the size of every layer, or the
    number of parameters, tells the two apart.

    Args:
        classes: Number of logits, >= 2.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (N, classes) of pictures (N, 3, 32, 32)."""
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)
