"""The reference CIFAR-10 run: data, recipes, loop, checkpoints, evaluation.

May import: models, oracle, runtime, core. Importing this package does not load torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcheck.training.data.image_set import ImageSet
    from convcheck.training.data.load import load_data
    from convcheck.training.network import Net
    from convcheck.training.recipe import Recipe
    from convcheck.training.recipes import RECIPES, find_recipe
    from convcheck.training.result import Pictures, TrainingResult
    from convcheck.training.training_run import train

_HOMES = {
    "ImageSet": "convcheck.training.data.image_set",
    "Net": "convcheck.training.network",
    "Pictures": "convcheck.training.result",
    "RECIPES": "convcheck.training.recipes",
    "Recipe": "convcheck.training.recipe",
    "TrainingResult": "convcheck.training.result",
    "find_recipe": "convcheck.training.recipes",
    "load_data": "convcheck.training.data.load",
    "train": "convcheck.training.training_run",
}

__all__ = [
    "RECIPES",
    "ImageSet",
    "Net",
    "Pictures",
    "Recipe",
    "TrainingResult",
    "find_recipe",
    "load_data",
    "train",
]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'convcheck.training' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
