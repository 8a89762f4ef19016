"""Right implementations of the other operations: torch's and scipy's own, and plain formulas."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from scipy import signal


def backward(grad_output, x, w, stride, padding, dilation, groups):
    x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
    b = torch.zeros(len(w), dtype=w.dtype, requires_grad=True)
    y = F.conv2d(x, w, b, stride, padding, dilation, groups)
    return torch.autograd.grad(y, (x, w, b), grad_output)


def size(input_size, kernel_size, stride, padding, dilation):
    return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


FUNCTIONS = {
    **{f"torch_{op}": (getattr(F, op), None, op) for op in (
        "conv1d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
        "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
        "cross_entropy", "kl_div",
    )},
    "backward": (backward, None, "conv2d_backward"),
    "scipy_convolve": (signal.convolve, None, "convolve"),
    "scipy_fftconvolve": (signal.fftconvolve, None, "convolve"),
    "size": (size, None, "output_size"),
}  # fmt: skip
