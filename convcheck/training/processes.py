"""Several processes as one run (`torchrun`): each takes its share of every batch."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from convcheck.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """This process's place among those of the run.

    Attributes:
        rank: From 0; rank 0 alone writes and prints.
        size: Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0

    def share(self, indices: Tensor) -> Tensor:
        """Returns this process's part of a batch."""
        return indices[self.rank :: self.size] if self.size > 1 else indices

    def add_up(self, parameters: list[Tensor], loss: Tensor) -> Tensor:
        """Adds the gradients of all processes in place; returns the sum of their losses.

        One message carries everything: at small sizes the number of messages is what costs.
        """
        if self.size == 1:
            return loss
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([*(g.reshape(-1) for g in gradients), loss.reshape(1)])
        dist.all_reduce(flat)
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()
        return flat[-1]

    def wait(self) -> None:
        """Returns when every process has come here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Joins the processes that `torchrun` started; one process alone needs nothing.

    Raises:
        UsageError: The environment that `torchrun` sets is incomplete.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes()
        return
    if "MASTER_ADDR" not in os.environ:
        raise UsageError(
            f"WORLD_SIZE is {size} without MASTER_ADDR",
            fix="start several processes with torchrun, or unset WORLD_SIZE",
        )
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        # Not when the run ends: a second group would meet the addresses of the first.
        atexit.register(dist.destroy_process_group)
    yield Processes(rank=dist.get_rank(), size=dist.get_world_size())
