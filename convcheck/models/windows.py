"""The sliding window of a call, one value per axis: what conv, pool, unfold and fold share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from convcheck.core.sizes import Pair, effective_kernel, padding_pairs, per_axis
from convcheck.models.graph import Call, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisWindow:
    """The window along one axis."""

    kernel: int
    stride: int
    padding: Pair
    dilation: int = 1

    @property
    def span(self) -> int:
        """The effective kernel, d(k-1) + 1."""
        return effective_kernel(self.kernel, self.dilation)

    def __str__(self) -> str:
        """Returns the window as in "k5 s2 p1"; what is at its default is left out."""
        parts = [f"k{self.kernel}"]
        if self.stride != 1:
            parts.append(f"s{self.stride}")
        if self.padding != (0, 0):
            before, after = self.padding
            parts.append(f"p{before}" if before == after else f"p{before}:{after}")
        if self.dilation != 1:
            parts.append(f"d{self.dilation}")
        return " ".join(parts)


def rank_of(op: str) -> int:
    """Returns the number of spatial axes of conv2d, max_pool3d, ...; 2 for unfold and fold."""
    return int(op[-2]) if op.endswith(("1d", "2d", "3d")) else 2


def is_conv(op: str) -> bool:
    """Whether `op` is a convolution, transposed or not."""
    return op.startswith("conv") and op.endswith("d")


def is_window_pool(op: str) -> bool:
    """Whether `op` pools with a window of a given size."""
    return op.startswith(("max_pool", "avg_pool", "lp_pool"))


def is_pool(op: str) -> bool:
    """Whether `op` pools in any way."""
    return "_pool" in op


def is_geometry(op: str) -> bool:
    """Whether the closed size formulas speak about `op`."""
    return is_conv(op) or is_pool(op) or "max_unpool" in op or op in ("unfold", "fold")


def has_window(op: str) -> bool:
    """Whether `op` slides a window whose stride and kernel are given."""
    return is_conv(op) or is_window_pool(op) or op in ("unfold", "fold")


def kernel_of(call: Call) -> tuple[int, ...]:
    """Returns the kernel's extent per axis, from the weight's shape or from the argument."""
    axes = rank_of(call.op)
    if is_conv(call.op):
        return call.inputs[1].shape[2:]
    return per_axis(call.options["kernel_size"], axes, "kernel_size")


def windows_of(call: Call) -> tuple[AxisWindow, ...]:
    """Returns the window of each axis.

    Raises:
        GeometryError: An argument is not one int, nor one per axis.
    """
    options = call.options
    given = (options.get("stride"), options.get("padding", 0), options.get("dilation", 1))
    stride, padding, dilation = map(_hashable, given)
    return _windows(call.op, kernel_of(call), stride, padding, dilation)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, (list, tuple)) else value


@lru_cache(maxsize=4096)
def _windows(
    op: str, kernel: tuple[int, ...], given: Any, padding: Any, dilation: Any
) -> tuple[AxisWindow, ...]:
    axes = rank_of(op)
    if given is None or given == ():
        given = 1 if is_conv(op) or op in ("unfold", "fold") else kernel
    stride = per_axis(given, axes, "stride")
    dilation = per_axis(dilation, axes, "dilation")
    if axes == 1 and isinstance(padding, tuple) and len(padding) == 1:
        padding = padding[0]
    pads = padding_pairs(padding, kernel, dilation, stride)
    return tuple(
        AxisWindow(kernel=k, stride=s, padding=p, dilation=d)
        for k, s, p, d in zip(kernel, stride, pads, dilation, strict=True)
    )


def spatial(shape: Shape, op: str) -> Shape:
    """Returns the extents of the axes that the window of `op` slides over."""
    return shape[-rank_of(op) :]


def is_unbatched(call: Call) -> bool:
    """Whether a geometry call was given an input without a batch axis."""
    return len(call.input_shape) == rank_of(call.op) + 1


def window_text(call: Call) -> str:
    """Returns the windows as one word per distinct axis, such as "k5 s2"."""
    windows = windows_of(call)
    if len(set(windows)) == 1:
        return str(windows[0])
    return ", ".join(map(str, windows))
