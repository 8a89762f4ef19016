"""ATen operators under their functional name, with their arguments in that order.

A scripted or exported model calls ATen itself; what it calls is read like a call of
`torch.nn.functional`.
"""

from __future__ import annotations

from typing import Any

Args = tuple[Any, ...]


def functional(name: str, args: Args) -> tuple[str, Args]:
    """Returns the functional name of an operator, and its arguments in that order.

    Args:
        name: The name, with or without an overload, such as "convolution.default".
        args: Its positional arguments.
    """
    name = name.partition(".")[0] if name[:1] != "." else name
    if name.startswith(("upsample_", "_upsample_")):
        return "interpolate", _resampled(name, args)
    rule = _RULES.get(name)
    return rule(args) if rule else (_NAMES.get(name, name), args)


def _convolution(args: Args) -> tuple[str, Args]:
    x, weight, bias, stride, padding, dilation, transposed, extra, groups = args[:9]
    axes = weight.dim() - 2
    if transposed:
        return f"conv_transpose{axes}d", (
            x, weight, bias, stride, padding, extra, groups, dilation
        )  # fmt: skip
    return f"conv{axes}d", (x, weight, bias, stride, padding, dilation, groups)


def _addmm(args: Args) -> tuple[str, Args]:
    bias, x, weight = args[:3]
    return "linear", (x, weight.t(), bias)


def _batch_norm(args: Args) -> tuple[str, Args]:
    x, weight, bias, mean, variance, training = args[:6]
    return "batch_norm", (x, mean, variance, weight, bias, training)


def _embedding(args: Args) -> tuple[str, Args]:
    weight, indices = args[:2]
    return "embedding", (indices, weight)


def _resampled(name: str, args: Args) -> Args:
    """Returns (input, size, scale_factor): the two forms differ in where the scales stand."""
    size = args[1] if len(args) > 1 else None
    rest = args[2:] if "nearest" in name else args[3:]
    scales = next((a for a in rest if isinstance(a, (list, tuple))), None)
    return args[0], size, scales if size is None else None


_NAMES = {"im2col": "unfold", "col2im": "fold", "unfold": "unfold_axis"}
_RULES = {
    "convolution": _convolution,
    "_convolution": _convolution,
    "addmm": _addmm,
    "native_batch_norm": _batch_norm,
    "cudnn_batch_norm": _batch_norm,
    "batch_norm": _batch_norm,
    "embedding": _embedding,
}
