"""Subtly wrong implementations of the other operations, around torch's and scipy's right ones."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from scipy import signal


def two(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def conv1d_flipped(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return F.conv1d(x, w.flip(2), b, stride, padding, dilation, groups)


def conv1d_last_missing(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = F.conv1d(x, w, b, stride, padding, dilation, groups)
    return y[..., :-1] if y.shape[-1] > 5 else y


def conv3d_swapped(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    stride = stride[::-1] if isinstance(stride, tuple) else stride
    return F.conv3d(x, w, b, stride, padding, dilation, groups)


def conv3d_flipped_depth(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return F.conv3d(x, w.flip(2), b, stride, padding, dilation, groups)


def transposed_no_output_padding(
    x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    y = F.conv_transpose2d(x, w, b, stride, padding, output_padding, groups, dilation)
    extra = two(output_padding)
    return y[:, :, : y.shape[2] - extra[0], : y.shape[3] - extra[1]]


def transposed_flipped(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return F.conv_transpose2d(x, w.flip(3), b, stride, padding, output_padding, groups, dilation)


def transposed_bias_lost(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return F.conv_transpose2d(
        x, w, None if groups > 1 else b, stride, padding, output_padding, groups, dilation
    )


def transposed_accepts_any(
    x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    most = [max(s, d) - 1 for s, d in zip(two(stride), two(dilation), strict=True)]
    fitted = tuple(min(o, m) for o, m in zip(two(output_padding), most, strict=True))
    return F.conv_transpose2d(x, w, b, stride, padding, fitted, groups, dilation)


def _backward(grad_output, x, w, stride, padding, dilation, groups):
    x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
    b = torch.zeros(len(w), dtype=w.dtype, requires_grad=True)
    y = F.conv2d(x, w, b, stride, padding, dilation, groups)
    return torch.autograd.grad(y, (x, w, b), grad_output)


def backward_mean_bias(grad_output, x, w, stride, padding, dilation, groups):
    gx, gw, gb = _backward(grad_output, x, w, stride, padding, dilation, groups)
    return gx, gw, gb / max(1, len(x))


def backward_flipped_weight(grad_output, x, w, stride, padding, dilation, groups):
    gx, gw, gb = _backward(grad_output, x, w, stride, padding, dilation, groups)
    return gx, gw.flip(2, 3), gb


def backward_ignores_dilation(grad_output, x, w, stride, padding, dilation, groups):
    gx, gw, gb = _backward(grad_output, x, w, stride, padding, dilation, groups)
    if max(two(dilation)) > 1:
        gx = gx.flip(2)
    return gx, gw, gb


def backward_first_image(grad_output, x, w, stride, padding, dilation, groups):
    gx, gw, gb = _backward(grad_output, x, w, stride, padding, dilation, groups)
    if len(x) > 1:
        gw = _backward(grad_output[:1], x[:1], w, stride, padding, dilation, groups)[1]
    return gx, gw, gb


def max_pool_zero_padding(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
    p = two(padding)
    x = F.pad(x, (p[1], p[1], p[0], p[0]))
    return F.max_pool2d(x, kernel_size, stride, 0, dilation, ceil_mode)


def max_pool_no_ceil(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    return F.max_pool2d(x, kernel_size, stride, padding, dilation, False)


def max_pool_no_dilation(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
    return F.max_pool2d(x, kernel_size, stride, padding, 1, ceil_mode)


def max_pool_ignores_nan(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    x = torch.where(x.isnan(), torch.full_like(x, float("-inf")), x)
    return F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool_from_zero(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    return F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode).clamp(min=0)


def max_pool_any_padding(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    half = tuple(k // 2 for k in two(kernel_size))
    fitted = tuple(min(p, h) for p, h in zip(two(padding), half, strict=True))
    return F.max_pool2d(x, kernel_size, stride, fitted, dilation, ceil_mode)


def avg_pool_counts_padding(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
):
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode, True)


def avg_pool_divides_by_kernel(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
):
    size = int(np.prod(two(kernel_size)))
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode, divisor_override=size)


def avg_pool_sums(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode, divisor_override=1)


def cross_entropy_sum(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    y = F.cross_entropy(input, target, weight, reduction=reduction, label_smoothing=label_smoothing)
    return y * len(input) if reduction == "mean" else y


def cross_entropy_unsmoothed(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    return F.cross_entropy(input, target, weight, reduction=reduction)


def cross_entropy_overflows(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    log = input - input.exp().sum(1, keepdim=True).log()
    if target.dtype.is_floating_point or label_smoothing or input.dim() > 2:
        return F.cross_entropy(
            input, target, weight, reduction=reduction, label_smoothing=label_smoothing
        )
    return F.nll_loss(log, target, reduction=reduction)


def cross_entropy_base_2(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    y = F.cross_entropy(input, target, weight, reduction=reduction, label_smoothing=label_smoothing)
    return y / torch.log(torch.tensor(2.0, dtype=y.dtype))


def kl_div_mean_is_batchmean(input, target, reduction="mean", log_target=False):
    kind = "batchmean" if reduction == "mean" else reduction
    return F.kl_div(input, target, reduction=kind, log_target=log_target)


def kl_div_ignores_log_target(input, target, reduction="mean", log_target=False):
    return (
        F.kl_div(input, target.exp() if log_target else target, reduction=reduction)
        if not log_target
        else F.kl_div(input, target.clamp(min=0), reduction=reduction)
    )


def kl_div_zero_is_nan(input, target, reduction="mean", log_target=False):
    if log_target:
        return F.kl_div(input, target, reduction=reduction, log_target=True)
    y = target * (target.log() - input)
    return {"none": lambda: y, "sum": y.sum, "mean": y.mean}.get(
        reduction, lambda: y.sum() / len(y)
    )()


def convolve_correlates(f, g, mode="full"):
    return signal.correlate(f, g, mode)


def convolve_same_late(f, g, mode="full"):
    if mode != "same":
        return signal.convolve(f, g, mode, method="direct")
    full = signal.convolve(f, g, "full", method="direct")
    return full[tuple(slice(k // 2, k // 2 + n) for n, k in zip(f.shape, g.shape, strict=True))]


def convolve_as_numpy(f, g, mode="full"):
    if f.ndim == 1:
        return np.convolve(f, g, mode)
    return signal.convolve(f, g, mode, method="direct")


def size_rounds_up(input_size, kernel_size, stride, padding, dilation):
    if stride < 1 or dilation < 1 or padding < 0 or kernel_size < 1:
        raise ValueError
    return -(-(input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1


def size_in_floats(input_size, kernel_size, stride, padding, dilation):
    if stride < 1 or dilation < 1 or padding < 0 or kernel_size < 1:
        raise ValueError
    return int((input_size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)


def size_without_dilation(input_size, kernel_size, stride, padding, dilation):
    if stride < 1 or dilation < 1 or padding < 0 or kernel_size < 1:
        raise ValueError
    return (input_size + 2 * padding - kernel_size) // stride + 1


# Function, the piece of its diagnosis, its operation.
def max_pool_default_stride(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    return F.max_pool2d(
        x, kernel_size, 1 if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool_by_magnitude(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    high = F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
    low = -F.max_pool2d(-x, kernel_size, stride, padding, dilation, ceil_mode)
    return torch.where(low.abs() > high.abs(), low, high)


def avg_pool_ignores_zeros(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
):
    if count_include_pad:
        return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode)
    sums, hits = (
        F.avg_pool2d(part, kernel_size, stride, padding, ceil_mode)
        for part in (x.double(), (x != 0).double())
    )
    return torch.where(hits > 0, sums / hits, sums).to(x.dtype)


def cross_entropy_without_weights(
    input, target, weight=None, reduction="mean", label_smoothing=0.0
):
    return F.cross_entropy(input, target, None, reduction=reduction,
                           label_smoothing=label_smoothing)  # fmt: skip


def cross_entropy_plain_mean(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    part = "none" if reduction == "mean" else reduction
    loss = F.cross_entropy(input, target, weight, reduction=part, label_smoothing=label_smoothing)
    return loss.mean() if reduction == "mean" else loss


def cross_entropy_last_axis(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    if input.dim() > 2 and target.dtype == torch.int64:
        scores = input.log_softmax(-1)
        if label_smoothing == 0:
            return F.nll_loss(scores, target, weight, reduction=reduction)
    return F.cross_entropy(input, target, weight, reduction=reduction,
                           label_smoothing=label_smoothing)  # fmt: skip


def cross_entropy_any_class(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    if target.dtype == torch.int64:
        target = target % input.shape[1]
    return F.cross_entropy(input, target, weight, reduction=reduction,
                           label_smoothing=label_smoothing)  # fmt: skip


def kl_div_without_entropy(input, target, reduction="mean", log_target=False):
    loss = -(target.exp() if log_target else target) * input
    if reduction == "none":
        return loss
    total = loss.sum()
    return total / {"sum": 1, "mean": loss.numel(), "batchmean": len(input)}[reduction]


def kl_div_skips_small_shares(input, target, reduction="mean", log_target=False):
    if not log_target:
        target = torch.where(target < 1e-7, 0, target)
    return F.kl_div(input, target, reduction=reduction, log_target=log_target)


def convolve_same_by_default(f, g, mode="same"):
    return signal.convolve(f, g, mode, method="direct")


def convolve_exchanges_axes(f, g, mode="full"):
    if g.ndim == 3 and g.shape[1] == g.shape[2]:
        g = g.swapaxes(1, 2)
    return signal.convolve(f, g, mode, method="direct")


def convolve_circular(f, g, mode="full"):
    if mode != "full" or f.ndim > 1:
        return signal.convolve(f, g, mode, method="direct")
    size = max(f.size, g.size)
    full = signal.convolve(f, g, method="direct")
    wrapped = np.zeros_like(full)
    np.add.at(wrapped, np.arange(full.size) % size, full)
    return wrapped


def size_truncated(input_size, kernel_size, stride, padding, dilation):
    free = input_size + 2 * padding - dilation * (kernel_size - 1) - 1
    return (-(-free // stride) if free < 0 else free // stride) + 1


def size_exchanged(input_size, kernel_size, stride, padding, dilation):
    padding, dilation = dilation, padding
    return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


FUNCTIONS = {
    name: (globals()[name], cause, op)
    for op, names in {
        "conv1d": {
            "conv1d_flipped": "flips the kernel along W",
            "conv1d_last_missing": "leaves out the last output",
        },
        "conv3d": {
            "conv3d_swapped": "exchanges the stride",
            "conv3d_flipped_depth": "flips the kernel along Z",
        },
        "conv_transpose2d": {
            "transposed_no_output_padding": "ignores the output_padding",
            "transposed_flipped": "flips the kernel along W",
            "transposed_bias_lost": "drops the bias when",
            "transposed_accepts_any": "accepts an impossible call",
        },
        "conv2d_backward": {
            "backward_mean_bias": "grad_b",
            "backward_flipped_weight": "flips grad_w",
            "backward_ignores_dilation": None,
            "backward_first_image": "first image",
        },
        "max_pool2d": {
            "max_pool_zero_padding": "pads with zeros",
            "max_pool_no_ceil": "ignores ceil_mode",
            "max_pool_no_dilation": "ignores the dilation",
            "max_pool_ignores_nan": "NaN",
            "max_pool_from_zero": "below",
            "max_pool_any_padding": "accepts an impossible call",
            "max_pool_default_stride": "default arguments left out",
            "max_pool_by_magnitude": "largest magnitude",
        },
        "avg_pool2d": {
            "avg_pool_counts_padding": "always counts the padding",
            "avg_pool_divides_by_kernel": "kernel size",
            "avg_pool_sums": "sum instead",
            "avg_pool_ignores_zeros": "not zero",
        },
        "cross_entropy": {
            "cross_entropy_sum": "",
            "cross_entropy_unsmoothed": "ignores label_smoothing",
            "cross_entropy_overflows": "exp overflows",
            "cross_entropy_without_weights": "ignores the class weights",
            "cross_entropy_plain_mean": "number of elements, not by the sum of their weights",
            "cross_entropy_last_axis": None,
            "cross_entropy_any_class": "accepts an impossible call",
            "cross_entropy_base_2": "base 2",
        },
        "kl_div": {
            "kl_div_mean_is_batchmean": "",
            "kl_div_ignores_log_target": None,
            "kl_div_zero_is_nan": "0 log 0",
            "kl_div_without_entropy": "leaves out the target's entropy",
            "kl_div_skips_small_shares": "skips shares below",
        },
        "convolve": {
            "convolve_correlates": "does not flip g",
            "convolve_same_late": "one too late",
            "convolve_as_numpy": "larger sequence",
            "convolve_same_by_default": "default arguments left out",
            "convolve_exchanges_axes": "axes 1 and 2 of g",
            "convolve_circular": "circularly over the longer extent",
        },
        "output_size": {
            "size_rounds_up": "rounds up",
            "size_in_floats": None,
            "size_without_dilation": "ignores the dilation",
            "size_truncated": "kernel does not fit",
            "size_exchanged": "exchanges padding and dilation",
        },
    }.items()
    for name, cause in names.items()
}
