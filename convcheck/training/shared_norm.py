"""Batch norm over the whole batch where several processes hold a part of it each."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Sum(torch.autograd.Function):
    """The sum over all processes; each one's loss depends on it, so gradients are summed too."""

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


class SharedBatchNorm2d(nn.BatchNorm2d):
    """`BatchNorm2d` whose mean and variance are those of all processes' pictures together.

    torch's own `SyncBatchNorm` works on a GPU alone. Parameters, statistics and their names are
    those of `BatchNorm2d`.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns (N, C, H, W), normalised with the statistics of every process's input."""
        if not self.training:
            return super().forward(input)
        x = input.float()
        sums: Tensor = _Sum.apply(torch.cat((x.sum((0, 2, 3)), x.new_tensor([x[:, 0].numel()]))))
        count = sums[-1].detach()
        mean = sums[:-1] / count
        centred = x - mean[:, None, None]
        variance: Tensor = _Sum.apply((centred**2).sum((0, 2, 3))) / count
        with torch.no_grad():
            assert self.running_mean is not None and self.running_var is not None
            assert self.num_batches_tracked is not None and self.momentum is not None
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            self.num_batches_tracked += 1
        scaled = centred * (variance + self.eps).rsqrt()[:, None, None]
        out = scaled * self.weight[:, None, None] + self.bias[:, None, None]
        return out.to(input.dtype)


def share_norms(network: nn.Module) -> None:
    """Makes every `BatchNorm2d` of the network a `SharedBatchNorm2d`, parameters and all."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            # The same object, so that the optimiser's parameters stay the network's.
            module.__class__ = SharedBatchNorm2d
