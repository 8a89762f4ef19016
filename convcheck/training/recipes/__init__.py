"""The recipes, in the order in which a reader meets them; one value in one file each."""

from __future__ import annotations

from convcheck.core.errors import UsageError, nearest
from convcheck.training.recipe import Recipe
from convcheck.training.recipes.gpu import GPU
from convcheck.training.recipes.notes import NOTES
from convcheck.training.recipes.quick import QUICK
from convcheck.training.recipes.typical import TYPICAL

RECIPES: tuple[Recipe, ...] = (NOTES, QUICK, TYPICAL, GPU)


def find_recipe(name: str) -> Recipe:
    """Returns the recipe of that name.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    raise UsageError(
        f"recipe {name!r} is unknown", fix=nearest(name, [recipe.name for recipe in RECIPES])
    )
