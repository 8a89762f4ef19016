"""Weights that follow those being trained slowly, and to which these return at intervals.

References:
    Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", arXiv:1907.08610; with the
    rising share of the slow weights that Jordan's airbench94 gives them, arXiv:2404.00498.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Lookahead:
    """The slow weights and statistics of a network, by their names.

    Args:
        network: The network as it starts.
        every: Steps between two returns to the slow weights, >= 1.
    """

    def __init__(self, network: nn.Module, every: int) -> None:
        self._every = every
        self._fast = {k: v for k, v in network.state_dict().items() if v.is_floating_point()}
        self.slow = {name: value.clone() for name, value in self._fast.items()}

    def follow(self, step: int, total: int) -> None:
        """Moves the slow weights towards the network's and takes the network back to them.

        The slow weights keep a share that grows with the cube of the steps done; at the end the
        network becomes what they are.

        Args:
            step: Steps done, the last one included.
            total: Steps in all.
        """
        if step % self._every and step != total:
            return
        kept = 1.0 if step == total else 0.95**self._every * (step / total) ** 3
        with torch.no_grad():
            for name, fast in self._fast.items():
                self.slow[name].lerp_(fast, 1 - kept)
                fast.copy_(self.slow[name])

    def restore(self, slow: Mapping[str, Tensor]) -> None:
        """Takes over slow weights that were stored."""
        for name, value in slow.items():
            self.slow[name].copy_(value)
