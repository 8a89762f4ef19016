"""The vectorised twins of `direct`: one matrix product per tap, in int64, float64 or objects.

They are exact wherever the carrier is: object arrays always, int64 while no sum of absolute
values reaches 2**63, float64 while none passes 2**53. `oracle.exact` brings wider numbers down to
float64. Each axis is padded by a gather (`boundary.index_map`); the adjoint of a gather is a
scatter-add.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from convcheck.core.spec import ConvSpec
from convcheck.oracle.boundary import index_map
from convcheck.oracle.taps import Index, output_spatial


def conv(x: np.ndarray, w: np.ndarray, *, spec: ConvSpec) -> np.ndarray:
    """Returns the layer without bias, (N, C_out, *output); the twin of `direct.conv`."""
    n, spatial, g = x.shape[0], x.shape[2:], spec.groups
    out = output_spatial(spec, spatial)
    padded = _pad(x, spec)
    weight = w.reshape(g, spec.out_channels // g, spec.in_channels // g, *spec.kernel_size)
    y = np.zeros((n, g, spec.out_channels // g, prod(out)), dtype=x.dtype)
    for k, window in _windows(spec, out):
        y += weight[k] @ _grouped(padded[window], g)
    return y.reshape(n, spec.out_channels, *out)


def input_adjoint(y: np.ndarray, w: np.ndarray, *, spec: ConvSpec, spatial: Index) -> np.ndarray:
    """Returns the gradient of the layer in x, (N, C_in, *spatial); the twin of its namesake."""
    n, out, g = y.shape[0], y.shape[2:], spec.groups
    pairs = spec.padding_pairs()
    extents = tuple(size + sum(pair) for size, pair in zip(spatial, pairs, strict=True))
    weight = w.reshape(g, spec.out_channels // g, spec.in_channels // g, *spec.kernel_size)
    padded = np.zeros((n, spec.in_channels, *extents), dtype=y.dtype)
    grouped = _grouped(y, g)
    for k, window in _windows(spec, out):
        part = weight[k].swapaxes(1, 2) @ grouped
        padded[window] += part.reshape(n, spec.in_channels, *out)
    return _unpad(padded, spec, spatial)


def weight_adjoint(y: np.ndarray, x: np.ndarray, *, spec: ConvSpec) -> np.ndarray:
    """Returns the gradient of the layer in w, (C_out, C_in / groups, *kernel)."""
    g = spec.groups
    padded, grouped = _pad(x, spec), _grouped(y, g)
    w = np.zeros(
        (g, spec.out_channels // g, spec.in_channels // g, *spec.kernel_size), dtype=x.dtype
    )
    for k, window in _windows(spec, y.shape[2:]):
        w[k] = (grouped @ _grouped(padded[window], g).swapaxes(2, 3)).sum(axis=0)
    return w.reshape(spec.out_channels, spec.in_channels // g, *spec.kernel_size)


def adjoint_spec(spec: ConvSpec) -> ConvSpec:
    """Returns the layer of which the transposed layer `spec` is the adjoint."""
    return ConvSpec(
        kernel_size=spec.kernel_size,
        stride=spec.stride,
        padding=spec.padding_pairs(),
        dilation=spec.dilation,
        groups=spec.groups,
        in_channels=spec.out_channels,
        out_channels=spec.in_channels,
    )


def conv_transpose(x: np.ndarray, w: np.ndarray, *, spec: ConvSpec) -> np.ndarray:
    """Returns the transposed layer without bias: the adjoint of `adjoint_spec(spec)`, at x.

    `output_padding` only says which of several input sizes of that layer is meant.
    """
    out = output_spatial(spec, x.shape[2:])
    return input_adjoint(x, w, spec=adjoint_spec(spec), spatial=out)


def convolve(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Returns the true convolution, full: the cross-correlation of padded f with g flipped."""
    spec = ConvSpec(kernel_size=g.shape, padding=tuple((k - 1, k - 1) for k in g.shape))
    return conv(f[None, None], np.flip(g)[None, None], spec=spec)[0, 0]


def cut(full: np.ndarray, f_shape: Index, g_shape: Index, mode: str) -> np.ndarray:
    """Returns the part of a full convolution that `mode` keeps, as `scipy.signal.convolve` does.

    "same" is the centre with f's shape; "valid" the part in which the smaller lies inside the
    larger.
    """
    parts = (kept_part(m, n, mode) for m, n in zip(f_shape, g_shape, strict=True))
    return full[tuple(slice(start, start + length) for start, length in parts)]


def kept_part(m: int, n: int, mode: str) -> tuple[int, int]:
    """Returns (first, length) of what a mode keeps of the full convolution of m and n elements."""
    return {
        "full": (0, m + n - 1),
        "same": ((n - 1) // 2, m),
        "valid": (min(m, n) - 1, abs(m - n) + 1),
    }[mode]


def _grouped(array: np.ndarray, groups: int) -> np.ndarray:
    """Returns (N, C, *spatial) as (N, groups, C / groups, positions)."""
    n, channels = array.shape[:2]
    return array.reshape(n, groups, channels // groups, prod(array.shape[2:]))


def _windows(spec: ConvSpec, out: Index) -> Iterator[tuple[Any, Any]]:
    """Yields the index of each tap and of the padded inputs that it reads for all outputs."""
    for k in np.ndindex(*spec.kernel_size):
        window = (
            slice(t * d, t * d + (size - 1) * s + 1, s)
            for t, d, s, size in zip(k, spec.dilation, spec.stride, out, strict=True)
        )
        yield (..., *k), (..., *window)


def _pad(x: np.ndarray, spec: ConvSpec) -> np.ndarray:
    if spec.padding_mode == "zeros":
        # np.pad would put NumPy's own zeros, which overflow, among Python's integers.
        axes = list(zip(x.shape[2:], spec.padding_pairs(), strict=True))
        extents = (size + before + after for size, (before, after) in axes)
        padded = np.zeros((*x.shape[:2], *extents), dtype=x.dtype)
        inside: Any = (..., *(slice(before, before + size) for size, (before, _) in axes))
        padded[inside] = x
        return padded
    for axis, pair in enumerate(spec.padding_pairs()):
        sources = index_map(x.shape[axis + 2], pair, spec.padding_mode)
        x = np.take(x, [i for i in sources if i is not None], axis=axis + 2)
    return x


def _unpad(padded: np.ndarray, spec: ConvSpec, spatial: Index) -> np.ndarray:
    for axis, (size, pair) in enumerate(zip(spatial, spec.padding_pairs(), strict=True)):
        moved = np.moveaxis(padded, axis + 2, 0)
        if spec.padding_mode == "zeros":
            kept = moved[pair[0] : pair[0] + size]
        else:
            kept = np.zeros((size, *moved.shape[1:]), dtype=padded.dtype)
            sources: Any = list(index_map(size, pair, spec.padding_mode))
            np.add.at(kept, sources, moved)
        padded = np.moveaxis(kept, 0, axis + 2)
    return np.ascontiguousarray(padded)
