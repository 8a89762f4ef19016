"""Implementations that come with convcheck, each as a function of the public contract.

An adapter brings a library's call into the signature of `core.ops` and says which parameters the
library has no word for; it repairs nothing. Libraries are imported when a function is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from convcheck.oracle.expected import Algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """A function under test, with what it claims to be.

    Attributes:
        name: The library's own name for it.
        op: The operation, a name of `core.ops.OPS`.
        function: The function, called as the operation is.
        algorithm: "direct", or one that transforms first and is held to its error bound.
        says: How the adapter uses the library, in a few words.
    """

    name: str
    op: str
    function: Callable[..., Any]
    algorithm: Algorithm = "direct"
    says: str = ""


def torch_without_mkldnn(x: Any, w: Any, *rest: Any, **named: Any) -> Any:
    """`torch.nn.functional.convNd` with oneDNN switched off."""
    import torch

    with torch.backends.mkldnn.flags(enabled=False):
        return getattr(torch.nn.functional, f"conv{x.ndim - 2}d")(x, w, *rest, **named)


def torch_channels_last(x: Any, w: Any, *rest: Any, **named: Any) -> Any:
    """`torch.nn.functional.conv2d` on channels-last copies of its input and weight."""
    import torch

    moved = (value.to(memory_format=torch.channels_last) for value in (x, w))
    return torch.nn.functional.conv2d(*moved, *rest, **named)


def torch_max_pool2d_with_indices(x: Any, *rest: Any, **named: Any) -> Any:
    """`torch.nn.functional.max_pool2d` with `return_indices=True`."""
    import torch

    return torch.nn.functional.max_pool2d(x, *rest, **named, return_indices=True)


def torch_compiled(x: Any, w: Any, *rest: Any, **named: Any) -> Any:
    """`torch.nn.functional.convNd` through `torch.compile`, with its backend "eager".

    It is in no list: each new shape is compiled, so that a search takes minutes.
    """
    return _compiled()(x, w, *rest, **named)


def torch_on_cuda(x: Any, w: Any, b: Any = None, *rest: Any, **named: Any) -> Any:
    """`torch.nn.functional.convNd` on a GPU, TF32 off, its result brought back."""
    import torch

    moved = (None if value is None else value.cuda() for value in (x, w, b))
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return getattr(torch.nn.functional, f"conv{x.ndim - 2}d")(*moved, *rest, **named).cpu()


@cache
def _compiled() -> Callable[..., Any]:
    import torch

    def conv(x: Any, *rest: Any, **named: Any) -> Any:
        return getattr(torch.nn.functional, f"conv{x.ndim - 2}d")(x, *rest, **named)

    return torch.compile(conv, backend="eager", dynamic=True)


def numpy_windows(
    x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """A convolution layer by `numpy.lib.stride_tricks.sliding_window_view` and `einsum`."""

    def correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        return np.tensordot(windows, kernel, kernel.ndim)

    return _layer(correlate, x, w, b, stride, padding, dilation, groups)


def scipy_correlate(
    x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """A convolution layer by `scipy.signal.correlate`, method "direct"."""
    from scipy.signal import correlate

    def valid(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return correlate(image, kernel, mode="valid", method="direct")

    return _layer(valid, x, w, b, stride, padding, dilation, groups)


def scipy_convolve2d(
    x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """A 2-D convolution layer by `scipy.signal.convolve2d` with the kernel flipped."""
    from scipy.signal import convolve2d

    def valid(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return convolve2d(image, kernel[::-1, ::-1], mode="valid")

    return _layer(valid, x, w, b, stride, padding, dilation, groups)


def scipy_fft_layer(
    x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """A convolution layer by `scipy.signal.fftconvolve` with the kernel flipped; floats only."""
    from scipy.signal import fftconvolve

    def valid(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return fftconvolve(image, np.flip(kernel), mode="valid").astype(image.dtype)

    _only_floats(x)
    return _layer(valid, x, w, b, stride, padding, dilation, groups)


def scipy_convolve(f: Any, g: Any, mode: str = "full") -> Any:
    """`scipy.signal.convolve`, method "direct"."""
    from scipy.signal import convolve

    return convolve(f, g, mode=mode, method="direct")


def scipy_fftconvolve(f: Any, g: Any, mode: str = "full") -> Any:
    """`scipy.signal.fftconvolve`; floats only, as integers would come back as floats."""
    from scipy.signal import fftconvolve

    _only_floats(f)
    return fftconvolve(f, g, mode=mode)


def scipy_flipped_correlate(f: Any, g: Any, mode: str = "full") -> Any:
    """`scipy.signal.correlate` with g flipped, mode "full", the part that `mode` keeps cut out."""
    from scipy.signal import correlate

    return correlate(f, np.flip(g), mode="full", method="direct")[_kept(f.shape, g.shape, mode)]


def ndimage_convolve_floats(f: Any, g: Any, mode: str = "full") -> Any:
    """`ndimage_convolve` of floats alone: see `known_faults` for integers."""
    _only_floats(f)
    return ndimage_convolve(f, g, mode)


def ndimage_convolve(f: Any, g: Any, mode: str = "full") -> Any:
    """`scipy.ndimage.convolve` on f with zeros around it, the part that `mode` keeps cut out."""
    from scipy.ndimage import convolve

    padded = np.pad(f, [(k - 1, k - 1) for k in g.shape])
    # ndimage puts the origin of an even kernel after its middle; -1 puts it before.
    origin = [-1 if k % 2 == 0 else 0 for k in g.shape]
    same = convolve(padded, g, mode="constant", origin=origin)
    starts = [(k - 1) // 2 for k in g.shape]
    full = same[
        tuple(
            slice(k - 1 - start, k - 1 - start + m + k - 1)
            for k, m, start in zip(g.shape, f.shape, starts, strict=True)
        )
    ]
    return full[_kept(f.shape, g.shape, mode)]


def numpy_convolve(f: Any, g: Any, mode: str = "full") -> Any:
    """`numpy.convolve`, mode "full", cut as scipy cuts it: numpy centres on the longer one."""
    return np.convolve(f, g)[_kept(f.shape, g.shape, mode)]


def _kept(f: tuple[int, ...], g: tuple[int, ...], mode: str) -> tuple[slice, ...]:
    """Returns the part of the full convolution that `scipy.signal.convolve` keeps."""
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode {mode!r} is unknown")
    pairs = list(zip(f, g, strict=True))
    if mode == "full":
        return tuple(slice(0, m + n - 1) for m, n in pairs)
    if mode == "same":
        return tuple(slice((n - 1) // 2, (n - 1) // 2 + m) for m, n in pairs)
    if not (all(m >= n for m, n in pairs) or all(m <= n for m, n in pairs)):
        raise ValueError("neither sequence contains the other")
    return tuple(slice(min(m, n) - 1, max(m, n)) for m, n in pairs)


def _only_floats(array: Any) -> None:
    if array.dtype.kind != "f":
        raise TypeError(f"floats only, not {array.dtype}")


def _layer(
    correlate: Callable[[np.ndarray, np.ndarray], np.ndarray],
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None,
    stride: Any, padding: Any, dilation: Any, groups: int,
) -> np.ndarray:  # fmt: skip
    """Returns the layer, every (image, filter, channel) by `correlate(image, kernel)`, "valid"."""
    axes = w.ndim - 2
    s, p, d = (_per_axis(value, axes) for value in (stride, padding, dilation))
    if min((*s, *d, groups, *(n + 1 for n in p))) < 1 or x.shape[1] != w.shape[1] * groups:
        raise ValueError("impossible stride, padding, dilation or groups")
    if len(w) % groups or not len(w):
        raise ValueError("the groups do not divide the filters")
    padded = np.pad(x, [(0, 0), (0, 0), *((n, n) for n in p)])
    spans = ((k - 1) * e + 1 for k, e in zip(w.shape[2:], d, strict=True))
    spread = np.zeros((*w.shape[:2], *spans), dtype=w.dtype)
    holes: tuple[Any, ...] = (..., *(slice(None, None, e) for e in d))
    spread[holes] = w
    extents = [n - k for n, k in zip(padded.shape[2:], spread.shape[2:], strict=True)]
    if min(extents) < 0 or min(x.shape[2:]) < 1 or min(w.shape[2:]) < 1:
        raise ValueError("the kernel does not fit")
    out = [e // step + 1 for e, step in zip(extents, s, strict=True)]
    y = np.zeros((len(x), len(w), *out), dtype=x.dtype)
    for n, f, c, source in _products(len(x), len(w), w.shape[1], groups):
        full = correlate(padded[n, source], spread[f, c])
        y[n, f] += full[tuple(slice(None, None, step) for step in s)]
    return y if b is None else y + b.reshape(-1, *[1] * axes)


def _products(images: int, filters: int, width: int, groups: int) -> Iterator[tuple[int, ...]]:
    for n in range(images):
        for f in range(filters):
            first = f // (filters // groups) * width
            for c in range(width):
                yield n, f, c, first + c


def _per_axis(value: Any, axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)


def implementations() -> tuple[Implementation, ...]:
    """Returns the implementations that come with convcheck; imports torch."""
    import torch
    from torch.nn import functional

    def of(name: str, op: str, function: Callable[..., Any], says: str = "", **named: Any) -> Any:
        return Implementation(name=name, op=op, function=function, says=says, **named)

    layer = "with a loop over images, filters and channels"
    there = torch.cuda.is_available()
    return (
        of("torch conv1d", "conv1d", functional.conv1d),
        of("torch conv2d", "conv2d", functional.conv2d),
        of("torch conv3d", "conv3d", functional.conv3d),
        of("torch conv2d, oneDNN off", "conv2d", torch_without_mkldnn),
        of("torch conv2d, channels last", "conv2d", torch_channels_last),
        *([of("torch conv2d, CUDA", "conv2d", torch_on_cuda)] if there else []),
        of("torch max_pool2d, indices", "max_pool2d", torch_max_pool2d_with_indices),
        of("numpy sliding_window_view", "conv2d", numpy_windows, layer),
        of("scipy.signal.correlate", "conv2d", scipy_correlate, layer),
        of("scipy.signal.convolve2d", "conv2d", scipy_convolve2d, f"kernel flipped, {layer}"),
        of("scipy.signal.fftconvolve", "conv2d", scipy_fft_layer, f"kernel flipped, {layer}",
           algorithm="fft"),
        of("scipy.signal.convolve", "convolve", scipy_convolve),
        of("scipy.signal.correlate", "convolve", scipy_flipped_correlate, "g flipped, cut by mode"),
        of("scipy.signal.fftconvolve", "convolve", scipy_fftconvolve, algorithm="fft"),
        of("scipy.ndimage.convolve", "convolve", ndimage_convolve_floats, "f zero-padded, cut"),
        of("numpy.convolve", "convolve", numpy_convolve, "one axis; modes cut as scipy cuts them"),
    )  # fmt: skip
