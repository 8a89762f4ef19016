"""Convolutions of the right size whose windows, taps, padding or bias are misplaced."""

from __future__ import annotations

import numpy as np
from right_conv import check, compute, read

_PADDED: dict = {}


def _after(change):
    """A right call, its result changed by a function of it and the call."""

    def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        call = read(x, w, b, stride, padding, dilation, groups)
        check(call)
        return change(compute(call), call)

    return conv


def _before(change):
    """A right call that is changed before it is computed."""

    def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        call = read(x, w, b, stride, padding, dilation, groups)
        check(call)
        change(call)
        check(call)
        return compute(call)

    return conv


def _adjacent_taps(y, call):
    call.dilation = (1, 1)
    return compute(call)[:, :, : y.shape[2], : y.shape[3]]


def _same_undilated(call):
    if call.raw["padding"] == "same":
        totals = [k - 1 for k in call.w.shape[2:]]
        call.pads = [(total // 2, total - total // 2) for total in totals]


def _wrapped_columns(call):
    (top, bottom), (left, right) = call.pads
    call.x = np.pad(call.x, ((0, 0), (0, 0), (0, 0), (left, right)), mode="wrap")
    call.pads = [(top, bottom), (0, 0)]


def _last_group_forgotten(y, call):
    if call.groups > 1:
        y[:, -(y.shape[1] // call.groups) :] = 0
    return y


def _bias_per_image(call):
    if call.b is not None:
        call.b = call.b * np.asarray(len(call.x), call.b.dtype)


def _bias_of_a_vector(call):
    if call.b is not None:
        call.b = np.where(np.arange(len(call.b)) < 16, call.b, call.b.dtype.type(0))


def _bias_taken_for_absent(call):
    if call.b is not None and not call.b[0]:
        call.b = None


def _rows_of_a_tile(y, call):
    stride = call.stride[0]
    call.stride = (1, call.stride[1])
    rows = np.arange(y.shape[2])
    return compute(call)[:, :, rows // 8 * 8 + rows % 8 * stride]


def _largest_for_infinity(y, call):
    largest = np.finfo(y.dtype).max
    return np.clip(y, -largest, largest)


def _flushed(y, call):
    if y.dtype == np.float16:
        y[abs(y) < np.finfo(y.dtype).smallest_normal] = 0
    return y


def _idle_filters(y, call):
    idle = ~call.w.reshape(len(call.w), -1).any(axis=1)
    y[:, idle] = 0 if call.b is None else call.b[idle, None, None]
    return y


def keeps_its_border(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """The padded input lies in a buffer that is kept, and its border is cleared once."""
    call = read(x, w, b, stride, padding, dilation, groups)
    check(call)
    (top, bottom), (left, right) = call.pads
    n, c, h, width = x.shape
    shape = (n, c, h + top + bottom, width + left + right)
    padded = _PADDED.setdefault((shape, x.dtype.str), np.zeros(shape, x.dtype))
    padded[:, :, top : top + h, left : left + width] = x
    call.x, call.pads = padded, [(0, 0), (0, 0)]
    return compute(call)


def overwrites(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """A transposed convolution along one axis whose stamps replace each other."""
    stride, padding, output_padding, dilation = (
        value[0] if isinstance(value, tuple) else value
        for value in (stride, padding, output_padding, dilation)
    )
    if groups < 1 or x.shape[1] % groups or len(w) != x.shape[1] or stride < 1 or dilation < 1:
        raise ValueError("groups, stride or dilation")
    if not 0 <= output_padding < max(stride, dilation) or padding < 0:
        raise ValueError("padding or output_padding")
    n, c, size = x.shape
    each, taps = w.shape[1:]
    full = (size - 1) * stride + dilation * (taps - 1) + 1 + output_padding
    if full - 2 * padding < 1:
        raise ValueError("nothing is left")
    y = np.zeros((n, each * groups, full), np.result_type(x, np.float32))
    inputs = c // groups
    for tap in range(taps):
        at = slice(tap * dilation, tap * dilation + (size - 1) * stride + 1, stride)
        for g in range(groups):
            part = x[:, g * inputs : (g + 1) * inputs].astype(y.dtype)
            kernel = w[g * inputs : (g + 1) * inputs, :, tap].astype(y.dtype)
            y[:, g * each : (g + 1) * each, at] = np.einsum("ncw,cf->nfw", part, kernel)
    y = y[..., padding : full - padding]
    return (y if b is None else y + b[:, None].astype(y.dtype)).astype(x.dtype)


# Function, the piece of its diagnosis, the operation where it is not conv2d.
FUNCTIONS = {
    "taps_adjacent": (_after(_adjacent_taps), "reads its taps as if the dilation were 1"),
    "same_undilated": (_before(_same_undilated), "leaves the dilation out of the padding 'same'"),
    "columns_wrapped": (
        _before(_wrapped_columns),
        "wraps around where it must pad with zeros (circular) along W",
    ),
    "last_group_forgotten": (_after(_last_group_forgotten), "does not compute the last group"),
    "bias_per_image": (_before(_bias_per_image), "adds the bias once per image of the batch"),
    "bias_of_a_vector": (
        _before(_bias_of_a_vector),
        "adds the bias to the first 16 output channels only",
    ),
    "bias_taken_for_absent": (_before(_bias_taken_for_absent), None),
    "rows_of_a_tile": (
        _after(_rows_of_a_tile),
        "does not multiply the start of a tile of 8 outputs along H by the stride",
    ),
    "largest_for_infinity": (
        _after(_largest_for_infinity),
        "clips infinities to the largest finite number",
    ),
    "flushed": (_after(_flushed), None),
    "idle_filters": (_after(_idle_filters), "skips"),
    "keeps_its_border": (keeps_its_border, "does not clear a padding buffer between calls"),
    "overwrites": (
        overwrites,
        "overwrites where windows overlap instead of adding",
        "conv_transpose1d",
    ),
}
