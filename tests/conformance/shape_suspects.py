"""Functions for the tests of `prove_shape`, all of NumPy arrays."""

import numpy as np

from convcheck.core.spec import ConvSpec
from convcheck.oracle.fast import conv as exact


def right(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    s, p, d = ((v, v) if isinstance(v, int) else v for v in (stride, padding, dilation))
    spec = ConvSpec(
        kernel_size=w.shape[2:], stride=s, padding=tuple((n, n) for n in p), dilation=d,
        groups=groups, in_channels=x.shape[1], out_channels=len(w),
    )  # fmt: skip
    y = exact(x, w, spec=spec)
    return y if b is None else y + b[:, None, None]


def wrong_in_one_pair(x, w, *rest, **named):
    y = right(x, w, *rest, **named)
    y[0, 1, 2, 2] += x[0, 1, 1, 3] * w[1, 0, 0, 1]
    return y


def clips(x, w, *rest, **named):
    return np.clip(right(x, w, *rest, **named), -1000, 1000)


def squares_a_little(x, w, *rest, **named):
    y = right(x, w, *rest, **named)
    y[0, 0, 0, 0] += x[0, 0, 0, 0] * x[0, 0, 0, 1]
    return y


def wrong_alone(x, w, *rest, **named):
    """Right in a batch of several images."""
    y = right(x, w, *rest, **named)
    if len(x) == 1:
        y[..., -1] = 0
    return y


def adds_the_bias_twice(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return right(x, w, None if b is None else 2 * b, stride, padding, dilation, groups)


def full(f, g, mode="full"):
    from convcheck.oracle.fast import convolve, cut

    return cut(convolve(f, g), f.shape, g.shape, mode)
