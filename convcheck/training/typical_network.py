"""The notes' "typical architecture": convolution, pooling, batch norm, ReLU, fully connected.

A whitening stem and three groups of two convolutions, after airbench94; the widths are ours.

References:
    Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv:2404.00498.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TypicalNet(nn.Module):
    """A 2x2 whitening convolution, three `Group`s and one linear layer.

    On (N, 3, 32, 32) the sizes are 31, 15, 7, 3 and 1.

    Args:
        classes: Number of logits.
        widths: Channels of the three groups.
        activation: What follows each batch norm.
    """

    def __init__(
        self,
        classes: int = 10,
        widths: tuple[int, int, int] = (32, 64, 128),
        activation: Callable[[Tensor], Tensor] = F.relu,
    ) -> None:
        super().__init__()
        self.activation = activation
        # Nothing of the stem is trained: its gradient would cost an eighth of the step.
        self.whiten = nn.Conv2d(3, 24, 2, bias=False).requires_grad_(False)
        self.groups = nn.Sequential(
            Group(24, widths[0], activation),
            Group(widths[0], widths[1], activation),
            Group(widths[1], widths[2], activation),
        )
        self.pool = nn.MaxPool2d(3)
        self.linear = nn.Linear(widths[2], classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (N, classes) of pictures (N, 3, 32, 32)."""
        x = self.activation(self.whiten(x))
        x = torch.flatten(self.pool(self.groups(x)), 1)
        # Without batch norm after it, the last layer would start with logits far from zero.
        return self.linear(x) / 9


class Group(nn.Module):
    """Convolution, pooling, batch norm, activation, then the same without pooling.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output, whose extents are half the input's.
        activation: What follows each batch norm.
    """

    def __init__(
        self, channels_in: int, channels_out: int, activation: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.activation = activation
        self.conv1 = _convolution(channels_in, channels_out)
        self.pool = nn.MaxPool2d(2)
        self.norm1 = _norm(channels_out)
        self.conv2 = _convolution(channels_out, channels_out)
        self.norm2 = _norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (N, C_out, H // 2, W // 2) of (N, C_in, H, W)."""
        x = self.activation(self.norm1(self.pool(self.conv1(x))))
        return self.activation(self.norm2(self.conv2(x)))


def whiten(network: nn.Module, pictures: Tensor) -> None:
    """Sets the stem's kernels to the principal directions of the pictures' 2x2 patches.

    Each eigenvector of the patches' covariance, divided by the root of its eigenvalue, and its
    negative: 24 channels of unit variance, uncorrelated within each half.

    Args:
        network: A `TypicalNet`.
        pictures: Normalised pictures (N, 3, H, W).
    """
    assert isinstance(network, TypicalNet)
    patches = pictures.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5)
    flat = patches.reshape(-1, 12).double()
    values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
    # A direction that the pictures hardly have must not be blown up to noise of variance one.
    floor = values[-1] * 1e-4
    scaled = (vectors / (values + floor).sqrt()).T.reshape(12, 3, 2, 2)
    with torch.no_grad():
        network.whiten.weight.copy_(torch.cat((scaled, -scaled)))


def _convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    layer = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
    # The first filters pass their input on, so that a deep network starts as a shallow one.
    nn.init.dirac_(layer.weight[:channels_in].data)
    return layer


def _norm(channels: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels, momentum=0.4, eps=1e-12)
    layer.weight.requires_grad = False
    return layer
