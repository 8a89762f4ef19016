"""From a case to the arguments of a call, in the words of the op's signature."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Literal

import numpy as np

from convcheck.core.case import Case
from convcheck.core.ops import Family, find_op
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec

ArrayKind = Literal["numpy", "torch"]

DOUBLE_BACKWARD = ("grad_grad_x", "grad_grad_w", "grad_grad_b", "grad_output", "x", "w")
# The arrays of a call, in order; one that a case does not have is passed as None.
ARRAYS: Mapping[Family, tuple[str, ...]] = {
    "conv": ("x", "w", "b"),
    "conv_transpose": ("x", "w", "b"),
    "conv_backward": ("grad_output", "x", "w"),
    "conv_transpose_backward": ("grad_output", "x", "w"),
    "conv_double_backward": DOUBLE_BACKWARD,
    "conv_transpose_double_backward": DOUBLE_BACKWARD,
    "max_pool": ("x",),
    "avg_pool": ("x",),
    "cross_entropy": ("input", "target", "weight"),
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
    "conv_double_backward": ("stride", "padding", "dilation", "groups"),
    "conv_transpose_double_backward": (
        "stride",
        "padding",
        "output_padding",
        "groups",
        "dilation",
    ),
    "max_pool": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    "cross_entropy": ("reduction", "label_smoothing"),
    "kl_div": ("reduction", "log_target"),
    "convolve": ("mode",),
    "output_size": ("input_size", "kernel_size", "stride", "padding", "dilation"),
}


# What a parameter is where the call leaves it out; a backward op and `output_size` ask for all.
_DEFAULTS: Mapping[str, Any] = {
    "stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1,
    "ceil_mode": False, "count_include_pad": True, "reduction": "mean", "label_smoothing": 0,
    "log_target": False, "mode": "full",
}  # fmt: skip

# Arrays that are passed by name where parameters are: what stands in their place may be another.
NAMED_ARRAYS = ("weight",)
# Passed by name only, and only where a case sets it: a function may have no such parameter, and
# its place among the others is not the same everywhere.
_BY_NAME = ("ignore_index",)


def call_arguments(case: Case, *, by_keyword: bool) -> tuple[list[Any], dict[str, Any]]:
    """Returns the parameters that follow the arrays of the call: those by place, those by name."""
    named = parameters(case, by_keyword=by_keyword)
    if by_keyword:
        return [], named
    return (
        [value for name, value in named.items() if name not in _BY_NAME],
        {name: value for name, value in named.items() if name in _BY_NAME},
    )


def parameters(case: Case, *, by_keyword: bool = True) -> dict[str, Any]:
    """Returns the parameters of the call by name, in the order of the signature.

    Those at their default are left out where the case says so; by position, only the last can be.
    """
    family = find_op(case.op).family
    names = list(PARAMETERS[family])
    if case.defaults and family != "output_size" and not family.endswith("backward"):
        idle = [name for name in names if _is_default(case, name)]
        if not by_keyword:
            last = max((place for place, name in enumerate(names) if name not in idle), default=-1)
            idle = names[last + 1 :]
        names = [name for name in names if name not in idle]
    if isinstance(case.spec, LossSpec) and case.spec.ignore_index is not None:
        names += _BY_NAME
    return {name: _parameter(case, name) for name in names}


def _is_default(case: Case, name: str) -> bool:
    spec = case.spec
    if name not in _DEFAULTS:
        return False
    value = getattr(spec, name)
    if isinstance(spec, PoolSpec) and name == "stride":
        return bool(value == spec.kernel_size)
    default = (0, 0) if name == "padding" else _DEFAULTS[name]
    return all(part == default for part in value) if isinstance(value, tuple) else value == default


def array_names(case: Case, given: Container[str], *, by_keyword: bool) -> list[str]:
    """Returns the names of the arrays of the call, in order; one that is not `given` is None.

    By keyword, the last ones are left out instead: a class weight always, since a loss may have
    no parameter for it, others where the case leaves out what has its default.
    """
    names = list(ARRAYS[find_op(case.op).family])
    leave_out = by_keyword and (case.defaults or case.op == "cross_entropy")
    while leave_out and names and names[-1] not in given:
        names.pop()
    return names


def is_index(values: np.ndarray, case: Case) -> bool:
    """Whether an array holds class indices: integers, whatever the dtype of the scores."""
    return values.dtype == np.int64 and "float" in case.dtype


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
