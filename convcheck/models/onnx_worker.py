"""The child process that parses an ONNX file: nodes, shapes and small constants as JSON on stdout.

It runs under limits on memory and processor time, never loads external data, and imports nothing
of convcheck but this file: `python onnx_worker.py FILE MEMORY_BYTES CPU_SECONDS SHAPES_JSON`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

_LARGEST_CONSTANT = 1024
"""Elements up to which the values of a constant are handed over (shapes, pads, scales)."""


class _RefusedError(Exception):
    """The file is refused; the message says why."""


def main() -> int:
    """Parses the file named on the command line; returns the exit code."""
    path, memory, seconds, shapes = sys.argv[1:5]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    try:
        answer = _parsed(path, json.loads(shapes))
    except _RefusedError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "parsing takes more memory than is allowed"}
    except ImportError as error:
        answer = {"missing": str(error)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:300]}"}
    json.dump(answer, sys.stdout)
    return 0


def _parsed(path: str, shapes: list[list[int]]) -> dict[str, Any]:
    import onnx

    model = onnx.load(path, load_external_data=False)
    graph = model.graph
    if not graph.node:
        raise _RefusedError("it has no graph with nodes; an empty or foreign file parses as such")
    constants = {}
    for tensor in graph.initializer:
        _check_tensor(tensor)
        constants[tensor.name] = _tensor(tensor)
    given = [value for value in graph.input if value.name not in constants]
    for value, shape in zip(given, shapes, strict=False):
        dims = value.type.tensor_type.shape.dim
        del dims[:]
        for size in shape:
            dims.add().dim_value = size
    nodes = [_node(node) for node in graph.node]
    inputs = [[value.name, _dims(value)] for value in given]
    outputs = [value.name for value in graph.output]
    return {
        "name": graph.name,
        "inputs": inputs,
        "outputs": outputs,
        "constants": constants,
        "nodes": nodes,
        "declared": [value.name for value in (*graph.value_info, *graph.output) if _dims(value)],
        "inferred": _inferred(onnx, model),
    }


def _inferred(onnx: Any, model: Any) -> dict[str, list[Any]]:
    """Returns the shapes that onnx infers, as the other opinion to compare the formula with."""
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > 8 * _LARGEST_CONSTANT:
            tensor.ClearField("raw_data")
    try:
        whole = onnx.shape_inference.infer_shapes(model)
    except Exception:
        return {}
    values = [*whole.graph.value_info, *whole.graph.output]
    return {value.name: _dims(value) for value in values}


def _dims(value: Any) -> list[Any]:
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return []
    return [d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in kind.shape.dim]


def _check_tensor(tensor: Any) -> None:
    import math

    import onnx

    for entry in tensor.external_data:
        if entry.key == "location":
            place = PurePosixPath(entry.value)
            if place.is_absolute() or ".." in place.parts or PureWindowsPath(entry.value).drive:
                raise _RefusedError(
                    f"tensor {tensor.name!r} points outside of the file's folder: {entry.value!r}"
                )
    if any(size < 0 for size in tensor.dims):
        raise _RefusedError(f"tensor {tensor.name!r} has a negative extent: {list(tensor.dims)}")
    if tensor.raw_data and tensor.data_type in onnx.TensorProto.DataType.values():
        width = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        claimed = math.prod(tensor.dims) * width
        if claimed != len(tensor.raw_data) and width >= 1 and tensor.data_type < 17:
            raise _RefusedError(
                f"tensor {tensor.name!r} claims {claimed} bytes and holds {len(tensor.raw_data)}"
            )


def _tensor(tensor: Any) -> dict[str, Any]:
    import math

    from onnx import numpy_helper

    count = math.prod(tensor.dims)
    values = None
    if count <= _LARGEST_CONSTANT and not tensor.external_data:
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind in "iuf" and array.ndim <= 1:
            values = [v.item() for v in array.reshape(-1)]
    return {"shape": list(tensor.dims), "values": values}


def _node(node: Any) -> dict[str, Any]:
    import onnx

    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.TENSOR:
            _check_tensor(attribute.t)
            attributes[attribute.name] = _tensor(attribute.t)
        elif attribute.type in (
            onnx.AttributeProto.INT,
            onnx.AttributeProto.FLOAT,
            onnx.AttributeProto.INTS,
            onnx.AttributeProto.FLOATS,
            onnx.AttributeProto.STRING,
        ):
            value = onnx.helper.get_attribute_value(attribute)
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            attributes[attribute.name] = (
                list(value) if not isinstance(value, (int, float, str)) else value
            )
    return {
        "op": node.op_type,
        "name": node.name,
        "inputs": list(node.input),
        "outputs": list(node.output),
        "attributes": attributes,
    }


if __name__ == "__main__":
    sys.exit(main())
