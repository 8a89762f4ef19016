"""CIFAR-10 as its authors publish it, read by torchvision after every file's MD5 is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
from torchvision.datasets import CIFAR10

from convcheck.core.errors import InputError
from convcheck.training.data.cache import cache_directory, cached
from convcheck.training.data.image_set import ImageSet

FOLDER: str = CIFAR10.base_folder


def expected_files() -> dict[str, str]:
    """Returns the MD5 of each file, by name, as torchvision knows them."""
    batches = dict((*CIFAR10.train_list, *CIFAR10.test_list))
    return {**batches, CIFAR10.meta["filename"]: CIFAR10.meta["md5"]}


def places() -> tuple[Path, ...]:
    """Returns the directories in which CIFAR-10 is looked for, in order."""
    return (Path("data"), cache_directory() / "cifar10")


def load_cifar10(
    root: Path | None = None,
    *,
    download: bool = False,
    log: Callable[[str], None] = lambda line: None,
) -> ImageSet:
    """Returns CIFAR-10 from the first place that holds it whole.

    Args:
        root: A directory that holds `cifar-10-batches-py`; `places()` where None.
        download: Whether to fetch it into the last of them where none does.
        log: Takes one line for people.

    Raises:
        InputError: It is nowhere, or damaged; the message tells the state of each file.
    """
    looked = (root,) if root else places()
    for place in looked:
        if all(state == "good" for state in file_states(place).values()):
            return _load(place, log)
    if download:
        return _load(_download(looked[-1], log), log)
    raise _missing_error(looked)


def file_states(root: Path) -> dict[str, str]:
    """Returns the state of each file under `root`: "good", "absent", or the MD5 that is wrong."""
    states = {}
    for name, expected in expected_files().items():
        path = root / FOLDER / name
        if not path.is_file():
            states[name] = "absent"
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            states[name] = error.strerror or str(error)
            continue
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        wrong = f"{len(content)} bytes, MD5 {found}, expected {expected}"
        states[name] = "good" if found == expected else wrong
    return states


def _load(root: Path, log: Callable[[str], None]) -> ImageSet:
    key = hashlib.sha256(repr(("cifar10", expected_files())).encode()).hexdigest()

    def make() -> ImageSet:
        log("unpacking CIFAR-10, once")
        train, test = (CIFAR10(root=str(root), train=is_train) for is_train in (True, False))
        return ImageSet(
            label="CIFAR-10",
            classes=tuple(train.classes),
            train_images=np.ascontiguousarray(train.data.transpose(0, 3, 1, 2)),
            train_labels=np.array(train.targets, dtype=np.int64),
            test_images=np.ascontiguousarray(test.data.transpose(0, 3, 1, 2)),
            test_labels=np.array(test.targets, dtype=np.int64),
        )

    return cached(key, make, log)


def _download(root: Path, log: Callable[[str], None]) -> Path:
    log(f"downloading CIFAR-10 into {root}")
    try:
        CIFAR10(root=str(root), download=True)
    except (URLError, OSError, RuntimeError) as error:
        reason = getattr(error, "reason", None) or error
        raise _missing_error((root,), f"the download failed ({reason})") from None
    return root


def _missing_error(looked: tuple[Path, ...], first: str = "") -> InputError:
    told = [first] if first else []
    for place in looked:
        states = file_states(place)
        if set(states.values()) == {"absent"}:
            told.append(f"{place / FOLDER} has none of the {len(states)} files")
        else:
            listed = "; ".join(f"{name} {state}" for name, state in states.items())
            told.append(f"{place / FOLDER}: {listed}")
    return InputError(
        "CIFAR-10 is not here",
        why=" and ".join(told),
        fix=f"unpack {CIFAR10.filename} into {looked[-1]} (the folder {FOLDER} goes there), "
        "let --download fetch it, give --data DIR, or use --data shapes10",
    )
