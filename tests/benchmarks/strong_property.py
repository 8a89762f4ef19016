"""The strongest test of a 2-D convolution that we could write in a hundred lines of Hypothesis.

Judged by torch in float64, held to a bound of rounding: any algorithm may pass that is right.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import torch
from hypothesis import strategies as st

WIDE = st.one_of(st.integers(1, 4), st.sampled_from([5, 7, 8, 9, 16, 17, 33]))
EXTRA = st.one_of(st.integers(0, 6), st.sampled_from([7, 8, 15, 16, 31, 32, 33, 63, 65, 70]))
KERNEL = st.integers(1, 5)
# The empty one stands for an input with a channel too many.
IMPOSSIBLE = ({"stride": 0}, {"stride": (1, 0)}, {"stride": -1}, {"padding": -1},
              {"padding": (0, -1)}, {"dilation": 0}, {"dilation": (0, 1)}, {"groups": 7},
              {"padding": 0, "dilation": 99}, {})  # fmt: skip
AXES = {"F": (3, 2, 1, 0), "channels last": (0, 2, 3, 1)}


Call = namedtuple("Call", "x_shape w_shape bias options dtype layout values seed impossible")


def per_axis(values):
    return st.one_of(values, st.tuples(values, values))


def two(value):
    return (value, value) if isinstance(value, int) else value


@st.composite
def calls(draw):
    groups = draw(st.sampled_from([1, 1, 1, 2, 3, 4]))
    c, f, kernel = draw(WIDE), draw(WIDE), draw(st.tuples(KERNEL, KERNEL))
    stride, dilation = draw(per_axis(st.integers(1, 4))), draw(per_axis(st.integers(1, 3)))
    padding = draw(st.one_of(per_axis(st.integers(0, 4)), st.sampled_from(["same", "valid"])))
    stride = 1 if padding == "same" else stride
    spans = [d * (k - 1) + 1 for d, k in zip(two(dilation), kernel, strict=True)]
    pads = two({"same": 99, "valid": 0}.get(padding, padding))
    size = [max(1, s - 2 * p) + draw(EXTRA) for s, p in zip(spans, pads, strict=True)]
    batch = draw(st.sampled_from([0, 1, 1, 2, 3, 5]))
    if batch * c * f * groups * np.prod(kernel) * np.prod(size) > 300_000:
        c, f, batch = min(c, 3), min(f, 3), min(batch, 2)
    impossible = draw(st.sampled_from(IMPOSSIBLE if max(kernel) > 1 else IMPOSSIBLE[:5]))
    return Call(
        (batch, c * groups, *size), (f * groups, c, *kernel), draw(st.booleans()),
        {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
        draw(st.sampled_from(["float32", "float64", "float16"])),
        draw(st.sampled_from(["C", "C", *AXES, "reversed", "sliced"])),
        draw(st.sampled_from(["integers", "normal", "large", "nonfinite"])),
        draw(st.integers(0, 2**32)), impossible,
    )  # fmt: skip


def fill(call, salt):
    chance = np.random.default_rng([call.seed, salt])
    scale = {"large": 10 if call.dtype == "float16" else 1e6}.get(call.values, 1)
    whole = call.values == "integers"
    x, w, b = (
        (chance.integers(-4, 5, shape) if whole else scale * chance.standard_normal(shape))
        .astype(call.dtype) for shape in (call.x_shape, call.w_shape, call.w_shape[:1])
    )  # fmt: skip
    if call.values == "nonfinite" and x.size:
        x.flat[chance.integers(x.size)] = chance.choice([np.nan, np.inf, -np.inf])
    axes = AXES.get(call.layout, (0, 1, 2, 3))
    x = np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
    step = {"reversed": -1, "sliced": 2}.get(call.layout, 1)
    x = x if step == 1 else np.repeat(x, abs(step), 3)[..., ::step]
    return x, w, b if call.bias else None


def exact(arrays, options):
    wide = [None if a is None else torch.from_numpy(a.astype("f8")) for a in arrays]
    return torch.nn.functional.conv2d(*wide, **options).numpy()


def judge(y, arrays, options):
    wanted, x, w = exact(arrays, options), *arrays[:2]
    assert isinstance(y, np.ndarray) and (y.dtype, y.shape) == (x.dtype, wanted.shape)
    sizes = [None if a is None else np.abs(np.where(np.isfinite(a), a, 0)) for a in arrays]
    bound = (w[0].size + 4) * np.finfo(x.dtype).eps * exact(sizes, options).max(initial=0)
    assert not np.isfinite(y[~np.isfinite(wanted)]).any()
    # A transform may spread a NaN: only of finite inputs must every result be finite.
    both = np.isfinite(wanted) & (np.isfinite(y) | np.isfinite(x).all())
    assert (np.abs(y[both].astype("f8") - wanted[both]) <= bound).all()


def check(function, call):
    """Raises where the function is wrong: three calls, the third like the first, and a refusal."""
    state, results = np.geterr(), []
    for salt in (0, 1, 0):
        x, w, b = arrays = fill(call, salt)
        given = [None if a is None else a.copy() for a in arrays]
        np.full(exact(given, call.options).shape, np.nan, call.dtype)  # memory to be found stale
        y = function(x, w, b, **call.options)
        judge(y, given, call.options)
        changed = [
            a is not None and a.tobytes() != old.tobytes()
            for a, old in zip(arrays, given, strict=True)
        ]
        assert not any(changed)
        results.append((y, y.tobytes()))
    assert np.geterr() == state
    assert all(y.tobytes() == kept for y, kept in results) and results[0][1] == results[2][1]
    x = x if call.impossible else np.concatenate([x, x[:, :1]], 1)
    try:
        function(x, w, b, **{**call.options, **call.impossible})
    except Exception:
        return
    raise AssertionError("an impossible call was answered")
