"""CIFAR-10's binary layout: read, and refused where it is torn, foreign or incomplete."""

from pathlib import Path

import numpy as np
import pytest

from convcheck.core.errors import InputError
from convcheck.training.data.cifar10_binary import FOLDER, NAMES, TEST, TRAIN
from convcheck.training.data.load import load_data

RECORD = 3073


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two records per file: labels 0 and the file's number, red values 7, blue values 9."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / NAMES).write_text("\n".join(f"class {number}" for number in range(10)) + "\n\n")
    for number, name in enumerate((*TRAIN, TEST)):
        records = np.zeros((2, RECORD), dtype=np.uint8)
        records[:, 1 : 1 + 1024], records[:, 1 + 2048 :] = 7, 9
        records[1, 0] = number
        (folder / name).write_bytes(records.tobytes())
    return folder


def test_labels_and_channels_are_where_the_layout_has_them(place: Path) -> None:
    found = load_data(place.parent)
    assert found.classes == tuple(f"class {number}" for number in range(10))
    assert found.train_labels.tolist() == [0, 0, 0, 1, 0, 2, 0, 3, 0, 4]
    assert found.test_labels.tolist() == [0, 5]
    assert found.train_images.shape == (10, 3, 32, 32)
    assert [set(found.train_images[:, at].flat) for at in range(3)] == [{7}, {0}, {9}]
    assert found.label == f"{FOLDER} (CIFAR-10's binary layout, contents not verified)"
    assert load_data(place).sha256() == found.sha256()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda content: content[:-1], "test_batch.bin is truncated or foreign"),
        (lambda content: b"", "test_batch.bin is truncated or foreign"),
        (lambda content: b"<html>", "test_batch.bin is truncated or foreign"),
        (lambda content: b"\x0a" + content[1:], "record 0 has label 10"),
    ],
)
def test_a_damaged_file_is_one_message(place: Path, spoil: object, told: str) -> None:
    assert callable(spoil)
    path = place / TEST
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=told) as caught:
        load_data(place.parent)
    assert "cifar-10-binary.tar.gz" in caught.value.fix


@pytest.mark.parametrize("name", [NAMES, TRAIN[2]])
def test_a_missing_file_is_named(place: Path, name: str) -> None:
    (place / name).unlink()
    with pytest.raises(InputError, match=f"cannot read .*{name}: No such file"):
        load_data(place.parent)


def test_one_class_is_too_few(place: Path) -> None:
    (place / NAMES).write_text("only\n")
    for name in (*TRAIN, TEST):
        (place / name).write_bytes(bytes(RECORD))
    with pytest.raises(InputError, match="has 1 class"):
        load_data(place)
