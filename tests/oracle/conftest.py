"""Strategies for possible layers and poolings, small enough for the slow form."""

import numpy as np
import pytest
from hypothesis import strategies as st

from convcheck.core.case import Case
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import PADDING_MODES, ConvSpec, PoolSpec, SequenceSpec

EXTENT = {1: 9, 2: 5, 3: 3}


def _per_axis(draw, axes, low, high):
    return tuple(draw(st.integers(low, high)) for _ in range(axes))


def _pairs(draw, axes, high, *, symmetric):
    pair = st.integers(0, high).map(lambda p: (p, p))
    if not symmetric:
        pair = st.tuples(st.integers(0, high), st.integers(0, high))
    return tuple(draw(pair) for _ in range(axes))


@st.composite
def _conv(
    draw, *, suffix="", symmetric=False, modes=True, values=("integers",), dtypes=("float64",)
):
    axes = draw(st.integers(1, 3))
    kernel = _per_axis(draw, axes, 1, 3)
    dilation = _per_axis(draw, axes, 1, 2)
    padding = _pairs(draw, axes, 2, symmetric=symmetric)
    mode = draw(st.sampled_from(PADDING_MODES)) if modes else "zeros"
    least = [
        max(1, effective_kernel(k, d) - sum(p), max(p) + 1 if mode != "zeros" else 1)
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    groups = draw(st.integers(1, 3))
    spec = ConvSpec(
        kernel_size=kernel,
        stride=_per_axis(draw, axes, 1, 3),
        padding=padding,
        dilation=dilation,
        groups=groups,
        padding_mode=mode,
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
    )
    return Case(
        op=f"conv{axes}d{suffix}",
        spec=spec,
        spatial=tuple(draw(st.integers(low, low + EXTENT[axes] - 1)) for low in least),
        batch=draw(st.integers(1, 2)),
        dtype=draw(st.sampled_from(dtypes)),
        values=draw(st.sampled_from(values)),
        seed=draw(st.integers(0, 99)),
    )


@st.composite
def _conv_transpose(draw, *, suffix="", symmetric=False, dtypes=("float64",)):
    axes = draw(st.integers(1, 3))
    kernel = _per_axis(draw, axes, 1, 3)
    stride = _per_axis(draw, axes, 1, 3)
    dilation = _per_axis(draw, axes, 1, 2)
    extra = tuple(
        draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
    )
    padding = _pairs(draw, axes, 2, symmetric=symmetric)
    groups = draw(st.integers(1, 3))
    spec = ConvSpec(
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
        transposed=True,
        output_padding=extra,
    )
    # (size - 1) s + d (k - 1) + 1 + extra must exceed the padding that is cut off.
    least = [
        max(1, -(-(sum(p) - effective_kernel(k, d) - e + 1) // s) + 1)
        for p, k, d, e, s in zip(padding, kernel, dilation, extra, stride, strict=True)
    ]
    return Case(
        op=f"conv_transpose{axes}d{suffix}",
        spec=spec,
        spatial=tuple(draw(st.integers(low, low + EXTENT[axes] // 2)) for low in least),
        batch=draw(st.integers(1, 2)),
        dtype=draw(st.sampled_from(dtypes)),
        seed=draw(st.integers(0, 99)),
    )


@st.composite
def _pool(draw, kind, *, values=("integers",), dtypes=("float64",), symmetric=False):
    axes = draw(st.integers(1, 3))
    kernel = _per_axis(draw, axes, 1, 4)
    dilation = _per_axis(draw, axes, 1, 2) if kind == "max" else (1,) * axes
    padding = tuple(
        (before, before if symmetric else draw(st.integers(0, k // 2)))
        for k in kernel
        for before in [draw(st.integers(0, k // 2))]
    )
    least = [
        max(1, effective_kernel(k, d) - sum(p), k if kind == "avg" else 1)
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    return Case(
        op=f"{kind}_pool{axes}d",
        spec=PoolSpec(
            kind=kind,
            kernel_size=kernel,
            stride=_per_axis(draw, axes, 1, 5),
            padding=padding,
            dilation=dilation,
            ceil_mode=draw(st.booleans()),
            count_include_pad=kind == "max" or draw(st.booleans()),
        ),
        spatial=tuple(draw(st.integers(low, low + EXTENT[axes])) for low in least),
        batch=draw(st.integers(1, 2)),
        channels=draw(st.integers(1, 3)),
        dtype=draw(st.sampled_from(dtypes)),
        values=draw(st.sampled_from(values)),
        seed=draw(st.integers(0, 99)),
    )


@st.composite
def _convolve(draw, *, values=("integers",), dtypes=("float64",)):
    axes = draw(st.integers(1, 3))
    first = _per_axis(draw, axes, 1, 5)
    second = _per_axis(draw, axes, 1, 4)
    mode = draw(st.sampled_from(["full", "same", "valid"]))
    if mode == "valid":
        first, second = (
            tuple(map(max, first, second)),
            tuple(map(min, first, second)),
        )
        if draw(st.booleans()):
            first, second = second, first
    return Case(
        op="convolve",
        spec=SequenceSpec(kernel_size=second, mode=mode),
        spatial=first,
        dtype=draw(st.sampled_from(dtypes)),
        values=draw(st.sampled_from(values)),
        seed=draw(st.integers(0, 99)),
    )


@pytest.fixture(scope="session")
def conv_cases():
    """A function that makes a strategy of possible convolution cases; see `_conv`."""
    return _conv


@pytest.fixture(scope="session")
def conv_transpose_cases():
    """A function that makes a strategy of possible transposed cases."""
    return _conv_transpose


@pytest.fixture(scope="session")
def pool_cases():
    """A function that makes a strategy of possible pooling cases."""
    return _pool


@pytest.fixture(scope="session")
def convolve_cases():
    """A function that makes a strategy of possible `convolve` cases."""
    return _convolve


@pytest.fixture(scope="session")
def small_integers():
    """A function that draws an object array of small Python ints of a given shape."""

    def draw(data, shape):
        seed = data.draw(st.integers(0, 2**32 - 1))
        numbers = np.random.default_rng(seed).integers(-9, 10, size=shape)
        return numbers.astype(object)

    return draw
