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


def augment(
    recipe: Recipe, images: Tensor, indices: Tensor, *, seed: int, epoch: int, step: int
) -> Tensor:
    """Returns the pictures at `indices`, flipped and shifted as the recipe says.

    A picture is mirrored in the even epochs or in the odd ones, a coin per picture decides which;
    so two epochs always show both. A shift fills what it uncovers by reflection.

    Args:
        recipe: Holds `flip` and `shift`.
        images: All training pictures (N, 3, H, W), uint8.
        indices: (B,) int64, on the CPU.
        seed: The run's seed.
        epoch: The current epoch, from 0.
        step: The step in the whole run, from 0.
    """
    if not (recipe.flip or recipe.shift):
        return images[indices.to(images.device)]
    height, width = images.shape[2:]
    rows, columns = torch.arange(height), torch.arange(width)
    count = len(indices)
    rows, columns = rows.expand(count, height), columns.expand(count, width)
    if recipe.flip:
        coins = torch.randint(2, (len(images),), generator=_generator(seed, "flip", 0))
        is_flipped = (coins[indices] + epoch) % 2 == 1
        columns = torch.where(is_flipped[:, None], width - 1 - columns, columns)
    if recipe.shift:
        span, generator = 2 * recipe.shift + 1, _generator(seed, "shift", step)
        offsets = torch.randint(span, (2, count, 1), generator=generator) - recipe.shift
        rows = _reflect(rows + offsets[0], height)
        columns = _reflect(columns + offsets[1], width)
    places = (
        indices.view(-1, 1, 1, 1),
        torch.arange(images.shape[1]).view(1, -1, 1, 1),
        rows[:, None, :, None],
        columns[:, None, None, :],
    )
    return images[tuple(place.to(images.device) for place in places)]


def _reflect(position: Tensor, size: int) -> Tensor:
    inside = position.abs()
    return torch.minimum(inside, 2 * (size - 1) - inside)


def _generator(seed: int, purpose: str, number: int) -> torch.Generator:
    """Returns a generator for one purpose (order, flips, shifts) at one epoch or step."""
    # The CPU's generator takes the low 32 bits of its seed alone, so all three are hashed to them.
    digest = blake2b(f"{seed} {purpose} {number}".encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little"))
