"""Faults of a convolution in its channels, groups, batch and bias."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from convcheck.conformance.variants.changes import (
    bias_at_first,
    bias_of,
    bias_of_first,
    by_group,
    dealt,
    interleaved,
    keep,
    repeat,
    rounding,
    times_bias,
    zeroed,
)
from convcheck.conformance.variants.variant import Arrays, Variant, on_inputs, on_result
from convcheck.core.case import Case
from convcheck.core.spec import ConvSpec

_WIDTHS = (64, 32, 16, 8, 4)


def channel_variants() -> Iterator[Variant]:
    """Yields the faults in channels, groups, batch and bias."""
    yield on_inputs("reverses the input channels", x=lambda x, _: x[:, ::-1])
    yield on_inputs("reverses the output channels", w=lambda w, _: w[::-1])
    yield on_result("reverses the output channels", lambda y, case, _: y[:, ::-1])
    yield on_result("reverses the batch", lambda y, case, _: y[::-1])
    yield on_inputs("uses the first input channel only", x=lambda x, _: keep(x, 1, 1))
    yield on_inputs("repeats the first input channel", x=lambda x, _: repeat(x, 1))
    for side, at in (("last", -1), ("first", 0)):
        yield on_inputs(
            f"leaves out the {side} input channel of each group",
            w=lambda w, case, at=at: zeroed(w, 1, at),
        )
        yield on_result(
            f"does not compute the {side} output channel",
            lambda y, case, _, at=at: zeroed(y, 1, at),
        )
        yield on_result(
            f"does not compute the {side} image of the batch",
            lambda y, case, _, at=at: zeroed(y, 0, at),
        )
    yield on_result("computes the first image of the batch only",
                    lambda y, case, _: keep(y, 0, 1))  # fmt: skip
    yield on_result("repeats the first image of the batch",
                    lambda y, case, _: repeat(y, 0))  # fmt: skip
    for width in _WIDTHS:
        yield on_result(
            f"computes only the first {width} output channels",
            lambda y, case, _, width=width: keep(y, 1, width),
        )
        yield on_result(
            f"computes only the first {width} output columns",
            lambda y, case, _, width=width: keep(y, y.ndim - 1, width),
        )
        yield on_inputs(
            f"does not read the input channels past a multiple of {width}",
            w=lambda w, case, width=width: keep(w, 1, w.shape[1] // width * width),
        )
        yield on_inputs(
            f"reads only the first {width} input channels of a group",
            w=lambda w, case, width=width: keep(w, 1, width),
        )
        yield on_result(
            f"does not compute the output channels past a multiple of {width}",
            lambda y, case, _, width=width: keep(y, 1, y.shape[1] // width * width),
        )
        yield on_result(
            f"does not compute the output columns past a multiple of {width}",
            lambda y, case, _, width=width: keep(y, y.ndim - 1, y.shape[-1] // width * width),
        )
        yield on_result(
            f"does not compute the output rows past a multiple of {width}",
            lambda y, case, _, width=width: (
                keep(y, y.ndim - 2, y.shape[-2] // width * width) if y.ndim > 3 else None
            ),
        )
    yield on_inputs("interleaves the input channels of the groups",
                    x=lambda x, case: interleaved(x, case, 1))  # fmt: skip
    yield on_inputs("deals the input channels to the groups in turn",
                    x=lambda x, case: dealt(x, case, 1))  # fmt: skip
    yield on_result("interleaves the output channels of the groups",
                    lambda y, case, _: interleaved(y, case, 1))  # fmt: skip
    yield on_result("deals the output channels to the groups in turn",
                    lambda y, case, _: dealt(y, case, 1))  # fmt: skip
    yield on_inputs("reverses the order of the groups' weights",
                    w=lambda w, case: by_group(w, case, 0, lambda g: g[::-1]))  # fmt: skip
    yield on_inputs("deals the weights to the groups in turn",
                    w=lambda w, case: dealt(w, case, 0))  # fmt: skip
    yield on_inputs("uses the weights of the first group for every group",
                    w=lambda w, case: by_group(w, case, 0, lambda g: repeat(g, 0)))  # fmt: skip
    yield on_inputs("reads the input of the first group in every group",
                    x=lambda x, case: by_group(x, case, 1, lambda g: repeat(g, 1)))  # fmt: skip
    yield on_inputs("reads the input of the groups in reverse",
                    x=lambda x, case: by_group(x, case, 1, lambda g: g[:, ::-1]))  # fmt: skip
    yield on_result("reverses the order of the groups in the result",
                    lambda y, case, _: by_group(y, case, 1, lambda g: g[:, ::-1]))  # fmt: skip
    yield on_result("does not compute the last group",
                    lambda y, case, _: by_group(y, case, 1, _without_last))  # fmt: skip
    yield on_inputs("reads the input of the first group in the last one too",
                    x=lambda x, case: by_group(x, case, 1, _first_in_last))  # fmt: skip
    yield on_inputs("exchanges filters and channels of the weights",
                    w=_filters_for_channels)  # fmt: skip
    yield on_inputs("starts each group's input at a multiple of its number of filters",
                    x=_by_filters)  # fmt: skip
    yield on_inputs("uses the first filter of each group for all of its filters",
                    w=lambda w, case: by_group(w, case, 0, lambda g: repeat(g, 1)))  # fmt: skip
    yield on_inputs("reads the weights with the taps before the channels", w=_taps_first)
    yield on_inputs("reads the first image for every image of the batch",
                    x=lambda x, _: repeat(x, 0))  # fmt: skip
    for width in _WIDTHS:
        yield on_inputs(
            f"sums only the last block of {width} input channels",
            w=lambda w, case, width=width: _from(w, 1, (w.shape[1] - 1) // width * width),
        )
    yield from _bias_variants()


def _bias_variants() -> Iterator[Variant]:
    yield on_inputs("drops the bias", b=lambda b, _: b * 0)
    yield on_inputs("adds the bias twice", b=lambda b, _: b * 2)
    yield on_inputs("subtracts the bias", b=lambda b, _: -b)
    yield on_inputs("adds the bias once per group", b=lambda b, case: b * case.spec.groups)  # type: ignore[union-attr]
    yield on_inputs("adds the first bias to every channel", b=lambda b, _: repeat(b, 0))
    yield on_inputs("reverses the bias", b=lambda b, _: b[::-1])
    yield on_inputs("adds the bias once per input channel",
                    b=lambda b, case: b * (case.channels // case.spec.groups))  # type: ignore[union-attr]  # fmt: skip
    yield on_result("adds the bias to the first image of the batch only", bias_of_first)
    yield on_result("multiplies by the bias", times_bias)
    yield on_result("adds the bias to the first position only", bias_at_first)
    yield on_inputs("adds the bias once per image of the batch", b=lambda b, case: b * case.batch)
    yield on_inputs("adds the bias of the first group in every group",
                    b=lambda b, case: by_group(b, case, 0, lambda g: repeat(g, 0)))  # fmt: skip
    yield on_inputs("truncates the bias to integers",
                    b=lambda b, _: np.trunc(b) if b.dtype.kind == "f" else b)  # fmt: skip
    for dtype in ("float16", "bfloat16"):
        yield on_inputs(f"rounds the bias to {dtype}", b=rounding(dtype))
    yield on_result("adds the bias only where the sum is not zero", _bias_where_not_zero)
    yield on_result("takes the index of the image for that of the bias", _bias_by(0))
    yield on_result("takes the index of the column for that of the bias", _bias_by(-1))
    yield on_inputs("adds the last bias twice", b=lambda b, _: _last_doubled(b))
    for width in _WIDTHS:
        yield on_inputs(
            f"adds the bias to the first {width} output channels only",
            b=lambda b, case, width=width: keep(b, 0, width),
        )
        yield on_result(f"adds the bias to the first {width} columns only", _bias_in(width))
        yield on_inputs(
            f"adds the bias once per block of {width} input channels",
            b=lambda b, case, width=width: b * -(-(case.channels // _groups(case)) // width),
        )


def _groups(case: Case) -> int:
    return case.spec.groups if isinstance(case.spec, ConvSpec) else 1


def _first_in_last(groups: np.ndarray) -> np.ndarray:
    copy = groups.copy()
    copy[:, -1] = copy[:, 0]
    return copy


def _without_last(groups: np.ndarray) -> np.ndarray:
    return zeroed(groups, 1, -1)


def _filters_for_channels(w: np.ndarray, case: Case) -> np.ndarray:
    if _groups(case) > 1:
        return by_group(w, case, 0, lambda groups: _exchanged(groups, 1))
    return _exchanged(w, 0)


def _exchanged(w: np.ndarray, axis: int) -> np.ndarray:
    return w.swapaxes(axis, axis + 1) if w.shape[axis] == w.shape[axis + 1] else w


def _by_filters(x: np.ndarray, case: Case) -> np.ndarray:
    spec = case.spec
    if not isinstance(spec, ConvSpec) or spec.transposed or spec.groups < 2:
        return x
    each, filters = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    starts = np.minimum(np.arange(spec.groups) * filters, spec.in_channels - each)
    return x[:, (starts[:, None] + np.arange(each)).ravel()]


def _taps_first(w: np.ndarray, case: Case) -> np.ndarray:
    flat = w.reshape(len(w), w.shape[1], -1)
    return flat.reshape(len(w), flat.shape[2], flat.shape[1]).swapaxes(1, 2).reshape(w.shape)


def _from(array: np.ndarray, axis: int, start: int) -> np.ndarray:
    copy = array.copy()
    copy[(slice(None),) * axis + (slice(0, start),)] = 0
    return copy


def _last_doubled(b: np.ndarray) -> np.ndarray:
    copy = b.copy()
    copy[-1:] *= 2
    return copy


def _bias_where_not_zero(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    if "b" not in inputs:
        return None
    bare = y - bias_of(inputs, y)
    return np.where(bare != 0, y, bare)


def _bias_by(axis: int) -> Callable[[np.ndarray, Case, Arrays], np.ndarray | None]:
    """The bias along another axis of the result, where that has as many elements."""

    def change(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
        if "b" not in inputs or y.shape[axis] != y.shape[1] or y.shape[1] < 2:
            return None
        along = np.moveaxis(bias_of(inputs, y), 1, axis)
        return y - bias_of(inputs, y) + along

    return change


def _bias_in(width: int) -> Callable[[np.ndarray, Case, Arrays], np.ndarray | None]:
    def change(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
        if "b" not in inputs:
            return None
        bare = y - bias_of(inputs, y)
        return np.concatenate([y[..., :width], bare[..., width:]], axis=-1)

    return change
