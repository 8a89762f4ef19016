"""Output sizes of convolution, transposed convolution, pooling, unfold and fold, in unbounded ints.

Each public function takes one extent or one per axis and answers in the same form. The arithmetic
for one axis, worked step by step, is in `core.explanation`; both use the functions of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal, overload

from convcheck.core.errors import GeometryError

Extent = int | Sequence[int]
Padding = int | str | Sequence[int] | Sequence[tuple[int, int]]
Pair = tuple[int, int]


def effective_kernel(kernel_size: int, dilation: int) -> int:
    """Returns the extent that a dilated kernel covers: dilation * (kernel_size - 1) + 1."""
    return dilation * (kernel_size - 1) + 1


def same_padding(kernel_size: int, dilation: int) -> Pair:
    """Returns the (before, after) padding of `padding="same"` at stride 1.

    The total is dilation * (kernel_size - 1); an odd total puts the extra element after, as
    torch does (ONNX `SAME_UPPER`).
    """
    total = effective_kernel(kernel_size, dilation) - 1
    return total // 2, total - total // 2


def per_axis(value: object, axes: int, name: str) -> tuple[int, ...]:
    """Returns `value` as one int per axis; an int is repeated.

    Raises:
        GeometryError: It is neither an int nor `axes` ints.
    """
    if type(value) is tuple and len(value) == axes and set(map(type, value)) == {int}:
        return value  # As it nearly always is: a spec is made of another spec's parts.
    if isinstance(value, (str, bytes)) or not isinstance(value, (int, Sequence)):
        return tuple(_as_int(item, name) for item in _iterate(value, axes, name))
    if isinstance(value, int):
        return (_as_int(value, name),) * axes
    if len(value) == 1 and axes > 1:
        value = tuple(value) * axes
    if len(value) != axes:
        raise GeometryError(
            f"{name} has {len(value)} values {tuple(value)}",
            why=f"the input has {axes} spatial axes",
            fix=f"give one int, or {axes} of them",
        )
    return tuple(_as_int(item, name) for item in value)


def padding_pairs(
    padding: object,
    kernel_size: tuple[int, ...],
    dilation: tuple[int, ...],
    stride: tuple[int, ...],
) -> tuple[Pair, ...]:
    """Returns `padding` as one (before, after) pair per axis.

    Args:
        padding: An int; one int per axis; one pair per axis; one pair of ints where there is
            a single axis; or "same" / "valid".
        kernel_size: One int per axis.
        dilation: One int per axis.
        stride: One int per axis; "same" needs stride 1, as in torch.

    Raises:
        GeometryError: The form is none of these, or "same" meets a stride other than 1.
    """
    axes = len(kernel_size)
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * axes
        if padding != "same":
            raise GeometryError(
                f"padding {padding!r} is unknown", fix='use "same", "valid" or ints'
            )
        if any(step != 1 for step in stride):
            raise GeometryError(
                f'padding "same" with stride {stride}',
                why='"same" is defined for stride 1 only (as in torch)',
                fix="use stride 1, or give the padding as ints",
            )
        return tuple(same_padding(k, d) for k, d in zip(kernel_size, dilation, strict=True))
    if isinstance(padding, (tuple, Sequence)):
        if axes == 1 and len(padding) == 2 and all(isinstance(item, int) for item in padding):
            return ((_as_int(padding[0], "padding"), _as_int(padding[1], "padding")),)
        if padding and all(isinstance(item, (tuple, Sequence)) for item in padding):
            pairs = [per_axis(item, 2, "padding pair") for item in padding]
            if len(pairs) != axes:
                raise GeometryError(
                    f"padding has {len(pairs)} pairs", why=f"the input has {axes} spatial axes"
                )
            return tuple((before, after) for before, after in pairs)
    return tuple((p, p) for p in per_axis(padding, axes, "padding"))


@overload
def conv_output_size(
    input_size: int,
    kernel_size: Extent,
    *,
    stride: Extent = 1,
    padding: Padding = 0,
    dilation: Extent = 1,
) -> int: ...
@overload
def conv_output_size(
    input_size: Sequence[int],
    kernel_size: Extent,
    *,
    stride: Extent = 1,
    padding: Padding = 0,
    dilation: Extent = 1,
) -> tuple[int, ...]: ...
def conv_output_size(
    input_size: Extent,
    kernel_size: Extent,
    *,
    stride: Extent = 1,
    padding: Padding = 0,
    dilation: Extent = 1,
) -> int | tuple[int, ...]:
    """Number of positions a sliding window takes, per axis.

    Equals floor((input + before + after - dilation * (kernel - 1) - 1) / stride) + 1.

    Args:
        input_size: Extent of the input, >= 1; an int, or one per axis `(H, W)`.
        kernel_size: Taps of the kernel, >= 1.
        stride: Step between neighbouring windows, >= 1.
        padding: Elements added on both sides, >= 0; `(before, after)` pairs; or "same" / "valid".
        dilation: Distance between taps, >= 1.

    Returns:
        The output extent, in the form of `input_size`.

    Raises:
        GeometryError: A parameter is out of range, or the effective kernel does not fit.

    References:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", relationship 15.
    """
    sizes, kernels, strides, dilations = _axes(input_size, kernel_size, stride, dilation)
    pairs = padding_pairs(padding, kernels, dilations, strides)
    out = tuple(map(conv_axis, sizes, kernels, strides, pairs, dilations))
    return out[0] if isinstance(input_size, int) else out


def conv_axis(size: int, kernel: int, stride: int, padding: Pair, dilation: int) -> int:
    """Returns `conv_output_size` for one axis."""
    _check_window(size, kernel, stride, padding, dilation)
    free = size + sum(padding) - effective_kernel(kernel, dilation)
    if free < 0:
        raise _does_not_fit(size, kernel, padding, dilation)
    return free // stride + 1


def conv_transpose_output_size(
    input_size: Extent,
    kernel_size: Extent,
    *,
    stride: Extent = 1,
    padding: Padding = 0,
    output_padding: Extent = 0,
    dilation: Extent = 1,
) -> int | tuple[int, ...]:
    """Extent of a transposed convolution's output, per axis.

    Equals (input - 1) * stride - before - after + dilation * (kernel - 1) + output_padding + 1:
    the input extent of the convolution of which it is the adjoint.

    Args:
        input_size: Extent of the input, >= 1; an int, or one per axis.
        kernel_size: Taps of the kernel, >= 1.
        stride: Step of the adjoint convolution, >= 1.
        padding: Elements removed on both sides, >= 0, or `(before, after)` pairs.
        output_padding: Elements added after, >= 0 and less than stride or dilation.
        dilation: Distance between taps, >= 1.

    Returns:
        The output extent, in the form of `input_size`.

    Raises:
        GeometryError: A parameter is out of range, or nothing would be left of the output.

    References:
        Dumoulin and Visin, relationship 14; `torch.nn.ConvTranspose2d`.
    """
    sizes, kernels, strides, dilations = _axes(input_size, kernel_size, stride, dilation)
    if isinstance(padding, str):
        raise GeometryError(f"padding {padding!r}", why="a transposed convolution takes ints only")
    pairs = padding_pairs(padding, kernels, dilations, strides)
    extras = per_axis(output_padding, len(sizes), "output_padding")
    out = tuple(map(conv_transpose_axis, sizes, kernels, strides, pairs, extras, dilations))
    return out[0] if isinstance(input_size, int) else out


def conv_transpose_axis(
    size: int, kernel: int, stride: int, padding: Pair, output_padding: int, dilation: int
) -> int:
    """Returns `conv_transpose_output_size` for one axis."""
    _check_window(size, kernel, stride, padding, dilation)
    if not 0 <= output_padding < max(stride, dilation):
        raise GeometryError(
            f"output_padding {output_padding}",
            why=f"it must be at least 0 and less than stride {stride} or dilation {dilation}",
            fix=f"use output_padding <= {max(stride, dilation) - 1}",
        )
    out = (size - 1) * stride - sum(padding) + effective_kernel(kernel, dilation) + output_padding
    if out < 1:
        raise GeometryError(
            f"nothing is left of the output: {out}",
            why=f"({size} - 1) x {stride} - {padding[0]} - {padding[1]} + "
            f"{effective_kernel(kernel, dilation)} + {output_padding} = {out}",
            fix="use less padding, or a larger input, kernel or output_padding",
        )
    return out


def pool_output_size(
    input_size: Extent,
    kernel_size: Extent,
    *,
    stride: Extent | None = None,
    padding: Padding = 0,
    dilation: Extent = 1,
    ceil_mode: bool = False,
    kind: Literal["max", "avg"] = "max",
) -> int | tuple[int, ...]:
    """Number of pooling windows, per axis, by torch's rule.

    Like `conv_output_size`, with ceil for floor where `ceil_mode` is set; a last window that
    would start in the padding after the input is then dropped.

    Args:
        input_size: Extent of the input, >= 1; an int, or one per axis.
        kernel_size: Extent of the window, >= 1.
        stride: Step between windows, >= 1; the kernel size by default.
        padding: Elements added on both sides, at most kernel_size // 2 (dilation does not count).
        dilation: Distance between the elements of a window, >= 1; 1 for average pooling.
        ceil_mode: Whether to keep a last window that is only partly covered.
        kind: "max" or "avg"; they differ in that a 3-D average pooling refuses an input smaller
            than its kernel.

    Returns:
        The output extent, in the form of `input_size`.

    Raises:
        GeometryError: A parameter is out of range, or no window fits.

    References:
        `torch.nn.MaxPool2d`, `torch.nn.AvgPool2d`; ATen/native/Pool.h, pooling_output_shape.
    """
    sizes, kernels, strides, dilations = _axes(
        input_size, kernel_size, kernel_size if stride is None else stride, dilation
    )
    if isinstance(padding, str):
        raise GeometryError(f"padding {padding!r}", why="pooling takes ints only")
    pairs = padding_pairs(padding, kernels, dilations, strides)
    if kind == "avg" and any(step != 1 for step in dilations):
        raise GeometryError(f"dilation {dilations}", why="average pooling has no dilation")
    out = tuple(
        pool_axis(*axis, ceil_mode=ceil_mode)
        for axis in zip(sizes, kernels, strides, pairs, dilations, strict=True)
    )
    if kind == "avg" and len(sizes) == 3 and any(map(int.__lt__, sizes, kernels)):
        raise GeometryError(
            f"input {sizes} is smaller than the kernel {kernels}",
            why="avg_pool3d refuses an unpadded input smaller than its kernel",
            fix="use a smaller kernel or a larger input",
        )
    return out[0] if isinstance(input_size, int) else out


def pool_axis(
    size: int, kernel: int, stride: int, padding: Pair, dilation: int, *, ceil_mode: bool = False
) -> int:
    """Returns `pool_output_size` for one axis."""
    _check_window(size, kernel, stride, padding, dilation)
    if max(padding) > kernel // 2:
        raise GeometryError(
            f"pool padding {max(padding)} is more than half the kernel",
            why=f"it must be at most kernel // 2 = {kernel} // 2 = {kernel // 2}, or a window "
            "could lie wholly in padding",
            fix=f"use padding <= {kernel // 2}, or a larger kernel",
        )
    free = size + sum(padding) - effective_kernel(kernel, dilation)
    out = (free + stride - 1 if ceil_mode else free) // stride + 1
    if ceil_mode and (out - 1) * stride >= size + padding[0]:
        out -= 1
    if out < 1:
        raise _does_not_fit(size, kernel, padding, dilation)
    return out


def unfold_output_size(
    input_size: Extent,
    kernel_size: Extent,
    *,
    stride: Extent = 1,
    padding: Padding = 0,
    dilation: Extent = 1,
) -> int:
    """Number of columns L of `torch.nn.Unfold`: the product of the window positions of each axis.

    Args and Raises are those of `conv_output_size`.

    References:
        `torch.nn.Unfold`.
    """
    sizes = (input_size,) if isinstance(input_size, int) else tuple(input_size)
    return prod(
        conv_output_size(sizes, kernel_size, stride=stride, padding=padding, dilation=dilation)
    )


def fold_columns(
    output_size: Extent,
    kernel_size: Extent,
    *,
    stride: Extent = 1,
    padding: Padding = 0,
    dilation: Extent = 1,
) -> int:
    """Number of columns L that `torch.nn.Fold` must be given to build `output_size`.

    Fold is the adjoint of unfold, so this is `unfold_output_size` of the output.

    References:
        `torch.nn.Fold`.
    """
    return unfold_output_size(
        output_size, kernel_size, stride=stride, padding=padding, dilation=dilation
    )


def _axes(size: Extent, kernel: object, stride: object, dilation: object) -> list[tuple[int, ...]]:
    axes = 1 if isinstance(size, int) else len(size)
    if not axes:
        raise GeometryError("input_size is empty", fix="give one int, or one per spatial axis")
    named = (("input_size", size), ("kernel_size", kernel), ("stride", stride))
    return [per_axis(value, axes, name) for name, value in (*named, ("dilation", dilation))]


def _check_window(size: int, kernel: int, stride: int, padding: Pair, dilation: int) -> None:
    for name, value, least in (
        ("input_size", size, 1),
        ("kernel_size", kernel, 1),
        ("stride", stride, 1),
        ("padding", min(padding), 0),
        ("dilation", dilation, 1),
    ):
        if value < least:
            raise GeometryError(
                f"{name} {value}", why=f"it must be at least {least}", fix=f"use {name} >= {least}"
            )


def _does_not_fit(size: int, kernel: int, padding: Pair, dilation: int) -> GeometryError:
    span, padded = effective_kernel(kernel, dilation), size + sum(padding)
    lack = span - padded
    fixes = [f"padding >= {padding[0] + -(-lack // 2)}"] if padding[0] == padding[1] else []
    if kernel > 1 and (padded - 1) // (kernel - 1) >= 1:
        fixes.append(f"dilation <= {(padded - 1) // (kernel - 1)}")
    fixes.append(f"an input of at least {size + lack}")
    return GeometryError(
        "kernel does not fit",
        why=f"effective kernel {span} (dilation {dilation} x (kernel {kernel} - 1) + 1) is larger "
        f"than the padded input {padded} ({_padded(size, padding)})",
        fix="use " + ", or ".join(fixes),
    )


def _padded(size: int, padding: Pair) -> str:
    if padding[0] == padding[1]:
        return f"{size} + 2 x {padding[0]}"
    return f"{size} + {padding[0]} + {padding[1]}"


def _iterate(value: object, axes: int, name: str) -> Sequence[object]:
    try:
        items = list(value)  # type: ignore[call-overload]
    except TypeError:
        items = None
    if isinstance(value, (str, bytes)) or items is None or len(items) != axes:
        raise GeometryError(f"{name} {value!r}", why=f"it must be an int, or {axes} ints")
    return items


def _as_int(value: object, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise GeometryError(f"{name} {value!r}", why="it must be an int")
    return int(value.__index__())
