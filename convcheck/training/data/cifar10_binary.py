"""Pictures in the binary layout of CIFAR-10: records of a label and 3072 values, no pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convcheck.core.errors import InputError
from convcheck.training.data.cache import cached
from convcheck.training.data.image_set import ImageSet

FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
NAMES = "batches.meta.txt"
_RECORD = 1 + 3 * 32 * 32


def load_cifar10_binary(root: Path, log: Callable[[str], None] = lambda line: None) -> ImageSet:
    """Returns the pictures under `root / FOLDER`.

    The authors publish no digest of these files, so the label does not claim that they are theirs.

    Raises:
        InputError: A file is missing, torn, or holds a label without a class.
    """
    folder = root / FOLDER
    contents = {name: _read(folder / name) for name in (NAMES, *TRAIN, TEST)}
    digest = hashlib.sha256(FOLDER.encode())
    for content in contents.values():
        digest.update(hashlib.sha256(content).digest())

    def make() -> ImageSet:
        log(f"unpacking {FOLDER}, once")
        text = contents[NAMES].decode("utf-8", errors="replace")
        classes = tuple(line.strip() for line in text.splitlines() if line.strip())
        train = [_records(folder / name, contents[name], len(classes)) for name in TRAIN]
        test_images, test_labels = _records(folder / TEST, contents[TEST], len(classes))
        return ImageSet(
            label=f"{FOLDER} (CIFAR-10's binary layout, contents not verified)",
            classes=classes,
            train_images=np.concatenate([images for images, _ in train]),
            train_labels=np.concatenate([labels for _, labels in train]),
            test_images=test_images,
            test_labels=test_labels,
        )

    return cached(digest.hexdigest(), make, log)


def _records(
    path: Path, content: bytes, classes: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    whole, rest = divmod(len(content), _RECORD)
    if rest or not whole:
        raise InputError(
            f"{path.name} is truncated or foreign",
            why=f"{len(content)} bytes are {whole} records of {_RECORD} and {rest} bytes more",
            where=str(path.parent),
            fix="unpack cifar-10-binary.tar.gz again",
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(whole, _RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= classes:
        at = int(np.flatnonzero(labels >= classes)[0])
        raise InputError(
            f"{path.name} is damaged: record {at} has label {labels[at]}",
            why=f"{NAMES} names {classes} classes",
            where=str(path.parent),
            fix="unpack cifar-10-binary.tar.gz again",
        )
    return records[:, 1:].reshape(whole, 3, 32, 32).copy(), labels


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {path}",
            why=error.strerror or str(error),
            fix="unpack cifar-10-binary.tar.gz again",
        ) from None
