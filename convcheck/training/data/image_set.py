"""`ImageSet`: the pictures of a run, decoded, with the name under which results are reported."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convcheck.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageSet:
    """Training and test pictures with their labels.

    Attributes:
        label: The name that stands beside every result obtained on these pictures.
        classes: Names of the classes, in the order of the labels.
        train_images: (N, 3, H, W), uint8.
        train_labels: (N,), int64.
        test_images: (M, 3, H, W), uint8.
        test_labels: (M,), int64.
        broken: Files that could not be decoded and were left out, each with the reason.
    """

    label: str
    classes: tuple[str, ...]
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    broken: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses a set on which nothing can be learned."""
        if len(self.classes) < 2:
            raise InputError(
                f"{self.label} has {len(self.classes)} class",
                why="there is nothing to tell apart with fewer than 2",
                fix="give a directory with train/CLASS/* and test/CLASS/* for two or more classes",
            )
        for name, labels in (("training", self.train_labels), ("test", self.test_labels)):
            if len(labels) == 0:
                raise InputError(f"{self.label} has no {name} pictures")

    def sha256(self) -> str:
        """Returns a digest of all pictures, labels and class names."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for array in self.arrays().values():
            digest.update(repr((array.dtype.str, array.shape)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Returns the four arrays by their names."""
        return {
            "train_images": self.train_images,
            "train_labels": self.train_labels,
            "test_images": self.test_images,
            "test_labels": self.test_labels,
        }
