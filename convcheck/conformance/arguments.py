"""From a case to the arguments of a call, in the words of the op's signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from convcheck.core.case import Case
from convcheck.core.ops import Family, find_op
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec

ArrayKind = Literal["numpy", "torch"]

# The arrays of a call, in order; one that a case does not have is passed as None.
ARRAYS: Mapping[Family, tuple[str, ...]] = {
    "conv": ("x", "w", "b"),
    "conv_transpose": ("x", "w", "b"),
    "conv_backward": ("grad_output", "x", "w"),
    "conv_transpose_backward": ("grad_output", "x", "w"),
    "max_pool": ("x",),
    "avg_pool": ("x",),
    "cross_entropy": ("input", "target"),
    "kl_div": ("input", "target"),
    "convolve": ("f", "g"),
    "output_size": (),
}

# What follows them, in order.
PARAMETERS: Mapping[Family, tuple[str, ...]] = {
    "conv": ("stride", "padding", "dilation", "groups"),
    "conv_transpose": ("stride", "padding", "output_padding", "groups", "dilation"),
    "conv_backward": ("stride", "padding", "dilation", "groups"),
    "conv_transpose_backward": ("stride", "padding", "output_padding", "groups", "dilation"),
    "max_pool": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    "cross_entropy": ("reduction", "label_smoothing"),
    "kl_div": ("reduction", "log_target"),
    "convolve": ("mode",),
    "output_size": ("input_size", "kernel_size", "stride", "padding", "dilation"),
}


def parameters(case: Case) -> dict[str, Any]:
    """Returns the parameters of the call by name, in the order of the signature."""
    names = PARAMETERS[find_op(case.op).family]
    return {name: _parameter(case, name) for name in names}


def not_callable(case: Case, kind: ArrayKind) -> str | None:
    """Returns why the call of `case` cannot be made at all, None if it can.

    Such a case says nothing about a function: it must be left out, and counted as left out.
    """
    spec = case.spec
    if kind == "numpy" and case.dtype == "bfloat16":
        return "NumPy has no bfloat16"
    if kind == "torch" and case.layout == "reversed":
        return "torch has no negative strides"
    if isinstance(spec, ConvSpec) and spec.padding_mode != "zeros":
        return f"{case.op} has no parameter for {spec.padding_mode} padding"
    if isinstance(spec, (ConvSpec, PoolSpec)) and not isinstance(spec.padding, str):
        for before, after in spec.padding:
            if before != after:
                return f"{case.op} has no way to pass padding {before}:{after}"
    return None


def _parameter(case: Case, name: str) -> Any:
    spec = case.spec
    if name == "input_size":
        return _window(case.spatial, as_int=True)
    if isinstance(spec, LossSpec):
        value = getattr(spec, name)
        return value / 100 if name == "label_smoothing" else value
    if isinstance(spec, SequenceSpec):
        return spec.mode
    value = getattr(spec, name)
    if name in ("groups", "ceil_mode", "count_include_pad") or isinstance(value, str):
        return value
    if name == "padding":
        value = tuple(before for before, _ in value)
    return _window(value, as_int=case.int_arguments or case.op == "output_size")


def _window(values: tuple[int, ...], *, as_int: bool) -> int | tuple[int, ...]:
    return values[0] if as_int and len(set(values)) == 1 else values
