"""Names of each operator's arguments, so that a call is read the same however it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = (*_CONV[:5], "output_padding", "groups", "dilation")
_MAX = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_AVG = ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
_SLIDING = ("input", "kernel_size", "dilation", "padding", "stride")

SIGNATURES: dict[str, tuple[str, ...]] = {
    **{f"conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _TRANSPOSED for n in (1, 2, 3)},
    **{f"max_pool{n}d": _MAX for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _AVG for n in (1, 2, 3)},
    **{
        f"lp_pool{n}d": ("input", "norm_type", "kernel_size", "stride", "ceil_mode")
        for n in (1, 2, 3)
    },
    **{f"adaptive_avg_pool{n}d": ("input", "output_size") for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": ("input", "output_size") for n in (1, 2, 3)},
    **{
        f"fractional_max_pool{n}d": ("input", "kernel_size", "output_size", "output_ratio")
        for n in (2, 3)
    },
    **{
        f"max_unpool{n}d": ("input", "indices", "kernel_size", "stride", "padding", "output_size")
        for n in (1, 2, 3)
    },
    "unfold": _SLIDING,
    "fold": ("input", "output_size", *_SLIDING[1:]),
    "pixel_shuffle": ("input", "upscale_factor"),
    "pixel_unshuffle": ("input", "downscale_factor"),
    "channel_shuffle": ("input", "groups"),
    "interpolate": ("input", "size", "scale_factor", "mode", "align_corners"),
    "pad": ("input", "pad", "mode", "value"),
    "flatten": ("input", "start_dim", "end_dim"),
    "unflatten": ("input", "dim", "sizes"),
    "view": ("input", "shape"),
    "reshape": ("input", "shape"),
    "linear": ("input", "weight", "bias"),
    "bilinear": ("input1", "input2", "weight", "bias"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training"),
    "instance_norm": ("input", "running_mean", "running_var", "weight", "bias", "use_input_stats"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "rms_norm": ("input", "normalized_shape", "weight", "eps"),
    "group_norm": ("input", "num_groups", "weight", "bias", "eps"),
    "embedding": ("input", "weight"),
    "prelu": ("input", "weight"),
    "cat": ("tensors", "dim"),
    "stack": ("tensors", "dim"),
    "chunk": ("input", "chunks", "dim"),
    "split": ("input", "split_size_or_sections", "dim"),
    "narrow": ("input", "dim", "start", "length"),
    "select": ("input", "dim", "index"),
    "permute": ("input", "dims"),
    "transpose": ("input", "dim0", "dim1"),
    "squeeze": ("input", "dim"),
    "unsqueeze": ("input", "dim"),
    "mean": ("input", "dim", "keepdim"),
    "sum": ("input", "dim", "keepdim"),
    "amax": ("input", "dim", "keepdim"),
    "max": ("input", "dim", "keepdim"),
    "roll": ("input", "shifts", "dims"),
    "softmax": ("input", "dim"),
    "getitem": ("input", "index"),
}  # fmt: skip

_ALIASES = {
    "max_pool1d_with_indices": "max_pool1d",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "adaptive_max_pool1d_with_indices": "adaptive_max_pool1d",
    "adaptive_max_pool2d_with_indices": "adaptive_max_pool2d",
    "adaptive_max_pool3d_with_indices": "adaptive_max_pool3d",
    "fractional_max_pool2d_with_indices": "fractional_max_pool2d",
    "fractional_max_pool3d_with_indices": "fractional_max_pool3d",
    "concat": "cat",
    "concatenate": "cat",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "iadd": "add",
    "radd": "add",
    "isub": "sub",
    "rsub": "sub",
    "subtract": "sub",
    "imul": "mul",
    "rmul": "mul",
    "multiply": "mul",
    "truediv": "div",
    "rmatmul": "matmul",
    "upsample": "interpolate",
    "reshape_as": "reshape",
    "view_as": "view",
    "_softmax": "softmax",
}  # fmt: skip


def operator_name(name: str) -> str:
    """Returns the functional name of an operator: `add_`, `__iadd__` and `add` are all "add"."""
    if name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
    elif name.endswith("_"):
        name = name.rstrip("_")
    return _ALIASES.get(name, name)


def bound_options(
    op: str, args: Sequence[Any], kwargs: Mapping[str, Any], is_tensor: Callable[[Any], bool]
) -> dict[str, Any]:
    """Returns the arguments that are not tensors, by name; empty for an operator not known here.

    Args:
        op: The operator's functional name.
        args: Positional arguments.
        kwargs: Keyword arguments.
        is_tensor: Tells a tensor from another value.
    """
    names = SIGNATURES.get(op)
    if names is None:
        return {}
    if op in ("view", "reshape", "permute") and len(args) > 2:
        args = (args[0], tuple(args[1:]))
    given = dict(_named(names, args))
    for name, value in kwargs.items():
        given["input" if name == "self" else name] = value
    if "size" in given and op in ("view", "reshape"):
        given["shape"] = given.pop("size")
    return {name: value for name, value in given.items() if not _holds_tensor(value, is_tensor)}


def _named(names: Sequence[str], args: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return zip(names, args, strict=False)


def _holds_tensor(value: Any, is_tensor: Callable[[Any], bool]) -> bool:
    if isinstance(value, (list, tuple)):
        return any(is_tensor(item) for item in value)
    return is_tensor(value)
