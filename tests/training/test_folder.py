"""A directory of class folders: decoded once, and every way in which it can be wrong."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcheck.core.errors import InputError
from convcheck.training.data import folder as folder_module
from convcheck.training.data.cache import cache_directory
from convcheck.training.data.folder import load_folder
from convcheck.training.data.load import load_data


def test_pictures_are_those_in_the_files(folder: Path) -> None:
    found = load_folder(folder)
    assert found.classes == ("disc", "ring", "square")
    assert found.train_images.shape == (12, 3, 32, 32)
    assert found.train_labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert found.test_labels.tolist() == [0, 0, 1, 1, 2, 2]
    files = sorted((folder / "train" / "ring").iterdir())
    pixels = np.asarray(Image.open(files[1])).transpose(2, 0, 1)
    assert np.array_equal(found.train_images[5], pixels)


def test_the_label_names_the_directory_without_its_path(folder: Path) -> None:
    assert load_folder(folder).label == "pictures (directory of class folders)"


def test_equal_contents_elsewhere_have_the_name_of_their_own_directory(folder: Path) -> None:
    first = load_folder(folder)
    again = load_folder(folder.rename(folder.parent / "moved"))
    assert again.label == "moved (directory of class folders)"
    assert again.sha256() == first.sha256()


def test_a_known_copy_of_cifar10_is_not_called_the_original(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(folder_module._KNOWN.values()) == ["CIFAR-10, JPEG re-encoding"]
    classes = folder_module._classes(folder)
    splits = {
        split: folder_module._list_split(folder, split, classes) for split in ("train", "test")
    }
    key = folder_module._content_key(folder, classes, splits)
    monkeypatch.setitem(folder_module._KNOWN, key, "CIFAR-10, JPEG re-encoding")
    assert load_folder(folder).label == "CIFAR-10, JPEG re-encoding"


def test_a_second_start_decodes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_folder(folder)
    monkeypatch.setattr(folder_module, "_decode", None)
    again = load_folder(folder)
    assert isinstance(again.train_images, np.memmap)
    assert again.sha256() == first.sha256()


def test_a_changed_picture_is_decoded_anew(folder: Path) -> None:
    first = load_folder(folder)
    files = sorted((folder / "train" / "disc").iterdir())
    files[0].write_bytes(files[1].read_bytes())
    again = load_folder(folder)
    assert again.sha256() != first.sha256()
    assert np.array_equal(again.train_images[0], again.train_images[1])


def test_a_damaged_cache_is_made_anew(folder: Path) -> None:
    first = load_folder(folder).sha256()
    stored = next(cache_directory().glob("*/train_images.npy"))
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.write_bytes(content)
    assert load_folder(folder).sha256() == first


def test_what_a_killed_process_left_in_the_cache_goes(folder: Path) -> None:
    orphan = cache_directory() / "abc.999999999.tmp"
    orphan.mkdir(parents=True)
    alive = cache_directory() / f"abc.{os.getpid()}.tmp"
    alive.mkdir()
    load_folder(folder)
    assert not orphan.exists()
    assert alive.exists()


def test_a_cache_that_cannot_be_written_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CONVCHECK_CACHE", str(tmp_path / "file" / "cache"))
    said: list[str] = []
    assert len(load_folder(folder, log=said.append).train_labels) == 12
    assert any("not cached" in line for line in said)


def broken(folder: Path) -> list[Path]:
    files = sorted((folder / "train" / "disc").iterdir()) + sorted((folder / "test/ring").iterdir())
    files[0].write_bytes(files[0].read_bytes()[:200])
    files[1].write_bytes(b"<html>not found</html>")
    files[4].write_bytes(b"")
    return [files[0], files[1], files[4]]


def test_broken_pictures_are_named_and_counted(folder: Path) -> None:
    files = broken(folder)
    with pytest.raises(InputError, match="3 broken pictures") as caught:
        load_folder(folder)
    for path in files:
        assert str(path.relative_to(folder)) in caught.value.why
    assert "--skip-broken" in caught.value.fix
    assert "truncated" in caught.value.why
    assert "the file is empty" in caught.value.why


def test_broken_pictures_are_left_out_on_request(folder: Path) -> None:
    broken(folder)
    said: list[str] = []
    found = load_folder(folder, skip_broken=True, log=said.append)
    assert found.train_labels.tolist() == [0] * 2 + [1] * 4 + [2] * 4
    assert "left out broken pictures: 3" in said
    with pytest.raises(InputError, match="3 broken pictures"):
        load_folder(folder)  # Also from the cache.


def test_many_broken_pictures_are_counted_and_ten_named(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(8):
                (tmp_path / split / name / f"{number}.jpg").write_bytes(b"\xff\xd8 nothing")
    with pytest.raises(InputError, match="16 broken pictures") as caught:
        load_folder(tmp_path)
    assert caught.value.why.endswith("and 6 more")


def test_a_picture_of_another_size_is_named(folder: Path) -> None:
    Image.new("RGB", (16, 16)).save(folder / "train/disc/9999.jpg")
    with pytest.raises(InputError, match="1 broken picture") as caught:
        load_folder(folder)
    assert "(3, 16, 16), where the first picture has (3, 32, 32)" in caught.value.why


def test_png_and_grey_pictures_are_read(folder: Path) -> None:
    Image.new("L", (32, 32), 7).save(folder / "train/disc/9999.png")
    assert (load_folder(folder).train_images[4] == 7).all()


def test_a_directory_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a directory"):
        load_data(tmp_path / "nowhere")


def test_a_split_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match="has no directory test/"):
        load_folder(tmp_path)


def test_an_empty_class_folder(folder: Path) -> None:
    for path in (folder / "train" / "ring").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="ring is empty"):
        load_folder(folder)


def test_a_class_in_one_split_only(folder: Path) -> None:
    (folder / "train" / "cat").mkdir()
    with pytest.raises(InputError, match="'cat' is not in both"):
        load_folder(folder)


def test_a_single_class(folder: Path) -> None:
    for split in ("train", "test"):
        for name in ("ring", "square"):
            for path in (folder / split / name).iterdir():
                path.unlink()
            (folder / split / name).rmdir()
    with pytest.raises(InputError, match="has 1 class"):
        load_folder(folder)


def test_a_cache_of_another_make_is_not_trusted(folder: Path) -> None:
    load_folder(folder)
    facts = next(cache_directory().glob("*/facts.json"))
    facts.write_text(json.dumps({"label": "CIFAR-10"}))
    assert load_folder(folder).label.startswith("pictures")


def test_what_no_decoder_knows_is_called_so(folder: Path) -> None:
    files = sorted((folder / "train" / "disc").iterdir())
    files[0].write_bytes(b"GIF89a nothing")
    with pytest.raises(InputError, match="1 broken picture") as caught:
        load_folder(folder)
    assert caught.value.why == "train/disc/0000.jpg: neither JPEG nor PNG"


def test_what_is_no_file_is_broken_and_nothing_waits_for_it(folder: Path) -> None:
    place = folder / "train" / "disc"
    (place / "a.jpg").mkdir()
    (place / "b.jpg").symlink_to(folder / "nowhere")
    os.mkfifo(place / "c.jpg")
    with pytest.raises(InputError, match="3 broken pictures") as caught:
        load_folder(folder)
    assert caught.value.why.count("no regular file") == 3
    assert len(load_folder(folder, skip_broken=True).train_labels) == 12


def test_a_picture_that_cannot_be_read_is_broken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "0001.jpg":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match="1 broken picture") as caught:
        load_folder(folder)
    assert "0001.jpg: Permission denied" in caught.value.why
    monkeypatch.undo()
    assert len(load_folder(folder).train_labels) == 12  # Not what the cache held for the other.


def test_a_directory_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=r"cannot read .*train: Permission denied"):
        load_folder(folder)


def test_no_class_folders(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
    with pytest.raises(InputError, match="has no class folder"):
        load_folder(tmp_path)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_class_without_any_good_picture(folder: Path, split: str) -> None:
    for path in (folder / split / "ring").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match=f"class 'ring' has no picture in {split}/"):
        load_folder(folder, skip_broken=True)


def test_a_split_without_any_good_picture(folder: Path) -> None:
    for path in (folder / "test").rglob("*.jpg"):
        path.write_bytes(b"\xff\xd8")
    with pytest.raises(InputError, match="6 broken pictures") as caught:
        load_folder(folder, skip_broken=True)
    assert "none is left" in caught.value.fix


def test_names_are_any_bytes(folder: Path) -> None:
    place = folder / "train" / "disc"
    content = (place / "0000.jpg").read_bytes()
    for name in (b"\xff.jpg", "ü\n|`$(x).JPG".encode(), b"  .jpeg"):
        Path(os.fsdecode(os.fsencode(place) + b"/" + name)).write_bytes(content)
    assert len(load_folder(folder).train_labels) == 15
    Path(os.fsdecode(os.fsencode(place) + b"/\xff.jpg")).write_bytes(b"")
    with pytest.raises(InputError) as caught:
        load_folder(folder)
    assert caught.value.why == r"train/disc/\udcff.jpg: the file is empty"


def test_what_is_left_out_by_its_name_is_counted(folder: Path) -> None:
    (folder / "train/disc/Thumbs.db").write_bytes(b"")
    (folder / "test/ring/0.bmp").write_bytes(b"")
    said: list[str] = []
    load_folder(folder, log=said.append)
    assert "left out what is not named .jpg, .jpeg, .png: 2" in said


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("RGBA", "png"), ("LA", "png"), ("P", "png"), ("L", "jpg"), ("CMYK", "jpg"), ("I;16", "png")],
)
def test_other_kinds_of_pictures_are_seen_as_pillow_sees_them(
    folder: Path, mode: str, suffix: str
) -> None:
    source = Image.open(folder / "train/disc/0000.jpg")
    if mode == "I;16":
        grey = np.asarray(source.convert("L"))
        changed, wanted = Image.fromarray(grey.astype(np.uint16) * 257), np.stack([grey] * 3)
    else:
        changed = source.convert(mode)
        wanted = None
    path = folder / f"train/disc/9999.{suffix}"
    changed.save(path)
    if wanted is None:
        wanted = np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)
    found = load_folder(folder).train_images
    assert found.dtype == np.uint8
    assert np.array_equal(found[4], wanted)
