"""Functions for the tests of the laws: wrong ones, and variants that no oracle knows."""

import torch
from torch.nn import functional

from convcheck.core.spec import ConvSpec
from convcheck.oracle.fast import conv as oracle_conv


def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return functional.conv2d(x, w, b, stride, padding, dilation, groups)


def clipped(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return conv(x, w, b, stride, padding, dilation, groups).clamp(-100, 100)


def reflecting(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Right for a padding mode that the operation does not have."""
    if isinstance(padding, str):
        raise NotImplementedError
    p, q = (padding, padding) if isinstance(padding, int) else padding
    if p >= x.shape[2] or q >= x.shape[3]:
        raise ValueError("padding is too large to reflect")
    x = functional.pad(x, (q, q, p, p), mode="reflect")
    return functional.conv2d(x, w, b, stride, 0, dilation, groups)


def wrong_past_4000(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """A 1-D layer that stops at 4000 outputs."""
    s, p, d = (v if isinstance(v, int) else v[0] for v in (stride, padding, dilation))
    spec = ConvSpec(
        kernel_size=w.shape[2:], stride=(s,), padding=((p, p),), dilation=(d,), groups=groups,
        in_channels=x.shape[1], out_channels=len(w),
    )  # fmt: skip
    y = oracle_conv(x, w, spec=spec)
    y[..., 4000:] = 0
    return y if b is None else y + b[:, None]


def transposed_with_flip(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return functional.conv_transpose2d(
        x, w.flip(2, 3), b, stride, padding, output_padding, groups, dilation
    )


def backward_with_flip(grad_output, x, w, stride, padding, dilation, groups):
    x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
    y = functional.conv2d(x, w, None, stride, padding, dilation, groups)
    grad_x, grad_w = torch.autograd.grad(y, (x, w), grad_output)
    return grad_x.flip(3), grad_w, grad_output.sum((0, 2, 3))


def minimum(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    return -functional.max_pool2d(-x, kernel_size, stride, padding, dilation, ceil_mode)


def correlate(f, g, mode="full"):
    from scipy.signal import correlate as scipy_correlate

    return scipy_correlate(f, g, mode=mode, method="direct")
