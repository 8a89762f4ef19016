"""Subtly wrong 2-D convolutions: a right one in NumPy, with one thing changed in each.

A mutant changes the call before it is computed (`before`), or the result after (`after`). Each has
a piece of the diagnosis that names its cause; None where the diagnosis tells the condition only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from right_conv import Call, check, compute, read


@dataclass(frozen=True)
class Mutant:
    cause: str | None
    before: Callable[[Call], None] | None = None
    after: Callable[[np.ndarray, Call], np.ndarray] | None = None
    unchecked: bool = False


def build(mutant: Mutant):
    def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        call = read(x, w, b, stride, padding, dilation, groups)
        if not mutant.unchecked:
            check(call)
        if mutant.before:
            mutant.before(call)
        if mutant.unchecked:
            check(call)
        y = compute(call)
        return mutant.after(y, call) if mutant.after else y

    return conv


def put(**changes):
    """Changes fields of a call, each by a function of the call."""

    def before(call):
        for name, change in [(name, change(call)) for name, change in changes.items()]:
            setattr(call, name, change)

    return before


def when(condition, change):
    return lambda call: change(call) if condition(call) else None


def after_when(condition, change):
    return lambda y, call: change(y, call) if condition(call) else y


def cleared(index):
    """Sets a part of the result to zero."""

    def after(y, call):
        y = y.copy()
        y[index] = 0
        return y

    return after


def one_sided(call):
    return [(before + after, 0) for before, after in call.pads]


def deal(array, groups, axis):
    shape = array.shape
    split = (*shape[:axis], shape[axis] // groups, groups, *shape[axis + 1 :])
    return array.reshape(split).swapaxes(axis, axis + 1).reshape(shape)


flip_hw = put(w=lambda c: c.w[..., ::-1, ::-1])
flip_w = put(w=lambda c: c.w[..., ::-1])
half = put(x=lambda c: c.x.astype("f2").astype(c.x.dtype))
PADDED = lambda c: any(map(sum, c.pads))  # noqa: E731
STRIDED = lambda c: max(c.stride) > 1  # noqa: E731
DILATED = lambda c: max(c.dilation) > 1  # noqa: E731

MUTANTS: dict[str, Mutant] = {
    # The kernel.
    "flipped": Mutant("flips the kernel along every axis", flip_hw),
    "flipped_h": Mutant("flips the kernel along H", put(w=lambda c: c.w[..., ::-1, :])),
    "flipped_w": Mutant("flips the kernel along W", flip_w),
    "flipped_if_dilated": Mutant("flips the kernel along W when", when(DILATED, flip_w)),
    "flipped_if_strided_and_grouped": Mutant(
        "flips the kernel", when(lambda c: STRIDED(c) and c.groups > 1, flip_hw)
    ),
    "flipped_if_large": Mutant(
        "flips the kernel along W when", when(lambda c: c.w.shape[3] > 4, flip_w)
    ),
    "transposed_kernel": Mutant(
        "transposes the kernel",
        when(lambda c: c.w.shape[2] == c.w.shape[3], put(w=lambda c: c.w.swapaxes(2, 3))),
    ),
    "no_last_tap": Mutant(
        "last tap of the kernel along W",
        put(
            w=lambda c: c.w * (np.arange(c.w.shape[3]) < max(1, c.w.shape[3] - 1)).astype(c.w.dtype)
        ),
    ),
    "same_filter": Mutant(
        "same kernel for every output channel", put(w=lambda c: np.repeat(c.w[:1], len(c.w), 0))
    ),
    # The window.
    "strides_swapped": Mutant(
        "exchanges the stride of H and W", put(stride=lambda c: c.stride[::-1])
    ),
    "stride_h_for_both": Mutant(
        "stride of H for every axis", put(stride=lambda c: (c.stride[0],) * 2)
    ),
    "stride_ignored_w": Mutant(
        "ignores the stride along W", put(stride=lambda c: (c.stride[0], 1))
    ),
    "paddings_swapped": Mutant(
        "exchanges the padding of H and W", put(pads=lambda c: c.pads[::-1])
    ),
    "padded_before_only": Mutant(
        "pads before only", put(pads=lambda c: [(before, 0) for before, _ in c.pads])
    ),
    "padding_all_before": Mutant("puts all padding before", put(pads=one_sided)),
    "padding_ignored": Mutant(
        "ignores the padding",
        when(
            lambda c: all(
                n >= d * (k - 1) + 1
                for n, k, d in zip(c.x.shape[2:], c.w.shape[2:], c.dilation, strict=True)
            ),
            put(pads=lambda c: [(0, 0)] * 2),
        ),
    ),
    "padding_one_more_if_dilated": Mutant(
        "pads one too much", when(DILATED, put(pads=lambda c: [(b + 1, a + 1) for b, a in c.pads]))
    ),
    "same_on_wrong_side": Mutant(
        "exchanges the padding before and after",
        put(pads=lambda c: [pair[::-1] for pair in c.pads]),
    ),
    "dilations_swapped": Mutant(
        "exchanges the dilation",
        when(
            lambda c: all(
                n + sum(p) >= d * (k - 1) + 1
                for n, p, k, d in zip(
                    c.x.shape[2:], c.pads, c.w.shape[2:], c.dilation[::-1], strict=True
                )
            ),
            put(dilation=lambda c: c.dilation[::-1]),
        ),
    ),
    "dilation_ignored": Mutant("ignores the dilation", put(dilation=lambda c: (1, 1))),
    "dilation_ignored_if_grouped": Mutant(
        "ignores the dilation when", when(lambda c: c.groups > 1, put(dilation=lambda c: (1, 1)))
    ),
    "rounded_up": Mutant(
        "rounds the size up",
        put(pads=lambda c: [(b, a + s - 1) for (b, a), s in zip(c.pads, c.stride, strict=True)]),
    ),
    "edge_repeated": Mutant(
        "replicate",
        put(
            x=lambda c: np.pad(c.x, ((0, 0), (0, 0), *c.pads), mode="edge"),
            pads=lambda c: [(0, 0)] * 2,
        ),
    ),
    "wraps_around": Mutant(
        "circular",
        when(
            lambda c: all(max(pair) <= n for pair, n in zip(c.pads, c.x.shape[2:], strict=True)),
            put(
                x=lambda c: np.pad(c.x, ((0, 0), (0, 0), *c.pads), mode="wrap"),
                pads=lambda c: [(0, 0)] * 2,
            ),
        ),
    ),
    "pads_with_one": Mutant(
        "pads with 1",
        put(
            x=lambda c: np.pad(c.x, ((0, 0), (0, 0), *c.pads), constant_values=1),
            pads=lambda c: [(0, 0)] * 2,
        ),
    ),
    # Channels, groups, batch.
    "channels_reversed": Mutant("reverses the input channels", put(x=lambda c: c.x[:, ::-1])),
    "first_16_outputs": Mutant("first 16 output channels", None, cleared(np.s_[:, 16:])),
    "channel_tail_of_8": Mutant(
        "past a multiple of 8",
        put(
            w=lambda c: (
                c.w
                * (
                    np.arange(c.w.shape[1]) < max(1, c.w.shape[1] // 8 * 8)
                    if c.w.shape[1] >= 8
                    else np.ones(c.w.shape[1])
                )[None, :, None, None].astype(c.w.dtype)
            )
        ),
    ),
    "columns_past_32": Mutant("first 32 output columns", None, cleared(np.s_[..., 32:])),
    "rows_past_64": Mutant(None, None, cleared(np.s_[..., 64:, :])),
    "groups_interleaved": Mutant(
        "groups", when(lambda c: c.groups > 1, put(x=lambda c: deal(c.x, c.groups, 1)))
    ),
    "outputs_dealt": Mutant(
        "output channels",
        None,
        after_when(lambda c: c.groups > 1, lambda y, c: deal(y, c.groups, 1)),
    ),
    "first_group_only": Mutant(
        "weights of the first group",
        put(w=lambda c: np.tile(c.w[: len(c.w) // c.groups], (c.groups, 1, 1, 1))),
    ),
    "batch_of_two": Mutant(None, None, cleared(np.s_[2:])),
    "batch_repeated": Mutant(
        "first image of the batch",
        put(x=lambda c: np.broadcast_to(c.x[:1], c.x.shape) if len(c.x) else c.x),
    ),
    "last_image_dropped": Mutant(
        "last image of the batch", None, after_when(lambda c: len(c.x) > 1, cleared(np.s_[-1:]))
    ),
    # The bias.
    "bias_dropped": Mutant("drops the bias", put(b=lambda c: None)),
    "bias_dropped_for_batches": Mutant(
        "drops the bias when batch size > 1", when(lambda c: len(c.x) > 1, put(b=lambda c: None))
    ),
    "bias_dropped_if_grouped": Mutant(
        "drops the bias when", when(lambda c: c.groups > 1, put(b=lambda c: None))
    ),
    "bias_twice": Mutant("adds the bias twice", put(b=lambda c: None if c.b is None else 2 * c.b)),
    "bias_per_group": Mutant(
        "once per group", put(b=lambda c: None if c.b is None else c.groups * c.b)
    ),
    "bias_reversed": Mutant(
        "reverses the bias", put(b=lambda c: None if c.b is None else c.b[::-1])
    ),
    "bias_of_first_image": Mutant(
        "first image of the batch only",
        None,
        lambda y, c: (
            y if c.b is None else np.concatenate([y[:1], y[1:] - c.b.reshape(1, -1, 1, 1)])
        ),
    ),
    # The result.
    "last_column_zero": Mutant(
        "last output along W at zero",
        None,
        after_when(lambda c: c.x.shape[3] > 3, cleared(np.s_[..., -1:])),
    ),
    "last_column_missing": Mutant(
        "leaves out the last output along W", None, after_when(STRIDED, lambda y, c: y[..., :-1])
    ),
    "shifted": Mutant(
        "rotates the result", None, after_when(PADDED, lambda y, c: np.roll(y, 1, -1))
    ),
    "clipped": Mutant("clips the result below at 0", None, lambda y, c: np.maximum(y, 0)),
    "absolute": Mutant("absolute values", None, lambda y, c: np.abs(y)),
    "negated": Mutant("negates the result", None, after_when(DILATED, lambda y, c: -y)),
    "squeezed": Mutant("drops", None, after_when(lambda c: len(c.x) == 1, lambda y, c: y[0])),
    "channels_last_result": Mutant(
        "returns channels last", None, lambda y, c: np.moveaxis(y, 1, -1)
    ),
    "transposed_result": Mutant(
        "transposes the result", None, after_when(PADDED, lambda y, c: y.swapaxes(2, 3))
    ),
    "nan_cleared": Mutant("NaN", None, lambda y, c: np.where(np.isnan(y), y.dtype.type(0), y)),
    "input_nan_cleared": Mutant(
        "NaN by 0 in the input", put(x=lambda c: np.where(np.isnan(c.x), c.x.dtype.type(0), c.x))
    ),
    "inf_cleared": Mutant("infinities", put(x=lambda c: np.nan_to_num(c.x))),
    # Precision and dtype.
    "half_precision": Mutant("float16", half),
    "half_if_many_channels": Mutant(None, when(lambda c: c.x.shape[1] > 16, half)),
    "single_for_double": Mutant("float32", None, lambda y, c: y.astype("f4").astype(y.dtype)),
    "always_float64": Mutant("returns float64", None, lambda y, c: y.astype("f8")),
    "float32_for_half": Mutant(
        "returns float32 for float16", None, lambda y, c: y.astype("f4") if y.dtype == "f2" else y
    ),
    "slightly_scaled": Mutant(None, None, lambda y, c: y * y.dtype.type(1 + 2**-20)),
    "tenth_bit_lost": Mutant(None, put(w=lambda c: c.w * c.w.dtype.type(1.0009765625))),
    # Layout.
    "ignores_strides": Mutant(
        None,
        when(
            lambda c: not c.x.flags.c_contiguous,
            put(x=lambda c: np.ascontiguousarray(c.x.T).reshape(c.x.shape)),
        ),
    ),
    "wrong_if_reversed": Mutant(
        None, when(lambda c: c.x.strides[-1] < 0, put(x=lambda c: c.x[..., ::-1]))
    ),
    # Refusals.
    "negative_padding_accepted": Mutant(
        "accepts an impossible call",
        unchecked=True,
        before=put(pads=lambda c: [(max(0, b), max(0, a)) for b, a in c.pads]),
    ),
    "zero_stride_accepted": Mutant(
        "accepts an impossible call",
        unchecked=True,
        before=put(stride=lambda c: tuple(max(1, s) for s in c.stride)),
    ),
    "zero_dilation_accepted": Mutant(
        "accepts an impossible call",
        unchecked=True,
        before=put(dilation=lambda c: tuple(max(1, d) for d in c.dilation)),
    ),
    "too_large_kernel_accepted": Mutant(
        "accepts an impossible call",
        unchecked=True,
        before=put(
            pads=lambda c: [
                (b, a + max(0, d * (k - 1) + 1 - n - b - a)) if b >= 0 else (b, a)
                for (b, a), n, k, d in zip(
                    c.pads, c.x.shape[2:], c.w.shape[2:], c.dilation, strict=True
                )
            ]
        ),
    ),
    "odd_groups_accepted": Mutant(
        "accepts an impossible call",
        unchecked=True,
        before=when(
            lambda c: c.x.shape[1] % c.groups if c.groups > 0 else False,
            put(x=lambda c: c.x[:, : c.w.shape[1] * c.groups]),
        ),
    ),
}


# Function, the piece of its diagnosis.
FUNCTIONS = {name: (build(mutant), mutant.cause) for name, mutant in MUTANTS.items()}


def __getattr__(name):
    """Gives each mutant a name that a new interpreter can import."""
    if name in FUNCTIONS:
        return FUNCTIONS[name][0]
    raise AttributeError(name)
