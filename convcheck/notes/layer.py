"""Claims S11 to S24: kernel size, padding, stride, dilation."""

from __future__ import annotations

from convcheck.core.receptive_field import Window, receptive_field
from convcheck.core.sizes import conv_output_size, effective_kernel
from convcheck.notes.claim import Claim, Reading
from convcheck.notes.evidence import by_computation


def _starts(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> range:
    """Returns where each window begins, in the coordinates of the unpadded input."""
    count = conv_output_size(size, kernel, stride=stride, padding=padding, dilation=dilation)
    return range(-padding, -padding + count * stride, stride)


def _read(size: int, kernel: int, stride: int = 1) -> list[int]:
    """Returns in how many windows each input element lies."""
    starts = _starts(size, kernel, stride)
    return [sum(start <= i < start + kernel for start in starts) for i in range(size)]


def _kernel_is_a_number() -> tuple[Reading, ...]:
    from torch import nn

    weight = nn.Conv2d(3, 6, 5).weight
    return (
        by_computation(
            weight[0, 0].numel() == 5 * 5,
            "the kernel's size counts the positions processed together",
            f"a 5x5 kernel has {weight[0, 0].numel()} positions per channel",
        ),
        by_computation(
            weight.numel() == 25,
            "the kernel is that number",
            f"`nn.Conv2d(3, 6, 5)` holds {weight.numel()} weights, shape {tuple(weight.shape)}",
        ),
    )


def _rectangular() -> tuple[Reading, ...]:
    import torch
    from torch import nn

    found = tuple(nn.Conv2d(1, 1, (3, 4))(torch.zeros(1, 1, 8, 8)).shape[2:])
    return (
        by_computation(
            found == conv_output_size((8, 8), (3, 4)),
            "a 3x4 kernel can be defined",
            f"on 8x8 it gives {found}, as the formula says",
        ),
    )


def _padding_is_zeros() -> tuple[Reading, ...]:
    import torch
    from torch.nn.functional import conv2d, max_pool2d, pad

    x = -torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    w = torch.tensor([[[[1.0, 2.0], [3.0, 5.0]]]])
    padded = pad(x, (1, 1, 1, 1))
    pooled, zeroed = max_pool2d(x, 2, padding=1), max_pool2d(padded, 2)
    return (
        by_computation(
            torch.equal(pooled, zeroed),
            "padding adds zeros in every layer",
            f"max pooling of a negative picture: {pooled[0, 0, 0, 0]:g} at the corner, with zeros "
            f"it would be {zeroed[0, 0, 0, 0]:g} (it pads with -oo)",
        ),
        by_computation(
            torch.equal(conv2d(x, w, padding=1), conv2d(padded, w)),
            "padding adds zeros",
            "a padded layer equals the layer on the picture with zeros around it",
            under="convolution with padding_mode zeros",
        ),
    )


def _not_enough_pixels() -> tuple[Reading, ...]:
    agree = all(
        (not 0 <= i - half <= i + half < size) == (min(i, size - 1 - i) < half)
        for size in range(1, 12)
        for half in range(4)
        for i in range(size)
    )
    return (
        by_computation(
            agree,
            "a window centred within (k-1)/2 of the border lacks pixels, and only such a window",
            "every centre for sizes to 11 and odd kernels to 7",
        ),
    )


def _borders_ignored() -> tuple[Reading, ...]:
    counts, strided = _read(7, 3), _read(8, 3, 2)
    unread = [i for i, count in enumerate(strided) if not count]
    l3 = 8 - 3
    return (
        by_computation(
            not any((counts[0], counts[-1])),
            "the border pixels are not used",
            f"stride 1, kernel 3, width 7: windows per pixel {counts}",
        ),
        by_computation(
            len(_starts(7, 3)) == 7 - (3 - 1),
            "the border gets no output of its own: k - 1 positions are lost",
            f"7 pixels, {len(_starts(7, 3))} outputs",
        ),
        by_computation(
            len(unread) == l3 % 2 > 0,
            "with a stride the last l3 mod s pixels are never read",
            f"width 8, kernel 3, stride 2: pixel {unread} is in no window",
        ),
    )


def _borders_convolved() -> tuple[Reading, ...]:
    def all_centred(size: int, kernel: int, padding: int, dilation: int) -> bool:
        half = dilation * (kernel - 1) // 2
        centres = {start + half for start in _starts(size, kernel, 1, padding, dilation)}
        return set(range(size)) <= centres

    enough = all(
        all_centred(7, kernel, padding, dilation)
        for kernel in (1, 3, 5)
        for dilation in (1, 2)
        for padding in range(7)
        if 2 * padding >= dilation * (kernel - 1)
    )
    return (
        by_computation(
            all_centred(7, 5, 1, 1),
            "any padding gives every border pixel a window",
            "kernel 5 with padding 1: no window is centred at pixel 0",
        ),
        by_computation(
            enough,
            "every border pixel is the centre of a window",
            "width 7, kernels 1, 3, 5, dilations 1, 2, every such padding to 6",
            under="padding >= d(k-1)/2",
        ),
    )


def _stride_is_the_step(stride: int | None) -> tuple[Reading, ...]:
    strides = range(1, 6) if stride is None else (stride,)
    steps = {
        s: {b - a for a, b in zip(starts, starts[1:], strict=False)}
        for s in strides
        for starts in [list(_starts(30, 3, s))]
    }
    return (
        by_computation(
            all(moves == {s} for s, moves in steps.items()),
            "neighbouring windows start `stride` pixels apart",
            f"distances measured on width 30, kernel 3: {steps}",
        ),
    )


def _dilation_ignores() -> tuple[Reading, ...]:
    from torch import nn

    plain, dilated = nn.Conv2d(1, 1, 3, bias=False), nn.Conv2d(1, 1, 3, dilation=2, bias=False)
    taps = [2 * tap for tap in range(3)]
    skipped = sorted(set(range(effective_kernel(3, 2))) - set(taps))
    return (
        by_computation(
            dilated.weight.numel() < plain.weight.numel(),
            "pixels within the kernel are ignored: it has fewer weights",
            f"{dilated.weight.numel()} weights with dilation 2, {plain.weight.numel()} without",
        ),
        by_computation(
            skipped == [1, 3],
            "input pixels between the taps are skipped",
            f"dilation 2: taps at {taps}, skipped {skipped}; dilation 1 skips none",
        ),
    )


def _dilation_is_cheaper() -> tuple[Reading, ...]:
    taps, extent = 3 * 3, effective_kernel(3, 2)
    return (
        by_computation(
            taps < extent * extent,
            "cheaper than a dense kernel of the same extent",
            f"{taps} products an output against {extent * extent}",
        ),
        by_computation(
            taps < 3 * 3,
            "cheaper than the same kernel without dilation",
            f"{taps} products an output in both",
        ),
    )


def _expands_to(extent: int) -> tuple[Reading, ...]:
    found = effective_kernel(3, 2)
    dilation = (extent - 1) // 2
    field = receptive_field(Window(kernel_size=3, dilation=d) for d in (1, 2))
    return (
        by_computation(
            found == extent,
            f"dilation 2 expands a 3x3 kernel to {extent}x{extent}",
            f"2(3 - 1) + 1 = {found}; extent {extent} is dilation {dilation}"
            + (
                f", and {field[-1].size[0]} is the receptive field of dilations 1 then 2"
                if found != extent
                else ""
            ),
        ),
    )


def _nine_pixels() -> tuple[Reading, ...]:
    rows = [2 * tap for tap in range(3)]
    gaps = {b - a for a, b in zip(rows, rows[1:], strict=False)}
    return (
        by_computation(
            len(rows) ** 2 == 9 and len(gaps) == 1,
            "nine evenly spaced pixels per channel",
            f"rows and columns {rows}",
        ),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(id="S11", says="The kernel is the number of pixels processed together.",
          check=_kernel_is_a_number, correction="the kernel is the array of weights"),
    Claim(id="S12", says="Usually the kernel is square, 3x3 or 5x5.", check=tuple,
          correction="a habit"),
    Claim(id="S13", says="A 3x4 kernel can be defined.", check=_rectangular),
    Claim(id="S14", says="Padding is the addition of (typically) 0-valued pixels.",
          check=_padding_is_zeros,
          correction="max pooling pads with -oo; average pooling: count_include_pad"),
    Claim(id="S15", says="At the border there are not enough pixels.", check=_not_enough_pixels),
    Claim(id="S16", says="Without padding the borders are ignored.", check=_borders_ignored,
          correction="at stride 1 every pixel is used, pixel i in min(i, k-1, W-k, W-1-i) + 1 "
          "windows"),
    Claim(id="S17", says="With padding the borders are convolved, missing parts as zeros.",
          check=_borders_convolved),
    Claim(id="S18", says="The stride is the number of pixels that the window moves.",
          check=lambda: _stride_is_the_step(None)),
    Claim(id="S19", says="Stride 2: each window is 2 pixels from its predecessor.",
          check=lambda: _stride_is_the_step(2)),
    Claim(id="S20", says="Dilation ignores pixels within a kernel.", check=_dilation_ignores,
          correction="it skips input pixels between the taps; the kernel keeps all its weights"),
    Claim(id="S21", says="Dilation reduces processing and memory.", check=_dilation_is_cheaper,
          correction="compared with a dense kernel of the same extent"),
    Claim(id="S22", says="... without significant loss of signal.", check=tuple,
          correction="not measurable as it stands; dilations 2, 2, 2 read 7 of 13 offsets (S27)"),
    Claim(id="S23a", says="Dilation 2 on a 3x3 kernel expands it to 5x5.",
          check=lambda: _expands_to(5)),
    Claim(id="S23b", says="(struck out:) ... to 7x7.", check=lambda: _expands_to(7)),
    Claim(id="S24", says="It still processes 9 evenly spaced pixels.", check=_nine_pixels),
)  # fmt: skip
