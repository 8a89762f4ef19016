"""Claims S25 to S39: the output dimension, receptive fields, pooling."""

from __future__ import annotations

from itertools import product

import numpy as np

from convcheck.core.receptive_field import ReceptiveField, Window, receptive_field
from convcheck.core.sizes import conv_output_size, effective_kernel, pool_axis, pool_output_size
from convcheck.notes.claim import Claim, Reading
from convcheck.notes.evidence import by_claim, by_computation, by_theorem

_FITS = "W+2*p-d*(k-1)-1 >= 0"
_L3 = "l3 >= 0 (the kernel fits)"


def _formula() -> tuple[Reading, ...]:
    return (
        by_claim(
            "count(W,k,s,p,d) == floor((W+2*p-d*(k-1)-1)/s)+1",
            "the formula counts the window positions for all parameters",
        ),
        by_theorem("conv_output_size", "the formula counts the window positions", under=_L3),
    )


def _receptive_fields() -> tuple[Reading, ...]:
    fields = {kernel: _field_sizes(kernel, (1, 2, 4)) for kernel in (3, 5)}
    return (
        by_computation(
            fields[5] == (3, 7, 15),
            "the receptive fields are 3, 7, 15 for any kernel",
            f"kernel 5 gives {fields[5]}",
        ),
        by_computation(
            fields[3] == (3, 7, 15),
            "the receptive fields are 3, 7, 15",
            f"reach of one output traced tap by tap: {fields[3]}",
            under="kernel 3, stride 1",
        ),
    )


def _no_holes() -> tuple[Reading, ...]:
    supports = tuple(count**2 for count in _offsets_read(3, (1, 2, 4)))
    holed = _offsets_read(3, (2, 2, 2))[-1]
    return (
        by_computation(
            holed == _field_sizes(3, (2, 2, 2))[-1],
            "a dilated stack reads its whole receptive field",
            f"dilations 2, 2, 2 read {holed} of {_field_sizes(3, (2, 2, 2))[-1]} offsets",
        ),
        by_computation(
            supports == (9, 49, 225),
            "the stack in the figure reads its whole receptive field",
            f"inputs read in two dimensions: {supports}",
            under="kernel 3, stride 1, dilations 1, 2, 4",
        ),
    )


def _fields(kernel: int, dilations: tuple[int, ...]) -> tuple[ReceptiveField, ...]:
    """Returns the receptive field after each layer of a stack of stride 1."""
    return receptive_field(Window(kernel_size=kernel, dilation=d) for d in dilations)


def _field_sizes(kernel: int, dilations: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(field.size[0] for field in _fields(kernel, dilations))


def _offsets_read(kernel: int, dilations: tuple[int, ...]) -> tuple[int, ...]:
    """Returns how many input elements one output reads, holes not counted, after each layer."""
    return tuple(field.size[0] - field.holes[0] for field in _fields(kernel, dilations))


def _height_is_the_same() -> tuple[Reading, ...]:
    grid = tuple(product((5, 6, 9), (1, 3), (1, 2), (0, 1), (1, 2)))
    agree = all(
        conv_output_size(
            (first[0], second[0]),
            (first[1], second[1]),
            stride=(first[2], second[2]),
            padding=(first[3], second[3]),
            dilation=(first[4], second[4]),
        )
        == (
            conv_output_size(first[0], first[1], stride=first[2], padding=first[3],
                             dilation=first[4]),
            conv_output_size(second[0], second[1], stride=second[2], padding=second[3],
                             dilation=second[4]),
        )
        and _torch_shape(first, second)
        == tuple(
            conv_output_size(a[0], a[1], stride=a[2], padding=a[3], dilation=a[4])
            for a in (first, second)
        )
        for first, second in product(grid, grid[::5])
    )  # fmt: skip
    return (
        by_computation(
            agree,
            "each axis follows the formula with its own index",
            f"{len(grid) * len(grid[::5])} anisotropic layers, formula against torch",
        ),
    )


def _torch_shape(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    import torch
    from torch.nn.functional import conv2d

    size, kernel, stride, padding, dilation = zip(first, second, strict=True)
    x, w = torch.empty(1, 1, *size, device="meta"), torch.empty(1, 1, *kernel, device="meta")
    return tuple(conv2d(x, w, stride=stride, padding=padding, dilation=dilation).shape[2:])


def _padded_input() -> tuple[Reading, ...]:
    padded = np.pad(np.zeros(7), (1, 2)).size
    return (
        by_computation(
            padded in (7 + 2 * 1, 7 + 2 * 2),
            "the padded input is W + 2p also where the two sides differ",
            f"padding (1, 2) makes 7 into {padded}",
        ),
        by_computation(
            all(np.pad(np.zeros(w), p).size == w + 2 * p for w in range(1, 9) for p in range(5)),
            "the padded input is W + 2p",
            "arrays padded and measured, W to 8, p to 4",
            under="symmetric padding",
        ),
    )


def _effective_kernel() -> tuple[Reading, ...]:
    spans = all(
        max(range(0, d * k, d)) - 0 + 1 == effective_kernel(k, d)
        for k in range(1, 9)
        for d in range(1, 6)
    )
    return (
        by_computation(
            spans, "taps at 0, d, ..., d(k-1) span d(k-1) + 1", "measured for k to 8, d to 5"
        ),
    )


def _free_play() -> tuple[Reading, ...]:
    text = "W+2*p-(d*(k-1)+1) == W+2*p-d*(k-1)-1"
    return (by_claim(text, "l3 = l1 - l2 written out"),)


def _steps() -> tuple[Reading, ...]:
    steps = "count(W,k,s,p,d)-1 == floor((W+2*p-d*(k-1)-1)/s)"
    return (
        by_claim(steps, "the window makes floor(l3/s) steps, whatever the parameters"),
        by_claim(f"{steps} given {_FITS}", "the window makes floor(l3/s) steps", under=_L3),
    )


def _second_form() -> tuple[Reading, ...]:
    second = "count(W,k,s,p,d) == floor((W+2*p-d*(k-1)-1)/s+1)"
    return (
        by_claim(second, "the second form holds for all parameters"),
        by_theorem("second_form_of_the_output_size", "the second form equals the first",
                   under=_L3),
    )  # fmt: skip


def _second_form_width() -> tuple[Reading, ...]:
    ceil = pool_output_size(6, 3, stride=2, ceil_mode=True)
    floor = conv_output_size(6, 3, stride=2)
    return (
        by_computation(
            ceil == floor,
            "the formula holds for every layer with a window",
            f"pooling 6 with kernel 3, stride 2 and ceil_mode gives {ceil}, the formula {floor}",
        ),
        by_theorem("second_form_of_the_output_size", "the width by index 1",
                   under=f"{_L3}; a convolution or a pooling without ceil_mode"),
    )  # fmt: skip


def _pooling_reduces() -> tuple[Reading, ...]:
    halved, kept = pool_axis(28, 2, 2, (0, 0), 1), pool_axis(28, 3, 1, (1, 1), 1)
    return (
        by_computation(
            halved < 28,
            "pooling can reduce the size",
            f"28 becomes {halved} (kernel 2); it need not: kernel 3, stride 1, padding 1 gives "
            f"{kept}",
        ),
    )


def _max_pooling() -> tuple[Reading, ...]:
    import torch
    from torch.nn.functional import max_pool2d

    x = -torch.arange(1.0, 26).reshape(1, 1, 5, 5)
    mine = _windows(x[0, 0].numpy(), 3, 2, 1, -np.inf).max(axis=(-2, -1))
    same = np.array_equal(max_pool2d(x, 3, 2, 1)[0, 0].numpy(), mine)
    zero = np.array_equal(mine, _windows(x[0, 0].numpy(), 3, 2, 1, 0.0).max(axis=(-2, -1)))
    return (
        by_computation(
            same and not zero,
            "max pooling gives the greatest value of each region",
            "torch against the maximum of every window of a negative picture, padding as -oo "
            "(as 0 it would differ)",
        ),
    )


def _average_pooling() -> tuple[Reading, ...]:
    import torch
    from torch.nn.functional import avg_pool2d

    x = torch.arange(1.0, 26).reshape(1, 1, 5, 5)
    windows = _windows(x[0, 0].numpy(), 3, 2, 1, np.nan)
    of_region = np.nanmean(windows, axis=(-2, -1))
    printed = avg_pool2d(x, 3, 2, 1)[0, 0].numpy()
    excluded = avg_pool2d(x, 3, 2, 1, count_include_pad=False)[0, 0].numpy()
    return (
        by_computation(
            np.array_equal(printed, of_region),
            "average pooling gives the average of the region, also at a padded border",
            f"at the corner torch gives {printed[0, 0]:g}, the region's average is "
            f"{of_region[0, 0]:g}",
        ),
        by_computation(
            np.allclose(excluded, of_region, rtol=np.finfo(np.float32).eps * 9, atol=0),
            "average pooling gives the average of the region",
            "equal on every window",
            under="no padding, or count_include_pad=False",
        ),
    )


def _windows(
    picture: np.ndarray, kernel: int, stride: int, padding: int, fill: float
) -> np.ndarray:
    padded = np.pad(picture.astype(float), padding, constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel))[::stride, ::stride]


CLAIMS: tuple[Claim, ...] = (
    Claim(id="S25", says="The output dimension follows from formulas.", check=_formula,
          correction="with the hypothesis of S33"),
    Claim(id="S26", says="The figure: dilation 1, then 2, then 4.", check=_receptive_fields,
          correction="fields 3, 7, 15 = 2^(L+1) - 1 for kernel 3 and stride 1"),
    Claim(id="S27", says="The figure shows receptive fields.", check=_no_holes,
          correction="the stack of the figure has no holes; others have"),
    Claim(id="S28", says="The height is computed exactly as the width.", check=_height_is_the_same,
          correction="with index 0 in place of 1"),
    Claim(id="S29", says="l1 = W + 2 padding.", check=_padded_input),
    Claim(id="S30", says="l2 = dilation (kernel - 1) + 1.", check=_effective_kernel),
    Claim(id="S31", says="l3 = W + 2 padding - dilation (kernel - 1) - 1.", check=_free_play),
    Claim(id="S32", says="The kernel can move floor(l3 / stride) steps.", check=_steps),
    Claim(id="S33", says="The width is floor(l3 / stride) + 1.", check=_formula,
          correction="for l3 >= 0; max(0, floor(l3 / stride) + 1) needs no hypothesis"),
    Claim(id="S34", says="H_out = floor((...) / stride + 1).", check=_second_form),
    Claim(id="S35", says="W_out = floor((...) / stride + 1).", check=_second_form_width,
          correction="not for ceil_mode, transposed layers, or the two sides of an uneven 'same'"),
    Claim(id="S36", says="A link to an interactive visualization.", check=tuple,
          correction="`convcheck explore` writes one that can be checked"),
    Claim(id="S37", says="Pooling can reduce the dimension.", check=_pooling_reduces),
    Claim(id="S38", says="Max pooling propagates the maximum of a region.", check=_max_pooling),
    Claim(id="S39", says="Average pooling propagates the average of a region.",
          check=_average_pooling),
)  # fmt: skip
