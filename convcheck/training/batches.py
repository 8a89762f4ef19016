"""Which pictures a step sees, and how: order, flips and shifts as functions of seed and position.

Nothing here has a state. A run that is resumed at any step therefore sees what it would have seen,
and so does every process of a distributed run.
"""

from __future__ import annotations

from hashlib import blake2b

import torch
from torch import Tensor

from convcheck.training.recipe import Recipe


def epoch_order(seed: int, epoch: int, count: int) -> Tensor:
    """Returns the order of `count` pictures in an epoch, (count,) int64."""
    return torch.randperm(count, generator=_generator(seed, "order", epoch))


def batch_indices(recipe: Recipe, order: Tensor, step_in_epoch: int) -> Tensor:
    """Returns the indices of the pictures of one step."""
    start = step_in_epoch * recipe.batch_size
    return order[start : start + recipe.batch_size]


def normalise(recipe: Recipe, images: Tensor) -> Tensor:
    """Returns uint8 pictures as float32, bitwise as `ToTensor` and `Normalize` do.

    Args:
        recipe: Holds mean and std.
        images: (N, 3, H, W), uint8.
    """
    scaled = images.to(torch.float32).div_(255)
    if len({*recipe.mean}) == len({*recipe.std}) == 1:
        return scaled.sub_(recipe.mean[0]).div_(recipe.std[0])
    mean = torch.tensor(recipe.mean, device=images.device).view(3, 1, 1)
    std = torch.tensor(recipe.std, device=images.device).view(3, 1, 1)
    return scaled.sub_(mean).div_(std)


def draw_views(
    recipe: Recipe, indices: Tensor, count: int, *, seed: int, epoch: int, step: int
) -> Tensor:
    """Returns how a step sees its pictures, (B, 3) int64: mirrored or not, shift down, shift right.

    A picture is mirrored in the even epochs or in the odd ones, a coin per picture decides which;
    so two epochs always show both.

    Args:
        recipe: Holds `flip` and `shift`.
        indices: (B,) int64, of the whole batch: a process that takes a part of it sees that part
            as one process alone would.
        count: Number of training pictures.
        seed: The run's seed.
        epoch: The current epoch, from 0.
        step: The step in the whole run, from 0.
    """
    views = torch.zeros(len(indices), 3, dtype=torch.int64)
    if recipe.flip:
        coins = torch.randint(2, (count,), generator=_generator(seed, "flip", 0))
        views[:, 0] = (coins[indices] + epoch) % 2
    if recipe.shift:
        span, generator = 2 * recipe.shift + 1, _generator(seed, "shift", step)
        offsets = torch.randint(span, (2, len(indices)), generator=generator) - recipe.shift
        views[:, 1:] = offsets.T
    return views


def see(images: Tensor, indices: Tensor, views: Tensor) -> Tensor:
    """Returns the pictures at `indices`, mirrored and shifted as `views` says.

    A shift fills what it uncovers by reflection.

    Args:
        images: All training pictures (N, 3, H, W), uint8.
        indices: (B,) int64, on the same device.
        views: (B, 3) as `draw_views` returns them, on the same device.
    """
    height, width = images.shape[2:]
    mirrored, down, right = (views[:, None, at] for at in range(3))
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    columns = torch.where(mirrored > 0, width - 1 - columns, columns)
    rows, columns = _reflect(rows + down, height), _reflect(columns + right, width)
    return images[
        indices.view(-1, 1, 1, 1),
        torch.arange(images.shape[1], device=images.device).view(1, -1, 1, 1),
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]


def _reflect(position: Tensor, size: int) -> Tensor:
    inside = position.abs()
    return torch.minimum(inside, 2 * (size - 1) - inside)


def _generator(seed: int, purpose: str, number: int) -> torch.Generator:
    """Returns a generator for one purpose (order, flips, shifts) at one epoch or step."""
    # The CPU's generator takes the low 32 bits of its seed alone, so all three are hashed to them.
    digest = blake2b(f"{seed} {purpose} {number}".encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little"))
