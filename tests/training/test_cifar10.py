"""CIFAR-10 in its published layout: found, absent, damaged; no network in any test."""

import hashlib
import pickle
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

from convcheck.core.errors import InputError
from convcheck.training.data.cifar10 import FOLDER, file_states, load_cifar10
from convcheck.training.data.load import load_data


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set in CIFAR-10's layout, with torchvision told its MD5s."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "published" / FOLDER
    place.mkdir(parents=True)
    names = [name for name, _ in (*CIFAR10.train_list, *CIFAR10.test_list)]
    md5s = {}
    for number, name in enumerate(names):
        rows = np.full((2, 3072), number, dtype=np.uint8)
        md5s[name] = write(place / name, {"data": rows, "labels": [number % 10, 0]})
    classes = [f"class {number}" for number in range(10)]
    meta = write(place / CIFAR10.meta["filename"], {"label_names": classes})
    monkeypatch.setattr(CIFAR10, "train_list", [[n, md5s[n]] for n in names[:-1]])
    monkeypatch.setattr(CIFAR10, "test_list", [[names[-1], md5s[names[-1]]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": meta})
    return place.parent


def write(path: Path, value: object) -> str:
    path.write_bytes(pickle.dumps(value))
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_the_published_layout_is_read(published: Path) -> None:
    found = load_data(published)
    assert found.label == "CIFAR-10"
    assert found.train_images.shape == (10, 3, 32, 32)
    assert found.train_images[4, 0, 0, 0] == 2
    assert found.test_images.shape == (2, 3, 32, 32)


def test_a_damaged_file_is_named_and_not_unpickled(published: Path) -> None:
    victim = published / FOLDER / "data_batch_3"
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    states = file_states(published)
    assert [name for name, state in states.items() if state != "good"] == ["data_batch_3"]
    with pytest.raises(InputError, match="CIFAR-10 is not here") as caught:
        load_cifar10(published)
    assert "data_batch_3" in caught.value.why
    assert "MD5" in caught.value.why


def test_the_folder_itself_may_be_named(published: Path) -> None:
    assert load_data(published / FOLDER).label == "CIFAR-10"


def test_a_file_that_cannot_be_read_is_named(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError) as caught:
        load_cifar10(published)
    assert "test_batch Permission denied" in caught.value.why


def test_a_missing_file_is_named(published: Path) -> None:
    (published / FOLDER / "test_batch").unlink()
    with pytest.raises(InputError) as caught:
        load_cifar10(published)
    assert "test_batch absent" in caught.value.why


def test_nothing_anywhere_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_data("cifar10")
    assert f"data/{FOLDER} has none of the 7 files" in caught.value.why
    assert "cifar-10-python.tar.gz" in caught.value.fix
    assert len(str(caught.value).splitlines()) <= 3


def test_a_failed_download_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def refuse(self: CIFAR10) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr(CIFAR10, "download", refuse)
    with pytest.raises(InputError, match="CIFAR-10 is not here") as caught:
        load_cifar10(download=True)
    assert "the download failed (Name or service not known)" in caught.value.why
