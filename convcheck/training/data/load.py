"""The one door to the pictures: a name or a directory becomes an `ImageSet`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from convcheck.training.data import shapes10
from convcheck.training.data.cache import cached
from convcheck.training.data.image_set import ImageSet

TRAIN_SHAPES, TEST_SHAPES = 10_000, 2_000


def load_data(
    data: str | Path = "shapes10",
    *,
    skip_broken: bool = False,
    download: bool = False,
    log: Callable[[str], None] = lambda line: None,
) -> ImageSet:
    """Returns the pictures that `data` names.

    Args:
        data: "cifar10", "shapes10", "shapes10-hard", or a directory: with train/CLASS/* and
            test/CLASS/*, or one that holds `cifar-10-batches-py` or `cifar-10-batches-bin`.
        skip_broken: Leaves out pictures that cannot be decoded.
        download: Whether CIFAR-10 may be fetched where it is not found.
        log: Takes one line for people.

    Raises:
        InputError: The pictures are not there, or cannot be read.
    """
    for difficulty in shapes10.DIFFICULTIES:
        if str(data) == difficulty.name:
            return _load_shapes(difficulty, log)
    from convcheck.training.data import cifar10, cifar10_binary, folder

    if str(data) == "cifar10":
        return cifar10.load_cifar10(download=download, log=log)
    root = Path(data)
    if root.name in (cifar10.FOLDER, cifar10_binary.FOLDER):
        root = root.parent
    if (root / cifar10.FOLDER).is_dir():
        return cifar10.load_cifar10(root, download=download, log=log)
    if (root / cifar10_binary.FOLDER).is_dir():
        return cifar10_binary.load_cifar10_binary(root, log)
    return folder.load_folder(root, skip_broken=skip_broken, log=log)


def _load_shapes(difficulty: shapes10.Difficulty, log: Callable[[str], None]) -> ImageSet:
    key = hashlib.sha256(repr((difficulty, TRAIN_SHAPES, TEST_SHAPES, "v1")).encode()).hexdigest()

    def make() -> ImageSet:
        train_images, train_labels = shapes10.draw(TRAIN_SHAPES, difficulty=difficulty)
        test_images, test_labels = shapes10.draw(TEST_SHAPES, split=1, difficulty=difficulty)
        return ImageSet(
            label=f"{difficulty.name} (synthetic, not CIFAR-10)",
            classes=shapes10.CLASSES,
            train_images=train_images,
            train_labels=train_labels,
            test_images=test_images,
            test_labels=test_labels,
        )

    return cached(key, make, log)
