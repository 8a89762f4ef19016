"""Small pictures and small recipes: what a test can train on in well under a second."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from convcheck.training.data import shapes10
from convcheck.training.data.image_set import ImageSet
from convcheck.training.recipe import Recipe
from convcheck.training.recipes import find_recipe


@pytest.fixture(autouse=True)
def _cache_apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVCHECK_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def images() -> ImageSet:
    train_images, train_labels = shapes10.draw(320)
    test_images, test_labels = shapes10.draw(100, split=1)
    return ImageSet(
        label="shapes10 (synthetic, not CIFAR-10)",
        classes=shapes10.CLASSES,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
    )


@pytest.fixture
def recipe() -> Recipe:
    """40 steps of batch 8, with a schedule, so that a lost position would show."""
    return replace(
        find_recipe("quick"), batch_size=8, epochs=1, log_every=10, checkpoint_every=7
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """train/ and test/ with three classes of four and two JPEG pictures."""
    root = tmp_path / "pictures"
    pictures, _ = shapes10.draw(18)
    numbers = iter(range(18))
    for split, count in (("train", 4), ("test", 2)):
        for name in ("disc", "ring", "square"):
            place = root / split / name
            place.mkdir(parents=True)
            for _ in range(count):
                number = next(numbers)
                picture = Image.fromarray(pictures[number].transpose(1, 2, 0))
                picture.save(place / f"{number:04d}.jpg")
    return root
