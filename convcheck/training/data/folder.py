"""A directory of class folders: train/CLASS/* and test/CLASS/*, decoded once."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image, decode_jpeg

from convcheck.core.errors import InputError
from convcheck.core.text import for_terminal
from convcheck.training.data.cache import cached
from convcheck.training.data.image_set import ImageSet

SUFFIXES = (".jpg", ".jpeg", ".png")
_JPEG, _PNG = b"\xff\xd8", b"\x89PNG"
_NAMED_AT_MOST = 10
# A copy of CIFAR-10 that is not the original must not be reported as the original.
_KNOWN = {
    "0d5e1a59c990714783227641e49f10174c6497dbca7345f39aacf8ac92717964": (
        "CIFAR-10, JPEG re-encoding"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of one split, in order, with the label of each.

    Attributes:
        files: Those with a name that pictures have.
        labels: The class of each.
        others: How many further entries the class folders hold.
    """

    files: tuple[Path, ...]
    labels: tuple[int, ...]
    others: int = 0


def load_folder(
    root: Path, *, skip_broken: bool = False, log: Callable[[str], None] = lambda line: None
) -> ImageSet:
    """Returns the pictures under `root`, from the cache where they have been decoded before.

    Args:
        root: Directory with train/CLASS/* and test/CLASS/*: JPEG or PNG, all of one size.
        skip_broken: Leaves out pictures that cannot be decoded, instead of refusing them all.
        log: Takes one line for people.

    Raises:
        InputError: The directory is not laid out so, a class is empty, or pictures are broken.
    """
    classes = _classes(root)
    splits = {split: _list_split(root, split, classes) for split in ("train", "test")}
    others = sum(split.others for split in splits.values())
    if others:
        log(f"left out what is not named {', '.join(SUFFIXES)}: {others}")
    key = _content_key(root, classes, splits)
    label = _KNOWN.get(key, f"{root.resolve().name} (directory of class folders)")

    def make() -> ImageSet:
        log(f"decoding {sum(len(split.files) for split in splits.values())} pictures, once")
        return _decode_all(root, label, classes, splits)

    # Equal contents may lie in directories of other names.
    images = replace(cached(key, make, log), label=label)
    if images.broken and not skip_broken:
        fix = "replace them, or go on without them with --skip-broken"
        raise _broken_error(root, images.broken, fix)
    if images.broken:
        log(f"left out broken pictures: {len(images.broken)}")
    for split, labels in (("train", images.train_labels), ("test", images.test_labels)):
        missing = sorted({*range(len(classes))} - {*labels.tolist()})
        if missing:
            raise InputError(
                f"class {classes[missing[0]]!r} has no picture in {split}/ that can be decoded",
                where=str(root),
                fix="replace its pictures, or remove the class from train/ and test/",
            )
    return images


def _classes(root: Path) -> tuple[str, ...]:
    if not root.is_dir():
        raise InputError(
            f"{root} is not a directory",
            why="pictures are read from train/CLASS/* and test/CLASS/* in a directory",
            fix="give such a directory, cifar10 or shapes10 to --data",
        )
    found = {}
    for split in ("train", "test"):
        if not (root / split).is_dir():
            raise InputError(
                f"{root} has no directory {split}/",
                why="pictures are read from train/CLASS/* and test/CLASS/*",
            )
        found[split] = {path.name for path in _entries(root / split) if path.is_dir()}
    odd = sorted(found["train"] ^ found["test"])
    if odd:
        raise InputError(
            f"class {odd[0]!r} is not in both train/ and test/",
            where=str(root),
            fix="give both splits the same class folders",
        )
    if not found["train"]:
        raise InputError(
            f"{root} has no class folder",
            why="pictures are read from train/CLASS/* and test/CLASS/*",
        )
    return tuple(sorted(found["train"]))


def _list_split(root: Path, split: str, classes: Sequence[str]) -> Listing:
    files: list[Path] = []
    labels: list[int] = []
    others = 0
    for label, name in enumerate(classes):
        folder = root / split / name
        entries = _entries(folder)
        inside = sorted(path for path in entries if path.suffix.lower() in SUFFIXES)
        if not inside:
            raise InputError(
                f"class folder {folder} is empty",
                why=f"no file in it ends in {', '.join(SUFFIXES)}",
                fix="remove the class from train/ and test/, or put its pictures there",
            )
        files += inside
        labels += [label] * len(inside)
        others += len(entries) - len(inside)
    return Listing(files=tuple(files), labels=tuple(labels), others=others)


def _content_key(root: Path, classes: Sequence[str], splits: dict[str, Listing]) -> str:
    """Returns a digest of every file's name and bytes: changed pictures are decoded anew."""
    digest = hashlib.sha256(repr(("v1", tuple(classes))).encode())
    for listing in splits.values():
        for path in listing.files:
            digest.update(os.fsencode(path.relative_to(root).as_posix()))
            content = _read(path)
            digest.update(hashlib.sha256(content if isinstance(content, bytes) else b"").digest())
    return digest.hexdigest()


def _decode_all(
    root: Path, label: str, classes: tuple[str, ...], splits: dict[str, Listing]
) -> ImageSet:
    arrays, broken = {}, []
    for split, listing in splits.items():
        images, kept, faults = _decode(listing.files)
        broken += [
            f"{for_terminal(str(listing.files[at].relative_to(root)))}: {why}" for at, why in faults
        ]
        if not kept:
            raise _broken_error(root, tuple(broken), "replace them; none is left without them")
        arrays[f"{split}_images"] = images
        arrays[f"{split}_labels"] = np.array(listing.labels, dtype=np.int64)[kept]
    return ImageSet(label=label, classes=classes, broken=tuple(broken), **arrays)


def _decode(
    files: Sequence[Path], block: int = 1000
) -> tuple[np.ndarray, list[int], list[tuple[int, str]]]:
    """Returns pictures (N, 3, H, W), the positions of those kept, and the faults of the rest."""
    pictures: list[Tensor] = []
    kept: list[int] = []
    faults: list[tuple[int, str]] = []
    for start in range(0, len(files), block):
        for at, result in enumerate(_decode_block(files[start : start + block]), start):
            if isinstance(result, Tensor) and pictures and result.shape != pictures[0].shape:
                shape, first = tuple(result.shape), tuple(pictures[0].shape)
                faults.append((at, f"size {shape}, where the first picture has {first}"))
            elif isinstance(result, Tensor):
                pictures.append(result)
                kept.append(at)
            else:
                faults.append((at, result))
    stacked = torch.stack(pictures).numpy() if pictures else np.empty((0, 3, 1, 1), np.uint8)
    return stacked, kept, faults


def _decode_block(files: Sequence[Path]) -> list[Tensor | str]:
    """Returns each picture, or why it cannot be decoded."""
    contents = [_read(path) for path in files]
    with warnings.catch_warnings():
        # torchvision announces that these functions will move to another package.
        warnings.filterwarnings("ignore", "The image decoding", DeprecationWarning)
        whole = [c for c in contents if isinstance(c, bytes) and c.startswith(_JPEG)]
        if len(whole) == len(contents):
            try:
                # One call for many pictures costs less than half of many calls.
                return list(decode_jpeg([_tensor(c) for c in whole], mode=ImageReadMode.RGB))
            except RuntimeError:
                pass  # One of them is broken; below it is found.
        return [_decode_one(c) if isinstance(c, bytes) else c for c in contents]


def _decode_one(content: bytes) -> Tensor | str:
    if not content:
        return "the file is empty"
    if not content.startswith((_JPEG, _PNG)):
        return "neither JPEG nor PNG"
    try:
        picture = decode_image(_tensor(content), mode=ImageReadMode.RGB)
    except RuntimeError as error:
        return str(error).splitlines()[0].rpartition(", ")[2]
    # A PNG may hold 16 bits per channel.
    return picture if picture.dtype == torch.uint8 else (picture.int() // 257).to(torch.uint8)


def _tensor(content: bytes) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot read {folder}", why=error.strerror or str(error)) from None


def _read(path: Path) -> bytes | str:
    """Returns the file's bytes, or why there are none."""
    try:
        # To read from a pipe would be to wait.
        return path.read_bytes() if path.is_file() else "no regular file"
    except OSError as error:
        return error.strerror or str(error)


def _broken_error(root: Path, broken: tuple[str, ...], fix: str) -> InputError:
    named = "; ".join(broken[:_NAMED_AT_MOST])
    more = len(broken) - _NAMED_AT_MOST
    return InputError(
        f"{len(broken)} broken picture{'s' if len(broken) > 1 else ''}",
        why=named + (f"; and {more} more" if more > 0 else ""),
        where=str(root),
        fix=fix,
    )
