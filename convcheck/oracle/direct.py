"""The defining sums, written as index loops over any ring. Slow on purpose: this is what is true.

Elements may be ints, Fractions, SymPy symbols, anything that adds and multiplies. Letters are
those of the papers: n is the image, f the filter, c the channel, o the output position, k the
tap, i the input position that the tap reads. With stride s, padding p and dilation d,

    i = o s + k d - p,

which `taps` works out for every boundary rule. The three functions are three readings of one
trilinear form, T(y, w, x) = sum y[n,f,o] w[f,c,k] x[n,c,i]: each is its derivative in one argument.

    conv(x, w)                 = dT/dy    the layer: a cross-correlation
    input_adjoint(y, w)        = dT/dx    its gradient in x, and the transposed convolution
    weight_adjoint(y, x)       = dT/dw    its gradient in w
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from convcheck.core.spec import ConvSpec
from convcheck.oracle.taps import Index, output_spatial, taps


def conv(x: Any, w: Any, b: Any = None, *, spec: ConvSpec) -> np.ndarray:
    """Returns the cross-correlation layer: y[n,f,o] = b[f] + sum over c, k of w[f,c,k] x[n,c,i].

    Args:
        x: Array-like (N, C_in, *spatial).
        w: Array-like (C_out, C_in / groups, *kernel).
        b: Array-like (C_out,), or None.
        spec: The layer; its `transposed` must be False.

    Returns:
        An object array (N, C_out, *output).
    """
    x, w = as_ring(x), as_ring(w)
    y = _zeros((x.shape[0], spec.out_channels, *output_spatial(spec, x.shape[2:])))
    for n in range(x.shape[0]):
        for f, c, o, k, i in terms(spec, x.shape[2:]):
            y[(n, f, *o)] += w[(f, c % w.shape[1], *k)] * x[(n, c, *i)]
    return y if b is None else y + as_ring(b).reshape((-1, *[1] * spec.axes))


def input_adjoint(y: Any, w: Any, *, spec: ConvSpec, spatial: Index) -> np.ndarray:
    """Returns x[n,c,i] = sum over f, o, k of w[f,c,k] y[n,f,o], shape (N, C_in, *spatial).

    The adjoint of `x -> conv(x, w)`: its gradient in x.
    """
    y, w = as_ring(y), as_ring(w)
    x = _zeros((y.shape[0], spec.in_channels, *spatial))
    for n in range(y.shape[0]):
        for f, c, o, k, i in terms(spec, spatial):
            x[(n, c, *i)] += w[(f, c % w.shape[1], *k)] * y[(n, f, *o)]
    return x


def weight_adjoint(y: Any, x: Any, *, spec: ConvSpec) -> np.ndarray:
    """Returns w[f,c,k] = sum over n, o of y[n,f,o] x[n,c,i], shape (C_out, C_in / groups, *kernel).

    The adjoint of `w -> conv(x, w)`: its gradient in w.
    """
    y, x = as_ring(y), as_ring(x)
    w = _zeros((spec.out_channels, spec.in_channels // spec.groups, *spec.kernel_size))
    for n in range(x.shape[0]):
        for f, c, o, k, i in terms(spec, x.shape[2:]):
            w[(f, c % w.shape[1], *k)] += y[(n, f, *o)] * x[(n, c, *i)]
    return w


def conv_transpose(x: Any, w: Any, b: Any = None, *, spec: ConvSpec) -> np.ndarray:
    """Returns y[n,f,o] = b[f] + the sum of w[c,f,k] x[n,c,i] over all o = i s + k d - p.

    Args:
        x: Array-like (N, C_in, *spatial).
        w: Array-like (C_in, C_out / groups, *kernel).
        b: Array-like (C_out,), or None.
        spec: The layer; its `transposed` must be True.

    Returns:
        An object array (N, C_out, *output).
    """
    x, w = as_ring(x), as_ring(w)
    size = output_spatial(spec, x.shape[2:])
    y = _zeros((x.shape[0], spec.out_channels, *size))
    per_group = spec.out_channels // spec.groups
    for n in range(x.shape[0]):
        for f, c, o, k, i in terms(spec, x.shape[2:]):
            y[(n, f, *o)] += w[(c, f % per_group, *k)] * x[(n, c, *i)]
    return y if b is None else y + as_ring(b).reshape((-1, *[1] * spec.axes))


def convolve(f: Any, g: Any) -> np.ndarray:
    """Returns the full true convolution, h[o] = sum over i of f[i] g[o - i]; any number of axes."""
    f, g = as_ring(f), as_ring(g)
    h = _zeros(tuple(m + n - 1 for m, n in zip(f.shape, g.shape, strict=True)))
    for i in np.ndindex(f.shape):
        for j in np.ndindex(g.shape):
            h[tuple(a + b for a, b in zip(i, j, strict=True))] += f[i] * g[j]
    return h


def terms(spec: ConvSpec, spatial: Index) -> Iterator[tuple[int, int, Index, Index, Index]]:
    """Yields (f, c, o, k, i) of every product of the layer, padding that reads zero left out."""
    windows = [
        (o, taps(spec, spatial, o)) for o in map(tuple, np.ndindex(output_spatial(spec, spatial)))
    ]
    for f in range(spec.out_channels):
        for c in _group(f, spec):
            for o, window in windows:
                for tap in window:
                    if tap.source is not None:
                        yield f, c, o, tap.kernel, tap.source


def as_ring(values: Any) -> np.ndarray:
    """Returns `values` as an object array of Python numbers, which neither round nor wrap."""
    return np.asarray(values).astype(object, copy=False)


def _group(f: int, spec: ConvSpec) -> range:
    """Returns the input channels that filter f reads: those of its own group."""
    group = f // (spec.out_channels // spec.groups)
    width = spec.in_channels // spec.groups
    return range(group * width, (group + 1) * width)


def _zeros(shape: tuple[int, ...]) -> np.ndarray:
    zeros = np.empty(shape, dtype=object)
    zeros.fill(0)
    return zeros
