"""Decoded pictures kept between runs: uint8 arrays, memory-mapped, keyed by what they came from."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from convcheck.runtime.atomic import is_alive
from convcheck.training.data.image_set import ImageSet

_NAMES = ("train_images", "train_labels", "test_images", "test_labels")


def cache_directory() -> Path:
    """Returns where decoded pictures are kept: $CONVCHECK_CACHE, or the user's cache directory."""
    if "CONVCHECK_CACHE" in os.environ:
        return Path(os.environ["CONVCHECK_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "convcheck"


def cached(key: str, make: Callable[[], ImageSet], log: Callable[[str], None]) -> ImageSet:
    """Returns the set stored under `key`, or makes and stores it.

    An entry whose digest is not the stored one (a flipped bit, a torn write) is made anew. Where
    nothing can be stored, the set is returned all the same and `log` is told.

    Args:
        key: Digest of everything that decides the pictures.
        make: Makes the set.
        log: Takes one line for people.
    """
    place = cache_directory() / key[:40]
    found = _read(place)
    if found is not None:
        return found
    made = make()
    try:
        _store(place, made)
    except OSError as error:
        reason = error.strerror or error
        log(f"pictures not cached in {place.parent} ({reason}): they are decoded at each start")
        return made
    return _read(place) or made


def _read(place: Path) -> ImageSet | None:
    try:
        facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
        # Copy on write: torch warns about arrays that it may not write to.
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="c") for name in _NAMES}
        found = ImageSet(
            label=facts["label"],
            classes=tuple(facts["classes"]),
            broken=tuple(facts["broken"]),
            **arrays,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.sha256() == facts["sha256"] else None


def _store(place: Path, images: ImageSet) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.parent)
    temporary = place.with_name(f"{place.name}.{os.getpid()}.tmp")
    temporary.mkdir()
    try:
        for name, array in images.arrays().items():
            with (temporary / f"{name}.npy").open("wb") as file:
                np.save(file, array)
                os.fsync(file.fileno())
        facts = {
            "label": images.label,
            "classes": images.classes,
            "broken": images.broken,
            "sha256": images.sha256(),
        }
        (temporary / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(directory: Path) -> None:
    """Removes the unfinished entries of processes that no longer run."""
    for path in directory.glob("*.tmp"):
        process = path.name.split(".")[-2]
        if process.isdigit() and not is_alive(int(process)):
            shutil.rmtree(path, ignore_errors=True)
