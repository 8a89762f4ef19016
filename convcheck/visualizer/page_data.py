"""What the page is given: a traced stack of layers, a case; plain values, and their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, prod
from typing import Any

from convcheck.core.case import Case
from convcheck.core.errors import GeometryError, UsageError
from convcheck.core.ops import find_op
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import Pair
from convcheck.core.spec import ConvSpec, PoolSpec

_LARGEST_CASE = 20_000
_MOST_LAYERS = 400
_LONGEST_NAME = 200

_WINDOWS = {
    "conv": "cross_correlation",
    "conv_transpose": "conv_transpose",
    "max_pool": "max_pool",
    "avg_pool": "avg_pool",
}
_ELEMENTWISE = frozenset(
    (
        "relu", "relu_", "relu6", "leaky_relu", "elu", "gelu", "silu", "hardswish", "hardtanh",
        "sigmoid", "tanh", "softplus", "mish", "prelu", "dropout", "dropout1d", "dropout2d",
        "dropout3d", "batch_norm", "instance_norm", "group_norm", "local_response_norm",
    )
)  # fmt: skip

_RESHAPES = frozenset(("flatten", "reshape", "view", "squeeze", "unsqueeze"))

Values = Any
"""Nested sequences of numbers, or an array with `tolist`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLayer:
    """One layer call, for the page: what it is called, what it does, its geometry.

    Attributes:
        name: Its path in the model; text from outside.
        op: A functional name such as "conv2d", "relu", "linear".
        input_shape: Shape of its input, (N, C, *spatial).
        output_shape: Shape of its output.
        kernel_size: Taps per axis, for a window.
        stride: Step per axis.
        padding: One (before, after) pair per axis.
        dilation: Distance between taps, per axis.
        output_padding: Elements added after, per axis, for a transposed convolution.
        ceil_mode: Whether a pooling rounds up.
    """

    name: str
    op: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel_size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[Pair, ...] = ()
    dilation: tuple[int, ...] = ()
    output_padding: tuple[int, ...] = ()
    ceil_mode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStack:
    """A traced model: its name and its layer calls, in call order."""

    name: str
    layers: tuple[PageLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCase:
    """A case with its arrays.

    Attributes:
        case: A forward convolution, transposed convolution or pooling with one or two axes.
        input: The input, (N, C, *spatial).
        expected: The exact output, or None where the call must be refused.
        weight: The kernel as torch stores it, or None.
        bias: One value per output channel, or None.
        bound: Largest difference allowed from `expected`, per element; none allowed where None.
        actual: What the implementation returned, or None where none was run.
        message: What else to tell: the refusal, or the fault.
    """

    case: Case
    input: Values
    expected: Values | None
    weight: Values | None = None
    bias: Values | None = None
    bound: Values | None = None
    actual: Values | None = None
    message: str = ""


def stack_json(stack: PageStack) -> dict[str, Any]:
    """Returns the part of the model that can be drawn as one chain, and says what is left out.

    A chain follows the calls in order. A call whose input is not the output of the chain so far
    (a branch of a residual block, say) cannot be drawn in it and is left out, by name. After a
    layer that mixes everything only such layers can follow.
    """
    chain: list[dict[str, Any]] = []
    left: list[str] = []
    first = next((layer for layer in stack.layers if len(layer.input_shape) > 2), None)
    extents = tuple(first.input_shape[2:]) if first else (1,)
    now = extents
    for layer in stack.layers:
        given = tuple(layer.input_shape[2:])
        made = tuple(layer.output_shape[2:])
        name = layer.name[:_LONGEST_NAME]
        kind = _kind(layer)
        is_mixed = bool(chain) and chain[-1]["op"] == "whole"
        if kind == "reshape":
            continue
        if len(chain) >= _MOST_LAYERS or (is_mixed and kind != "whole"):
            left.append(name or layer.op)
        elif kind == "whole":
            chain.append({"name": name, "op": "whole", "kind": layer.op, "size": 1})
        elif given != now or kind == "other" or (kind == "same" and made != now):
            left.append(name or layer.op)
        elif kind != "same":
            chain.append({"name": name, "op": kind, "kind": layer.op, "axes": _axes(layer)})
            now = made
    for entry in chain:
        entry.setdefault("axes", [{} for _ in extents])
    note = f"Left out of the chain: {', '.join(left[:20])}" if left else ""
    more = f" and {len(left) - 20} more" if len(left) > 20 else ""
    return {
        "name": stack.name[:_LONGEST_NAME],
        "input": list(extents),
        "layers": chain,
        "left": [note + more + "."] if note else [],
    }


def _kind(layer: PageLayer) -> str:
    family = layer.op.rstrip("d").rstrip("123")
    if family in _WINDOWS and layer.kernel_size:
        return _WINDOWS[family]
    if layer.op in _ELEMENTWISE:
        return "same"
    if layer.op in _RESHAPES:
        return "reshape"
    if len(layer.output_shape) <= 2 or prod(layer.output_shape[2:]) == 1:
        return "whole"
    return "other"


def _axes(layer: PageLayer) -> list[dict[str, Any]]:
    """Returns the window per axis: what differs from the page's default, (before, after) as p."""
    axes = range(len(layer.kernel_size))
    extra = layer.output_padding or (0,) * len(axes)
    return [
        {
            "kernel": layer.kernel_size[axis],
            **({"stride": layer.stride[axis]} if layer.stride[axis] != 1 else {}),
            **({"p": list(layer.padding[axis])} if layer.padding[axis] != (0, 0) else {}),
            **({"dilation": layer.dilation[axis]} if layer.dilation[axis] != 1 else {}),
            **({"outputPadding": extra[axis]} if extra[axis] else {}),
            **({"ceil": True} if layer.ceil_mode else {}),
        }
        for axis in axes
    ]


def case_json(given: PageCase) -> dict[str, Any]:
    """Returns the case as JSON values, its arrays nested as [n][c][row][column].

    Raises:
        UsageError: The case has no picture: a loss, a backward call, three axes, or too large.
    """
    check_drawable(given.case)
    case, spec = given.case, given.case.spec
    assert isinstance(spec, (ConvSpec, PoolSpec))
    lead = 2 - spec.axes
    ones = (1,) * lead
    assert spec.stride is not None
    pads = ((0, 0),) * lead + spec.padding_pairs()
    extra = spec.output_padding if isinstance(spec, ConvSpec) else (0,) * spec.axes
    axes = [
        {
            "size": size, "kernel": kernel, "stride": stride, "dilation": dilation,
            "before": before, "after": after, "outputPadding": more,
        }
        for size, kernel, stride, dilation, (before, after), more in zip(
            ones + case.spatial, ones + spec.kernel_size, ones + spec.stride,
            ones + spec.dilation, pads, (0,) * lead + extra, strict=True,
        )
    ]  # fmt: skip
    layer = {
        "op": _WINDOWS[find_op(case.op).family],
        "axes": axes,
        "mode": spec.padding_mode if isinstance(spec, ConvSpec) else "zeros",
        "ceil": isinstance(spec, PoolSpec) and spec.ceil_mode,
        "includePad": not isinstance(spec, PoolSpec) or spec.count_include_pad,
    }
    return {
        "descriptor": str(case),
        "layer": layer,
        "groups": spec.groups if isinstance(spec, ConvSpec) else 1,
        "input": _planes(given.input, lead),
        "weight": _planes(given.weight, lead),
        "bias": None if given.bias is None else [_cell(value) for value in _listed(given.bias)],
        "expected": _planes(given.expected, lead),
        "bound": _planes(given.bound, lead),
        "actual": _planes(given.actual, lead),
        "message": given.message[:2000],
    }


def check_drawable(case: Case) -> None:
    """Raises a `UsageError` unless the page can draw the case: forward, one or two axes, small."""
    spec = case.spec
    family = find_op(case.op).family
    if family not in _WINDOWS or not isinstance(spec, (ConvSpec, PoolSpec)) or spec.axes > 2:
        raise UsageError(
            f"{case.op} has no picture",
            why="the page draws forward convolutions and poolings with one or two axes",
            where=str(case),
        )
    if not 0 < prod(case.input_shape()) <= _LARGEST_CASE:
        raise UsageError(
            f"an input of {prod(case.input_shape())} elements is not drawn",
            why=f"a picture takes 1 to {_LARGEST_CASE} of them",
            where=str(case),
        )
    weights = prod(spec.weight_shape()) if isinstance(spec, ConvSpec) else prod(spec.kernel_size)
    try:
        made = prod(output_shape(case))
    except GeometryError:
        made = 0
    if max(weights, made) > _LARGEST_CASE:
        raise UsageError(
            f"{max(weights, made)} weights or outputs are not drawn",
            why=f"a picture takes at most {_LARGEST_CASE} of them",
            where=str(case),
        )


def _planes(values: Values | None, lead: int) -> list[Any] | None:
    if values is None:
        return None
    return [
        [[_row(channel)] if lead else [_row(row) for row in channel] for channel in batch]
        for batch in _listed(values)
    ]


def _listed(values: Values) -> Sequence[Any]:
    return values.tolist() if hasattr(values, "tolist") else values


def _row(values: Sequence[Any]) -> list[float | int | str]:
    return [_cell(value) for value in values]


def _cell(value: Any) -> float | int | str:
    """Returns a number that JSON and JavaScript hold exactly, or its text."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else str(value)
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    return float(value) if isfinite(value) else str(value)
