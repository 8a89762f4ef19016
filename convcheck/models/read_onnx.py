"""Read an ONNX file without torch: nodes, shapes and attributes, checked by the same rules."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convcheck.core.errors import ConvcheckError, GeometryError, InputError
from convcheck.models.diagnose import diagnose
from convcheck.models.graph import INPUT, PARAMETER, Call, Failure, LayerGraph, Shape, Value
from convcheck.models.guess import GUESSED_SIZES
from convcheck.models.layers import layer_calls, mismatches
from convcheck.models.model_report import ModelReport
from convcheck.models.onnx_ops import Known, called, folded, refused
from convcheck.models.shape_rules import predict

LARGEST_FILE = 1 << 30
"""Bytes up to which a file is parsed."""

_MEMORY = 4 << 30
_CPU_SECONDS = 60


def check_onnx(path: Path, *shapes: Sequence[int]) -> ModelReport:
    """Returns the report of an ONNX file.

    Args:
        path: The file; it is parsed in a child process with limits, without external data.
        *shapes: Shapes of the inputs, in the file's order; those of the file by default.

    Raises:
        InputError: The file cannot be read, is malformed, or leaves an input's shape open.
    """
    graph = read_onnx(path, *shapes) if shapes else _read_guessing(path)
    layers = layer_calls(graph)
    findings = (*mismatches(layers), *diagnose(graph))
    return ModelReport(name=str(path), layers=layers, findings=findings, graph=graph)


def _read_guessing(path: Path) -> LayerGraph:
    """Returns the graph with what the file leaves open guessed: a batch of 1, sizes that run."""
    inputs = _parsed(path, ())["inputs"]
    open_ones = [name for name, dims in inputs if not all(isinstance(n, int) for n in dims)]
    if not open_ones or not all(dims for _, dims in inputs):
        return read_onnx(path)
    for size in GUESSED_SIZES:
        shapes = [
            tuple(n if isinstance(n, int) else 1 if i == 0 else size for i, n in enumerate(dims))
            for _, dims in inputs
        ]
        graph = read_onnx(path, *shapes)
        said = " and ".join(",".join(map(str, shape)) for shape in shapes)
        note = f"guessed --input {said} (the file leaves {', '.join(open_ones)} open)"
        graph = replace(graph, notes=(*graph.notes, note))
        if graph.failure is None or not any(size in shape[1:] for shape in shapes):
            break
    return graph


def read_onnx(path: Path, *shapes: Sequence[int]) -> LayerGraph:
    """Returns the graph of an ONNX file; see `check_onnx`."""
    parsed = _parsed(path, shapes)
    known: dict[str, Known] = {}
    inputs = []
    for i, (name, dims) in enumerate(parsed["inputs"]):
        shape = _static(name, dims, path)
        inputs.append(shape)
        known[name] = Known(value=Value(shape=shape, producer=INPUT, output=i))
    for name, constant in parsed["constants"].items():
        value = Value(shape=tuple(constant["shape"]), producer=PARAMETER, is_activation=False)
        known[name] = Known(value=value, constant=constant["values"])
    calls: list[Call] = []
    failure = None
    for node in _in_order(parsed["nodes"], set(known), path):
        if folded(node, known):
            continue
        try:
            call = called(node, known, len(calls))
            prediction = predict(call) if not call.outputs else None
        except ConvcheckError as error:
            failure = _failure(node, known, len(calls), error)
            break
        if prediction is not None:
            call = replace(call, outputs=(prediction.shape,))
        if not call.outputs:
            inferred = _other_opinion(parsed, node)
            if inferred is None:
                failure = Failure(
                    call=None,
                    path=call.path,
                    kind="UnknownOperator",
                    message=f"{node['op']} is not known to convcheck, nor its shape to onnx: what "
                    "follows was not checked",
                )
                break
            call = replace(call, outputs=(inferred,))
        call = _with_other_opinion(call, parsed, node)
        calls.append(call)
        for i, name in enumerate(node["outputs"]):
            shape = call.outputs[min(i, len(call.outputs) - 1)]
            active = any(v.is_activation for v in call.inputs)
            known[name] = Known(
                value=Value(shape=shape, producer=call.index, output=i, is_activation=active)
            )
    outputs = [known[name].value for name in parsed["outputs"] if name in known]
    return LayerGraph(
        name=parsed["name"] or path.name,
        calls=tuple(calls),
        input_shapes=tuple(inputs),
        output_shapes=tuple(value.shape for value in outputs),
        outputs=tuple(outputs),
        parameters=sum(_count(c["shape"]) for c in parsed["constants"].values()),
        failure=failure,
        method="onnx",
    )


def _parsed(path: Path, shapes: Sequence[Sequence[int]]) -> dict[str, Any]:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read {path}", why=error.strerror or str(error)) from None
    if size > LARGEST_FILE:
        raise InputError(f"{path} has {size} bytes", why=f"at most {LARGEST_FILE} are parsed")
    worker = Path(__file__).with_name("onnx_worker.py")
    arguments = [str(path), str(_MEMORY), str(_CPU_SECONDS), json.dumps([list(s) for s in shapes])]
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(worker), *arguments],
            capture_output=True,
            timeout=2 * _CPU_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{path} takes too long to parse") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        why = f"the parser ended with {done.returncode} {' '.join(last)}"
        raise InputError(f"{path} cannot be parsed", why=why.strip()) from None
    if "missing" in answer:
        raise InputError(
            "ONNX files need the package onnx",
            why=answer["missing"],
            fix='install "convcheck[onnx]"',
        )
    if "error" in answer:
        raise InputError(f"{path} is not a readable ONNX file", why=answer["error"])
    assert isinstance(answer, dict)
    return answer


def _static(name: str, dims: list[Any], path: Path) -> Shape:
    if not dims or not all(isinstance(size, int) for size in dims):
        raise InputError(
            f"input {name!r} of {path} has the shape {dims or 'unknown'}",
            why="it is not fixed in the file",
            fix="give it: --input 1,3,224,224",
        )
    if min(dims) < 1:
        raise InputError(f"input {name!r} of {path} has the shape {dims}", why="extents are >= 1")
    return tuple(dims)


def _in_order(nodes: list[Any], ready: set[str], path: Path) -> list[Any]:
    """Returns the nodes so that each comes after those that it reads.

    Raises:
        InputError: There is a cycle, or a node reads what nothing makes.
    """
    ready = {*ready, ""}
    waiting, ordered = list(nodes), []
    while waiting:
        able = [node for node in waiting if ready.issuperset(node["inputs"])]
        if not able:
            node = waiting[0]
            missing = sorted(set(node["inputs"]) - ready)
            made = {name for other in waiting for name in other["outputs"]}
            why = "they wait for each other" if made & set(missing) else "nothing makes it"
            raise InputError(
                f"the graph of {path} has a cycle or a missing tensor",
                why=f"{node['op']} {node['name']!r} reads {missing[0]!r}: {why}",
            )
        for node in able:
            ready.update(node["outputs"])
        ordered += able
        done = {id(node) for node in able}
        waiting = [node for node in waiting if id(node) not in done]
    return ordered


def _failure(node: Any, known: dict[str, Known], index: int, error: ConvcheckError) -> Failure:
    call: Call | None
    try:
        call = called(node, known, index)
    except GeometryError:
        call = refused(node, known, index)
    return Failure(
        call=call,
        path=node["name"] or node["op"],
        kind="GeometryError",
        message=f"{error.what}: {error.why}" if error.why else error.what,
    )


def _other_opinion(parsed: dict[str, Any], node: Any) -> Shape | None:
    dims = parsed["inferred"].get(node["outputs"][0] if node["outputs"] else "")
    if not dims or not all(isinstance(size, int) for size in dims):
        return None
    return tuple(dims)


def _with_other_opinion(call: Call, parsed: dict[str, Any], node: Any) -> Call:
    """Returns the call with the shape that the file declares or onnx infers, where it is fixed."""
    shape = _other_opinion(parsed, node)
    if call.options.get("ceil_mode") and node["outputs"][0] not in parsed["declared"]:
        return call  # onnx counts a last window that starts in the padding, against its own text
    return replace(call, outputs=(shape,)) if shape is not None else call


def _count(shape: Sequence[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
