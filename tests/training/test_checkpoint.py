"""Checkpoints: whole or absent, verified, refused where they are of another run."""

import os
import socket
from pathlib import Path

import pytest
import torch

from convcheck.core.errors import InputError
from convcheck.runtime import atomic
from convcheck.training.checkpoint import (
    Position,
    last_position,
    load_checkpoint,
    save_checkpoint,
)

IDENTITY = {"name": "notes", "epochs": 2, "seed": 0}


def tensors(step: int) -> dict[str, torch.Tensor]:
    return {"network.weight": torch.full((3, 4), float(step)), "generator": torch.arange(8)}


def save(directory: Path, step: int) -> None:
    position = Position(step=step, identity=IDENTITY, seconds=1.5, evaluations=((step, 0.25),))
    save_checkpoint(directory, position, tensors(step))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save(tmp_path, 7)
    loaded = load_checkpoint(tmp_path, IDENTITY)
    assert loaded is not None
    position, found = loaded
    assert position == Position(step=7, identity=IDENTITY, seconds=1.5, evaluations=((7, 0.25),))
    assert all(torch.equal(found[name], value) for name, value in tensors(7).items())


def test_no_run_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path, IDENTITY) is None
    assert last_position(tmp_path) is None


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        save(tmp_path, step)
    assert {path.stem for path in tmp_path.iterdir()} == {"step-00000010", "step-00000015"}
    position = last_position(tmp_path)
    assert position is not None
    assert position.step == 15


@pytest.mark.parametrize("at", [0, 40, -1])
def test_one_flipped_bit_is_noticed(tmp_path: Path, at: int) -> None:
    save(tmp_path, 5)
    save(tmp_path, 10)
    path = tmp_path / "step-00000010.safetensors"
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="step-00000010.safetensors is damaged") as caught:
        load_checkpoint(tmp_path, IDENTITY)
    assert "SHA-256" in caught.value.why
    assert "step-00000005" in caught.value.fix


def test_the_way_out_that_the_message_names_works(tmp_path: Path) -> None:
    save(tmp_path, 5)
    save(tmp_path, 10)
    (tmp_path / "step-00000010.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="damaged") as caught:
        load_checkpoint(tmp_path, IDENTITY)
    assert "remove step-00000010.json" in caught.value.fix
    (tmp_path / "step-00000010.json").unlink()
    loaded = load_checkpoint(tmp_path, IDENTITY)
    assert loaded is not None
    assert loaded[0].step == 5


@pytest.mark.parametrize("content", ["", "{", "[]", '{"step": 5}', "<html>"])
def test_malformed_facts_are_one_message(tmp_path: Path, content: str) -> None:
    save(tmp_path, 5)
    (tmp_path / "step-00000005.json").write_text(content)
    with pytest.raises(InputError, match="step-00000005.json is damaged"):
        load_checkpoint(tmp_path, IDENTITY)


def test_missing_tensors_are_one_message(tmp_path: Path) -> None:
    save(tmp_path, 5)
    (tmp_path / "step-00000005.safetensors").unlink()
    with pytest.raises(InputError, match="is damaged"):
        load_checkpoint(tmp_path, IDENTITY)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 5)
    with pytest.raises(InputError, match="epochs 2, now 3") as caught:
        load_checkpoint(tmp_path, {**IDENTITY, "epochs": 3})
    assert "undisturbed" in caught.value.why


def test_what_killed_processes_left_goes_and_the_rest_stays(tmp_path: Path) -> None:
    save(tmp_path, 5)
    half = f".step-00000009.safetensors.{socket.gethostname()}"
    orphan = tmp_path / f"{half}-999999999-0.tmp"
    alive = tmp_path / f"{half}-{os.getpid()}-0.tmp"
    for path in (orphan, alive, tmp_path / "mine.tmp"):
        path.write_text("half")
    load_checkpoint(tmp_path, IDENTITY)
    assert not orphan.exists()
    assert alive.exists()
    assert (tmp_path / "mine.tmp").exists()


@pytest.mark.parametrize("function", ["fsync", "open"])
def test_a_full_disk_is_one_message_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    save(tmp_path, 5)

    def refuse(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, function, refuse)
    with pytest.raises(InputError, match="cannot write") as caught:
        save(tmp_path, 10)
    assert caught.value.why == "No space left on device"
    monkeypatch.undo()
    assert not list(tmp_path.glob("*.tmp"))
    loaded = load_checkpoint(tmp_path, IDENTITY)
    assert loaded is not None
    assert torch.equal(loaded[1]["network.weight"], tensors(5)["network.weight"])
