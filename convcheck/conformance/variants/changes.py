"""Changes of a spec, an array or a result, of which the variants compose their faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from convcheck.core.case import Case
from convcheck.core.spec import ConvSpec
from convcheck.oracle.formats import Format, round_to

Arrays = Mapping[str, np.ndarray]


def dilated_padding(spec: Any) -> Any:
    """Returns the spec with its padding multiplied by its dilation."""
    pairs = zip(spec.padding_pairs(), spec.dilation, strict=True)
    return replace(spec, padding=tuple((b * d, a * d) for (b, a), d in pairs))


def set_all(part: str, value: object) -> Callable[[Any], Any]:
    """Returns a change that gives a parameter the same value on every axis."""
    return lambda spec: replace(spec, **{part: (value,) * spec.axes})


def shift(part: str, step: int) -> Callable[[Any], Any]:
    """Returns a change that adds `step` to a parameter on every axis."""
    return lambda spec: replace(spec, **{part: tuple(v + step for v in getattr(spec, part))})


def put(spec: Any, part: str, axis: int, value: object) -> Any:
    """Returns the spec with a parameter of one axis replaced; axes may count from the end."""
    axis %= spec.axes
    values = spec.padding_pairs() if part == "padding" else getattr(spec, part)
    return replace(spec, **{part: (*values[:axis], value, *values[axis + 1 :])})


def exchange(spec: Any, parts: tuple[str, ...], first: int, second: int) -> Any:
    """Returns the spec with parameters of two axes exchanged."""
    changes = {}
    for part in parts:
        if hasattr(spec, part):
            values = list(spec.padding_pairs() if part == "padding" else getattr(spec, part))
            values[first], values[second] = values[second], values[first]
            changes[part] = tuple(values)
    return replace(spec, **changes)


def all_from(spec: Any, part: str, axis: int) -> Any:
    """Returns the spec with a parameter of one axis used for all."""
    values = spec.padding_pairs() if part == "padding" else getattr(spec, part)
    return replace(spec, **{part: (values[axis],) * spec.axes})


def all_ceiled(spec: ConvSpec) -> ConvSpec | None:
    """Returns the spec that rounds the output size up on every axis; None where transposed."""
    for axis in range(spec.axes):
        if spec.transposed:
            return None
        spec = ceiled(spec, axis) or spec
    return spec


def ceiled(spec: ConvSpec, axis: int) -> ConvSpec | None:
    """Returns the spec that rounds up along one axis: stride - 1 more zeros at the end."""
    if spec.transposed:
        return None
    before, after = spec.padding_pairs()[axis]
    return put(spec, "padding", axis, (before, after + spec.stride[axis] - 1))


def in_memory_order(array: np.ndarray, case: Case) -> np.ndarray:
    """Returns what code reads that takes an array's memory for contiguous."""
    order = list(range(array.ndim))
    if case.layout == "channels_last" and array.ndim >= 3:
        order = [0, *order[2:], 1]
    elif case.layout == "transposed" and array.ndim >= 2:
        order[-2:] = order[-1], order[-2]
    elif case.layout == "fortran":
        order.reverse()
    return array.transpose(order).reshape(array.shape)


def zeroed(array: np.ndarray, axis: int, at: int) -> np.ndarray:
    """Returns a copy with one index of an axis set to zero."""
    if not array.size:
        return array
    copy = array.copy()
    copy[(slice(None),) * axis + (at,)] = 0
    return copy


def keep(array: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Returns a copy with all but the first `count` indices of an axis set to zero."""
    copy = array.copy()
    copy[(slice(None),) * axis + (slice(count, None),)] = 0
    return copy


def repeat(array: np.ndarray, axis: int) -> np.ndarray:
    """Returns the array with its first index of an axis used for all."""
    return np.broadcast_to(array.take([0], axis), array.shape) if array.shape[axis] else array


def cut(array: np.ndarray, axis: int, part: slice) -> np.ndarray:
    """Returns part of an axis that is counted from the end."""
    index: tuple[Any, ...] = (..., part, *[slice(None)] * (-axis - 1))
    return array[index]


def grown(array: np.ndarray, axis: int) -> np.ndarray:
    """Returns the array with one more index of zeros at the end of an axis."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, 1)
    return np.pad(array, widths)


def by_group(
    array: np.ndarray, case: Case, axis: int, change: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Returns the array with its channels split by group, changed, and joined again."""
    groups = case.spec.groups if isinstance(case.spec, ConvSpec) else 1
    shape = array.shape
    if groups < 2 or shape[axis] % groups:
        return array
    split = array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
    return change(split).reshape(shape)


def interleaved(array: np.ndarray, case: Case, axis: int) -> np.ndarray:
    """Returns the array with its channels read as (channel, group) for (group, channel)."""
    return by_group(array, case, axis, lambda split: split.swapaxes(axis, axis + 1))


def dealt(array: np.ndarray, case: Case, axis: int) -> np.ndarray:
    """Returns the array with its channels dealt to the groups in turn."""
    groups = case.spec.groups if isinstance(case.spec, ConvSpec) else 1
    shape = array.shape
    if groups < 2 or shape[axis] % groups:
        return array
    split = array.reshape(*shape[:axis], shape[axis] // groups, groups, *shape[axis + 1 :])
    return split.swapaxes(axis, axis + 1).reshape(shape)


def bias_of(inputs: Arrays, y: np.ndarray) -> np.ndarray:
    """Returns the bias in a shape that adds to the result `y`."""
    return inputs["b"].astype(np.float64).reshape(1, -1, *[1] * (y.ndim - 2))


def bias_of_first(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    """Returns the result with the bias in the first image only; None without a bias."""
    if "b" not in inputs:
        return None
    without = y - bias_of(inputs, y)
    return np.concatenate([y[:1], without[1:]])


def times_bias(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    """Returns the result multiplied by the bias for the sum; None without a bias."""
    return (y - bias_of(inputs, y)) * bias_of(inputs, y) if "b" in inputs else None


def bias_at_first(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    """Returns the result with the bias at the first position only; None without one."""
    if "b" not in inputs:
        return None
    without = y - bias_of(inputs, y)
    first = (slice(None), slice(None), *[slice(0, 1)] * (y.ndim - 2))
    without[first] = y[first]
    return without


def nan_to_num(y: np.ndarray, case: Case, _: Arrays) -> np.ndarray:
    """Returns the result with NaN and infinities replaced by numbers."""
    dtype = "float32" if case.dtype == "bfloat16" else case.dtype
    return np.nan_to_num(y.astype(dtype)).astype(y.dtype)


def rounding(dtype: str) -> Callable[..., np.ndarray]:
    """Returns a change that rounds an array to a dtype."""
    return lambda array, case: rounded(array, dtype).astype(array.dtype)


def rounded(array: np.ndarray, dtype: str) -> np.ndarray:
    """Returns the array rounded to a dtype, in the type that it had."""
    return round_to(array.astype(np.float64), dtype).astype(np.float64)


def precision_slack(magnitude: np.ndarray, kept: Format, terms: int) -> np.ndarray:
    """Returns how far sums kept in a format may be from exact ones; below 0 where one may overflow.

    Args:
        magnitude: The sums of the magnitudes.
        kept: The format.
        terms: Number of roundings.
    """
    bound = terms * (kept.unit_roundoff * magnitude.astype(np.float64) + kept.smallest)
    # An infinity or NaN that was put in is no rounding of numbers.
    bound = np.where(np.isfinite(magnitude), bound, 0.0)
    return np.where(magnitude > kept.largest, -bound, bound)


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Returns the logarithm of the softmax over the last axis, in float64."""
    shifted = scores - scores.max(axis=-1, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
