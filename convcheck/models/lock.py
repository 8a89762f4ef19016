"""Lock files: every layer's shape written down, and what has changed since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from convcheck.core.errors import InputError
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.models.model_report import ModelReport

SCHEMA_VERSION = 1


def lock_values(report: ModelReport) -> dict[str, Any]:
    """Returns what a lock file holds: the input, and path, operator and shapes of each layer."""
    return {
        "schema_version": SCHEMA_VERSION,
        "input_shapes": [list(shape) for shape in report.graph.input_shapes],
        "layers": [
            [layer.path, layer.op, list(layer.input_shape), list(layer.output_shape)]
            for layer in report.layers
        ],
    }


def write_lock(report: ModelReport, path: Path) -> None:
    """Writes the lock file, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    values = lock_values(report)
    layers = ",\n".join("    " + json.dumps(layer) for layer in values["layers"])
    text = (
        f'{{\n  "schema_version": {SCHEMA_VERSION},\n'
        f'  "input_shapes": {json.dumps(values["input_shapes"])},\n'
        f'  "layers": [\n{layers}\n  ]\n}}\n'
    )
    beside = path.with_name(path.name + ".tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}", why=error.strerror or str(error)) from None


def changed(report: ModelReport, path: Path) -> list[Finding]:
    """Returns one finding per layer that differs from the lock file.

    Raises:
        InputError: The file is not a lock file.
    """
    locked = _read(path)
    now = lock_values(report)
    findings = []
    if locked["input_shapes"] != now["input_shapes"]:
        findings.append(
            _difference("input", f"locked for {locked['input_shapes']}", now["input_shapes"], path)
        )
    before, after = locked["layers"], now["layers"]
    for i in range(max(len(before), len(after))):
        old = before[i] if i < len(before) else None
        new = after[i] if i < len(after) else None
        if old != new:
            either = new or old or ["", ""]
            where = either[0] or either[1]
            findings.append(_difference(where, f"layer {i} was {_said(old)}", _said(new), path))
    return findings


def _difference(where: str, before: str, after: Any, path: Path) -> Finding:
    return Finding(
        verdict=Verdict.FAIL,
        code="CC601",
        where=where,
        what=f"{before}, is now {after}",
        why=f"the shapes differ from {path.name}",
        fix=f"if the change is meant, write the lock again: --lock {path}",
    )


def _said(layer: Any) -> str:
    if layer is None:
        return "not there"
    _, op, given, out = layer
    return f"{op} {'x'.join(map(str, given))} -> {'x'.join(map(str, out))}"


def _read(path: Path) -> dict[str, Any]:
    try:
        locked = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}", why=error.strerror or str(error)) from None
    except ValueError as error:
        raise InputError(f"{path} is not a lock file", why=str(error)) from None
    if not isinstance(locked, dict) or locked.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{path} is not a lock file", why=f"schema_version is not {SCHEMA_VERSION}"
        )
    rows = locked.get("layers")
    if not isinstance(rows, list) or not all(
        isinstance(row, list)
        and len(row) == 4
        and isinstance(row[2], list)
        and isinstance(row[3], list)
        for row in rows
    ):
        raise InputError(f"{path} is not a lock file", why="its layers are malformed")
    return {"input_shapes": locked.get("input_shapes"), "layers": list(rows)}
