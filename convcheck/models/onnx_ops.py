"""ONNX operators by their functional names, with torch's arguments: auto_pad and pads solved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from convcheck.core.errors import GeometryError
from convcheck.models.graph import Call, Shape, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A named tensor: what is known of it, and its values where it is a small constant."""

    value: Value
    constant: Sequence[Any] | None = None


def folded(node: Mapping[str, Any], known: dict[str, Known]) -> bool:
    """Computes a node that only works on shapes and constants; returns whether it was one."""
    op, attributes = node["op"], node["attributes"]
    given = [known[name] for name in node["inputs"] if name]
    values: Sequence[Any] | None = None
    shape: Shape | None = None
    if op == "Constant":
        held = attributes.get("value")
        if isinstance(held, dict):
            values, shape = held["values"], tuple(held["shape"])
        else:
            one = next(iter(attributes.values()), None)
            values = one if isinstance(one, list) else [one]
            shape = (len(values),) if isinstance(one, list) else ()
    elif op == "Shape":
        values = list(given[0].value.shape)[attributes.get("start", 0) : attributes.get("end")]
    elif given and all(g.constant is not None for g in given) and op in _FOLDING:
        values = _FOLDING[op]([list(g.constant or ()) for g in given], attributes)
    else:
        return False
    if shape is None:
        shape = (len(values or ()),)
    value = Value(shape=shape, producer=-3, is_activation=False)
    known[node["outputs"][0]] = Known(value=value, constant=values)
    return True


_FOLDING: dict[str, Callable[[list[list[Any]], Mapping[str, Any]], list[Any]]] = {
    "Gather": lambda given, _: [given[0][int(i)] for i in given[1]],
    "Concat": lambda given, _: [item for part in given for item in part],
    "Unsqueeze": lambda given, _: given[0],
    "Squeeze": lambda given, _: given[0],
    "Cast": lambda given, _: [int(v) if float(v).is_integer() else v for v in given[0]],
    "Add": lambda given, _: [a + b for a, b in _paired(given)],
    "Sub": lambda given, _: [a - b for a, b in _paired(given)],
    "Mul": lambda given, _: [a * b for a, b in _paired(given)],
    "Div": lambda given, _: [a // b for a, b in _paired(given)],
    "Slice": lambda given, _: given[0][
        given[1][0] : given[2][0] : given[4][0] if len(given) > 4 else 1
    ],
    "Identity": lambda given, _: given[0],
}


def _paired(given: list[list[Any]]) -> list[tuple[Any, Any]]:
    a, b = given
    longest = max(len(a), len(b))
    return list(zip(a * (longest // len(a)), b * (longest // len(b)), strict=True))


def called(node: Mapping[str, Any], known: Mapping[str, Known], index: int) -> Call:
    """Returns a node as a call; its outputs are empty where `shape_rules` knows the operator.

    Raises:
        GeometryError: Its attributes contradict each other.
    """
    given = [known[name] for name in node["inputs"] if name]
    tensors = tuple(item.value for item in given)
    op, options, outputs = _translated(node, given)
    return Call(
        index=index,
        op=op,
        path=node["name"] or node["outputs"][0],
        inputs=_linear_inputs(node, tensors) if op == "linear" else tensors,
        outputs=outputs,
        options=options,
        parameters=sum(prod(v.shape) for v in tensors if v.producer == -2),
    )


def refused(node: Mapping[str, Any], known: Mapping[str, Known], index: int) -> Call | None:
    """Returns a node whose shapes do not fit as a call without outputs, for its diagnosis."""
    kind, given = node["op"], [known[name] for name in node["inputs"] if name]
    op = {"Concat": "cat", "Reshape": "reshape", **_COMBINING}.get(kind)
    if op is None:
        return None
    options: dict[str, Any] = {}
    if op == "cat":
        options["dim"] = node["attributes"].get("axis", 0)
    if op == "reshape":
        options["shape"] = tuple(given[1].constant or ()) if len(given) > 1 else ()
        given = given[:1]
    return Call(
        index=index,
        op=op,
        path=node["name"] or node["outputs"][0],
        inputs=tuple(item.value for item in given),
        outputs=(),
        options=options,
    )


def _translated(
    node: Mapping[str, Any], given: list[Known]
) -> tuple[str, dict[str, Any], tuple[Shape, ...]]:
    kind, attributes = node["op"], node["attributes"]
    shape = given[0].value.shape if given else ()
    rank = len(shape) - 2
    if kind in ("Conv", "ConvTranspose"):
        return _conv(kind, attributes, given)
    if kind in ("MaxPool", "AveragePool", "LpPool"):
        name = {"MaxPool": "max", "AveragePool": "avg", "LpPool": "lp"}[kind]
        kernel = attributes.get("kernel_shape", [])
        options = _window(attributes, shape[2:], kernel)
        options["kernel_size"] = tuple(kernel)
        options["ceil_mode"] = bool(attributes.get("ceil_mode", 0))
        return f"{name}_pool{rank}d", options, ()
    if kind in ("GlobalAveragePool", "GlobalMaxPool"):
        name = "avg" if "Average" in kind else "max"
        return f"adaptive_{name}_pool{rank}d", {"output_size": 1}, ()
    if kind == "Gemm" or (kind == "MatMul" and len(given[1].value.shape) == 2):
        return "linear", {}, ()
    if kind == "Flatten":
        axis = attributes.get("axis", 1) % (len(shape) or 1)
        kept = (prod(shape[:axis]), prod(shape[axis:]))
        # ONNX always gives two axes; at axis 1 that is torch's flatten.
        return ("flatten", {"start_dim": 1}, (kept,)) if axis == 1 else ("reshape", {}, (kept,))
    if kind == "Reshape":
        return "reshape", {}, (_reshaped(shape, given),)
    if kind == "BatchNormalization":
        return "batch_norm", {"training": bool(attributes.get("training_mode", 0))}, ()
    if kind == "InstanceNormalization":
        return "instance_norm", {"use_input_stats": True}, ()
    if kind == "Concat":
        axis = attributes["axis"] % len(shape)
        return "cat", {"dim": axis}, (_joined([g.value.shape for g in given], axis),)
    if kind == "Transpose":
        order = attributes.get("perm", list(range(len(shape)))[::-1])
        return "permute", {"dims": tuple(order)}, (tuple(shape[i] for i in order),)
    if kind in ("DepthToSpace", "SpaceToDepth"):
        name, key = (
            ("pixel_shuffle", "up") if kind == "DepthToSpace" else ("pixel_unshuffle", "down")
        )
        return name, {f"{key}scale_factor": attributes["blocksize"]}, ()
    if kind == "Pad":
        return "pad", *_padded(node, given)
    if kind in ("Resize", "Upsample"):
        return _resized(node, given)
    if kind in _KEEPING:
        return _KEEPING[kind], {}, (shape,)
    if kind in _COMBINING:
        return _COMBINING[kind], {}, (_broadcast([g.value.shape for g in given], kind),)
    return kind, {}, ()


def _conv(
    kind: str, attributes: Mapping[str, Any], given: list[Known]
) -> tuple[str, dict[str, Any], tuple[Shape, ...]]:
    shape, weight = given[0].value.shape, given[1].value.shape
    rank = len(weight) - 2
    kernel = attributes.get("kernel_shape", list(weight[2:]))
    if tuple(kernel) != weight[2:]:
        raise GeometryError(
            f"kernel_shape {tuple(kernel)} is not that of the weight",
            why=f"the weight is {'x'.join(map(str, weight))}",
        )
    options = _window(attributes, shape[2:], kernel)
    options["groups"] = attributes.get("group", 1)
    if kind == "Conv":
        return f"conv{rank}d", options, ()
    options["output_padding"] = tuple(attributes.get("output_padding", [0] * rank))
    _solve_output_shape(attributes, shape[2:], kernel, options)
    return f"conv_transpose{rank}d", options, ()


def _solve_output_shape(
    attributes: Mapping[str, Any], extents: Shape, kernel: Sequence[int], options: dict[str, Any]
) -> None:
    """Sets the padding that gives a transposed convolution the output size that it asks for.

    References:
        ONNX operators, ConvTranspose: total_padding and how auto_pad splits it.
    """
    mode = attributes.get("auto_pad", "NOTSET")
    wanted = attributes.get("output_shape")
    if wanted is None and mode.startswith("SAME"):
        wanted = [n * s for n, s in zip(extents, options["stride"], strict=True)]
    if wanted is None:
        return
    pairs, extras = [], []
    for n, out, k, s, d, extra in zip(
        extents, wanted[-len(extents) :], kernel, options["stride"], options["dilation"],
        options["output_padding"], strict=True,
    ):  # fmt: skip
        total = (n - 1) * s + extra + d * (k - 1) + 1 - out
        less = max(total, 0) // 2
        more = max(total, 0) - less
        pairs.append((less, more) if mode == "SAME_UPPER" else (more, less))
        extras.append(extra - min(total, 0))
    options["padding"], options["output_padding"] = tuple(pairs), tuple(extras)


def _window(attributes: Mapping[str, Any], extents: Shape, kernel: Sequence[int]) -> dict[str, Any]:
    axes = len(kernel)
    stride = attributes.get("strides", [1] * axes)
    dilation = attributes.get("dilations", [1] * axes)
    pads = attributes.get("pads", [0] * 2 * axes)
    if len(pads) != 2 * axes or len(stride) != axes or len(dilation) != axes:
        raise GeometryError(
            f"the attributes do not fit {axes} axes",
            why=f"pads {pads}, strides {stride}, dilations {dilation}",
        )
    mode = attributes.get("auto_pad", "NOTSET")
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise GeometryError(f"auto_pad {mode!r} does not exist")
    pairs = list(zip(pads[:axes], pads[axes:], strict=True))
    if mode == "VALID":
        pairs = [(0, 0)] * axes
    elif mode.startswith("SAME"):
        pairs = []
        for size, k, s, d in zip(extents, kernel, stride, dilation, strict=True):
            total = max((-(-size // max(s, 1)) - 1) * s + d * (k - 1) + 1 - size, 0)
            less = total // 2
            pairs.append((less, total - less) if mode == "SAME_UPPER" else (total - less, less))
    return {"stride": tuple(stride), "dilation": tuple(dilation), "padding": tuple(pairs)}


def _linear_inputs(node: Mapping[str, Any], tensors: tuple[Value, ...]) -> tuple[Value, ...]:
    """Returns input and weight as linear takes them, the weight as (out, in)."""
    weight = tensors[1]
    turned = node["op"] == "Gemm" and node["attributes"].get("transB", 0)
    if turned:
        return tensors
    shape = weight.shape[::-1]
    flipped = Value(shape=shape, producer=weight.producer, is_activation=weight.is_activation)
    return (tensors[0], flipped, *tensors[2:])


def _reshaped(shape: Shape, given: list[Known]) -> Shape:
    wanted = given[1].constant if len(given) > 1 else None
    if wanted is None:
        raise GeometryError("the new shape is not constant", why="it is computed from values")
    sizes = [shape[i] if n == 0 else int(n) for i, n in enumerate(wanted)]
    known = prod(n for n in sizes if n != -1)
    if -1 in sizes and known and prod(shape) % known == 0:
        sizes[sizes.index(-1)] = prod(shape) // known
    if prod(sizes) != prod(shape):
        raise GeometryError(
            f"{prod(shape)} elements do not fill {tuple(wanted)}",
            why=f"{' x '.join(map(str, shape))} = {prod(shape)}",
        )
    return tuple(sizes)


def _joined(shapes: list[Shape], axis: int) -> Shape:
    first = shapes[0]
    for other in shapes[1:]:
        if other[:axis] + other[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise GeometryError(
                "the shapes to be joined differ on another axis",
                why=" and ".join("x".join(map(str, s)) for s in shapes),
            )
    return (*first[:axis], sum(s[axis] for s in shapes), *first[axis + 1 :])


def _operand(node: Mapping[str, Any], given: list[Known], position: int) -> Sequence[Any] | None:
    """Returns the values of an input by its position; absent ones have an empty name."""
    names = node["inputs"]
    if position >= len(names) or not names[position]:
        return None
    return given[len([name for name in names[:position] if name])].constant


def _padded(
    node: Mapping[str, Any], given: list[Known]
) -> tuple[dict[str, Any], tuple[Shape, ...]]:
    shape = given[0].value.shape
    pads = node["attributes"].get("pads") or _operand(node, given, 1)
    on = _operand(node, given, 3) or range(len(shape))
    axes = [int(axis) % len(shape) for axis in on]
    if pads is None or len(pads) != 2 * len(axes):
        raise GeometryError("the pads are not constant", why=f"{len(axes)} axes take twice as many")
    pairs = [(0, 0)] * len(shape)
    for i, axis in enumerate(axes):
        pairs[axis] = (int(pads[i]), int(pads[i + len(axes)]))
    mode = node["attributes"].get("mode", "constant")
    options = {
        "pad": tuple(n for pair in reversed(pairs) for n in pair),
        "mode": {"edge": "replicate", "wrap": "circular"}.get(mode, mode),
    }
    return options, (tuple(n + sum(pair) for n, pair in zip(shape, pairs, strict=True)),)


def _resized(
    node: Mapping[str, Any], given: list[Known]
) -> tuple[str, dict[str, Any], tuple[Shape, ...]]:
    shape, first = given[0].value.shape, 2 if node["op"] == "Resize" else 1
    scales = _operand(node, given, first) or node["attributes"].get("scales")
    sizes = _operand(node, given, 3)
    if sizes and len(sizes) == len(shape) and tuple(sizes[:2]) == shape[:2]:
        return "interpolate", {"size": tuple(map(int, sizes[2:]))}, ()
    if scales and len(scales) == len(shape) and tuple(scales[:2]) == (1, 1):
        return "interpolate", {"scale_factor": tuple(scales[2:])}, ()
    return node["op"], {}, ()  # channels, or chosen axes: onnx says the shape


def _broadcast(shapes: list[Shape], kind: str) -> Shape:
    rank = max(map(len, shapes))
    result = []
    for column in zip(*((*(1,) * (rank - len(s)), *s) for s in shapes), strict=True):
        sizes = {size for size in column if size != 1}
        if len(sizes) > 1:
            raise GeometryError(
                f"{kind} of {' and '.join('x'.join(map(str, s)) for s in shapes)}",
                why="aligned from the last axis, extents must be equal or 1",
            )
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


_KEEPING = {
    "Relu": "relu", "LeakyRelu": "leaky_relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu",
    "HardSigmoid": "hardsigmoid", "HardSwish": "hardswish", "Softplus": "softplus", "Gelu": "gelu",
    "Clip": "clamp", "Dropout": "dropout", "Identity": "identity", "Cast": "to", "Erf": "erf",
    "Softmax": "softmax", "LogSoftmax": "softmax", "Sqrt": "sqrt", "Exp": "exp", "Neg": "neg",
    "PRelu": "prelu", "Selu": "selu", "Abs": "abs", "Mish": "mish",
    "LayerNormalization": "layer_norm", "LRN": "relu",
}  # fmt: skip
_COMBINING = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Sum": "add",
    "Min": "minimum", "Max": "maximum", "Where": "where",
}  # fmt: skip
