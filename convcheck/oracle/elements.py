"""Single elements of a result, exact: for shapes whose whole result is too large to work out.

Each is the defining sum of `direct` for one output, over Python's unbounded integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from convcheck.core.case import Case
from convcheck.core.ops import find_op
from convcheck.core.spec import ConvSpec, PoolSpec, SequenceSpec
from convcheck.oracle.fast import adjoint_spec, kept_part
from convcheck.oracle.pooling import divisors
from convcheck.oracle.taps import Index, taps

Arrays = Mapping[str, np.ndarray]


def element(case: Case, inputs: Arrays, index: Index, *, output: int = 0) -> int | float:
    """Returns one element of a result, for arrays of integers.

    Args:
        case: A possible call of a layer, its transpose, their gradients, a pool or `convolve`.
        inputs: Its arrays, all of whole numbers.
        index: The element.
        output: Which result, where there are several: grad_x, grad_w, grad_b.

    Returns:
        An int; for an average the quotient, correctly rounded.
    """
    spec, family = case.spec, find_op(case.op).family
    if isinstance(spec, SequenceSpec):
        return _sequence(spec, case.spatial, inputs, index)
    if isinstance(spec, PoolSpec):
        return _pool(spec, case.spatial, inputs["x"], index)
    assert isinstance(spec, ConvSpec)
    if not family.endswith("backward"):
        total = _layer(spec, inputs["x"], inputs["w"], index)
        return total + (int(inputs["b"][index[1]]) if spec.bias else 0)
    g, x, w = inputs["grad_output"], inputs["x"], inputs["w"]
    if output == 2:
        return int(g[:, index[0]].astype(np.int64).sum())
    if not spec.transposed:
        if output == 0:
            return _input_gradient(spec, g, w, index)
        return _weight_gradient(spec, g, x, index)
    layer = adjoint_spec(spec)
    if output == 0:
        return _layer(layer, g, w, index)
    return _weight_gradient(layer, x, g, index)


def _layer(spec: ConvSpec, x: np.ndarray, w: np.ndarray, index: Index) -> int:
    n, f, position = index[0], index[1], index[2:]
    group = f // (spec.out_channels // spec.groups)
    each = spec.in_channels // spec.groups
    channels = slice(group * each, (group + 1) * each)
    total = 0
    for tap in taps(spec, x.shape[2:], position):
        if tap.source is None:
            continue
        read: Any = (n, channels, *tap.source)
        met: Any = (f, slice(None), *tap.kernel)
        if spec.transposed:
            met = (channels, f % (spec.out_channels // spec.groups), *tap.kernel)
        total += _dot(x[read], w[met])
    return total


def _input_gradient(spec: ConvSpec, g: np.ndarray, w: np.ndarray, index: Index) -> int:
    n, c, source = index[0], index[1], index[2:]
    each = spec.in_channels // spec.groups
    per_group = spec.out_channels // spec.groups
    filters = slice(c // each * per_group, (c // each + 1) * per_group)
    axes = [_axis_readers(spec, axis, g.shape[2 + axis], i) for axis, i in enumerate(source)]
    total = 0
    for pairs in product(*axes):
        read: Any = (n, filters, *(o for o, _ in pairs))
        met: Any = (filters, c % each, *(k for _, k in pairs))
        total += _dot(g[read], w[met])
    return total


def _axis_readers(spec: ConvSpec, axis: int, out: int, i: int) -> list[tuple[int, int]]:
    """Returns the (output, tap) pairs that read input i: o s = i + p - k d, solved for o."""
    before, s, d = spec.padding_pairs()[axis][0], spec.stride[axis], spec.dilation[axis]
    solved = ((k, divmod(i + before - k * d, s)) for k in range(spec.kernel_size[axis]))
    return [(o, k) for k, (o, rest) in solved if rest == 0 and 0 <= o < out]


def _weight_gradient(spec: ConvSpec, g: np.ndarray, x: np.ndarray, index: Index) -> int:
    f, c, k = index[0], index[1], index[2:]
    channel = f // (spec.out_channels // spec.groups) * (spec.in_channels // spec.groups) + c
    pairs = spec.padding_pairs()
    padded = np.pad(x[:, channel], [(0, 0), *pairs])
    window: Any = (
        slice(None),
        *(
            slice(t * d, t * d + (size - 1) * s + 1, s)
            for t, d, s, size in zip(k, spec.dilation, spec.stride, g.shape[2:], strict=True)
        ),
    )
    return _dot(g[:, f].ravel(), padded[window].ravel())


def _pool(spec: PoolSpec, spatial: Index, x: np.ndarray, index: Index) -> int | float:
    n, c, position = index[0], index[1], index[2:]
    reads = [tap.source for tap in taps(spec, spatial, position) if tap.source is not None]
    values = [int(x[(n, c, *source)]) for source in reads]
    if spec.kind == "max":
        return max(values)
    divisor = int(divisors(spec, spatial)[position])
    return sum(values) / divisor


def _sequence(spec: SequenceSpec, spatial: Index, inputs: Arrays, index: Index) -> int:
    f, g = inputs["f"], inputs["g"]
    parts_f, parts_g = [], []
    for m, n, at in zip(spatial, spec.kernel_size, index, strict=True):
        o = at + kept_part(m, n, spec.mode)[0]
        low, high = max(0, o - n + 1), min(m - 1, o)
        parts_f.append(slice(low, high + 1))
        parts_g.append(slice(o - high, o - low + 1))
    return _dot(f[tuple(parts_f)].ravel(), np.flip(g[tuple(parts_g)]).ravel())


def _dot(left: np.ndarray, right: np.ndarray) -> int:
    """Returns the exact product of two vectors of integers below 2**31."""
    return int(np.dot(left.astype(np.int64), right.astype(np.int64)))
