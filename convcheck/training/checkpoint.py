"""Checkpoints: tensors as safetensors, facts as JSON, both whole or absent, verified on reading.

A checkpoint is a pair `step-N.safetensors` and `step-N.json`. The JSON is written last and holds
the SHA-256 of the tensors, because one flipped bit inside them would load silently. The pair
before the last is kept, so that a file damaged later does not lose the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from convcheck.core.errors import InputError
from convcheck.runtime.atomic import sweep, write_atomic

_KEPT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a run stands, and what must agree before it may go on.

    Attributes:
        step: Steps taken.
        identity: What decides every later step: recipe, data, seed, device, versions.
        seconds: Time spent training so far.
        evaluations: (step, test accuracy) after each epoch so far.
        finished: Whether no step is left.
    """

    step: int
    identity: Mapping[str, Any]
    seconds: float = 0.0
    evaluations: tuple[tuple[int, float], ...] = ()
    finished: bool = False


def save_checkpoint(directory: Path, position: Position, tensors: Mapping[str, Tensor]) -> None:
    """Writes a checkpoint into `directory` and removes those that are older than the last two.

    Raises:
        InputError: It cannot be written; those before it stand.
    """
    content = save({name: value.detach().contiguous().cpu() for name, value in tensors.items()})
    facts = {**asdict(position), "sha256": hashlib.sha256(content).hexdigest()}
    place = directory / f"step-{position.step:08d}"
    write_atomic(place.with_suffix(".safetensors"), content)
    write_atomic(place.with_suffix(".json"), json.dumps(facts, indent=1).encode())
    for old in _facts_files(directory)[:-_KEPT]:
        old.unlink(missing_ok=True)
        old.with_suffix(".safetensors").unlink(missing_ok=True)


def last_position(directory: Path) -> Position | None:
    """Returns where the run in `directory` stands, without reading its tensors; None for no run.

    Raises:
        InputError: The file with the facts is malformed.
    """
    files = _facts_files(directory)
    return _read_facts(files[-1])[0] if files else None


def load_checkpoint(
    directory: Path, identity: Mapping[str, Any]
) -> tuple[Position, dict[str, Tensor]] | None:
    """Returns the last checkpoint in `directory`, verified; None where there is none.

    Args:
        directory: Where checkpoints lie; files that a killed process left half-written go.
        identity: What this run is; see `Position`.

    Raises:
        InputError: The checkpoint is damaged, or of another run.
    """
    sweep(directory)
    files = _facts_files(directory)
    if not files:
        return None
    position, digest = _read_facts(files[-1])
    _check_identity(files[-1], position.identity, identity)
    path = files[-1].with_suffix(".safetensors")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _damaged(path, error.strerror or str(error), files) from None
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        why = (
            f"{len(content)} bytes with SHA-256 {found[:12]}..., where {digest[:12]}... was written"
        )
        raise _damaged(path, why, files)
    try:
        return position, load(content)
    except SafetensorError as error:
        raise _damaged(path, str(error), files) from None


def clear_checkpoints(directory: Path) -> None:
    """Removes the checkpoints in `directory`; a run that starts over must not resume from them."""
    for facts in _facts_files(directory):
        facts.unlink()
        facts.with_suffix(".safetensors").unlink(missing_ok=True)


def _facts_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("step-????????.json"))


def _read_facts(path: Path) -> tuple[Position, str]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return Position(
            step=int(facts["step"]),
            identity=dict(facts["identity"]),
            seconds=float(facts["seconds"]),
            evaluations=tuple((int(step), float(value)) for step, value in facts["evaluations"]),
            finished=bool(facts["finished"]),
        ), str(facts["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(
            path, f"{type(error).__name__}: {error}", _facts_files(path.parent)
        ) from None


def _check_identity(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    odd = sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))
    if not odd:
        return
    told = ", ".join(f"{key} {found.get(key)!r}, now {wanted.get(key)!r}" for key in odd)
    raise InputError(
        f"the checkpoint is of another run: it has {told}",
        why="going on would not give the weights of an undisturbed run",
        where=str(path),
        fix="resume with the settings it was made with, or choose another directory with --out",
    )


def _damaged(path: Path, why: str, files: list[Path]) -> InputError:
    earlier = files[-2].stem if len(files) > 1 else ""
    back = f"to go on from {earlier}" if earlier else "to start over"
    return InputError(
        f"the checkpoint {path.name} is damaged",
        why=why,
        where=str(path.parent),
        fix=f"remove {path.stem}.json {back}",
    )
