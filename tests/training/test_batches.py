"""What a step sees: order, flips and shifts as functions of seed and position alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms import Compose, Normalize, ToTensor

from convcheck.training.batches import (
    batch_indices,
    draw_views,
    epoch_order,
    normalise,
    see,
)
from convcheck.training.data.image_set import ImageSet
from convcheck.training.learner import Learner
from convcheck.training.processes import Processes
from convcheck.training.recipe import Recipe
from convcheck.training.recipes import find_recipe


def augment(recipe: Recipe, images: torch.Tensor, indices: torch.Tensor, **at: int) -> torch.Tensor:
    return see(images, indices, draw_views(recipe, indices, len(images), **at))


def test_an_order_is_a_permutation_of_its_own_for_each_epoch_and_seed() -> None:
    orders = [epoch_order(seed, epoch, 50) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert order.sort().values.tolist() == list(range(50))
    assert len({tuple(order.tolist()) for order in orders}) == 4
    assert torch.equal(epoch_order(1, 1, 50), orders[3])


def test_the_last_batch_holds_the_rest(recipe: Recipe) -> None:
    order = torch.arange(21)
    assert batch_indices(recipe, order, 2).tolist() == [16, 17, 18, 19, 20]
    assert recipe.steps_per_epoch(21) == 3
    assert replace(recipe, drop_last=True).steps_per_epoch(21) == 2


def test_normalising_is_bitwise_what_the_tutorial_does(images: ImageSet) -> None:
    for name in ("notes", "typical"):
        recipe = find_recipe(name)
        transform = Compose([ToTensor(), Normalize(recipe.mean, recipe.std)])
        wanted = torch.stack([transform(p.transpose(1, 2, 0)) for p in images.train_images[:20]])
        assert torch.equal(normalise(recipe, torch.from_numpy(images.train_images[:20])), wanted)


def test_a_flip_shows_both_sides_in_any_two_epochs(images: ImageSet) -> None:
    recipe = replace(find_recipe("typical"), shift=0)
    pictures, indices = torch.from_numpy(images.train_images), torch.arange(40)
    first, second, third = (
        augment(recipe, pictures, indices, seed=5, epoch=epoch, step=epoch) for epoch in range(3)
    )
    assert torch.equal(first, second.flip(-1))
    assert torch.equal(first, third)
    is_flipped = (first != pictures[:40]).flatten(1).any(1)
    assert 8 < int(is_flipped.sum()) < 32


def test_a_shift_is_a_crop_of_the_reflected_picture(images: ImageSet) -> None:
    recipe = replace(find_recipe("typical"), flip=False)
    pictures, indices = torch.from_numpy(images.train_images), torch.arange(30)
    shifted = augment(recipe, pictures, indices, seed=0, epoch=0, step=9)
    padded = F.pad(pictures[:30].float(), (2, 2, 2, 2), mode="reflect").byte()
    offsets = set()
    for number in range(30):
        crops = {
            (y, x): padded[number, :, y : y + 32, x : x + 32] for y in range(5) for x in range(5)
        }
        found = [at for at, crop in crops.items() if torch.equal(crop, shifted[number])]
        assert len(found) == 1
        offsets.update(found)
    assert len(offsets) > 10


def test_augmentation_depends_on_nothing_but_its_arguments(images: ImageSet) -> None:
    recipe = find_recipe("typical")
    pictures, indices = torch.from_numpy(images.train_images), torch.arange(16)
    one = augment(recipe, pictures, indices, seed=0, epoch=1, step=3)
    torch.rand(100)
    assert torch.equal(one, augment(recipe, pictures, indices, seed=0, epoch=1, step=3))
    assert not torch.equal(one, augment(recipe, pictures, indices, seed=0, epoch=1, step=4))
    assert not torch.equal(one, augment(recipe, pictures, indices, seed=1, epoch=1, step=3))


def test_without_flip_or_shift_the_pictures_are_as_they_are(
    recipe: Recipe, images: ImageSet
) -> None:
    pictures = torch.from_numpy(images.train_images)
    found = augment(recipe, pictures, torch.tensor([3, 1]), seed=0, epoch=0, step=0)
    assert np.array_equal(found, images.train_images[[3, 1]])


@pytest.mark.parametrize("name", ["notes", "typical"])
def test_the_processes_see_together_what_one_sees(images: ImageSet, name: str) -> None:
    recipe = replace(find_recipe(name), batch_size=9)
    whole, labels = Learner(recipe, images).batch(3)
    parts = [
        Learner(recipe, images, processes=Processes(rank=rank, size=2)).batch(3)
        for rank in range(2)
    ]
    for rank, (pictures, part_labels) in enumerate(parts):
        assert torch.equal(pictures, whole[rank::2])
        assert torch.equal(part_labels, labels[rank::2])
