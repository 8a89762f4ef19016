"""Layers of torch whose value and gradient are right, and whose second derivative is not."""

import torch
from torch.nn import functional


class _Layer(torch.autograd.Function):
    """conv2d whose backward is written out, so that what it hides from the graph is a choice."""

    @staticmethod
    def forward(ctx, x, w, b, stride, padding, dilation, groups, hide):
        ctx.save_for_backward(x, w)
        ctx.rest = stride, padding, dilation, groups
        ctx.hide = hide
        return functional.conv2d(x, w, b, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx, y):
        x, w = ctx.saved_tensors
        stride, padding, dilation, groups = (
            v if isinstance(v, (list, tuple)) else (v, v) for v in (*ctx.rest[:3], ctx.rest[3])
        )
        if "w" in ctx.hide:
            w = w.detach()
        if "x" in ctx.hide:
            x = x.detach()
        grad_x, grad_w, grad_b = torch.ops.aten.convolution_backward(
            y, x, w, [len(w)], stride, padding, dilation, False, [0, 0], groups[0],
            [True, True, True],
        )  # fmt: skip
        return grad_x, grad_w, grad_b, None, None, None, None, None


def _layer(hide):
    def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        if isinstance(padding, str):
            raise NotImplementedError("padding by name")
        return _Layer.apply(x, w, b, stride, padding, dilation, groups, hide)

    return conv


right = _layer("")
forgets_w = _layer("w")
forgets_x = _layer("x")


class _Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, grad):
        return grad.clone()

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


class _DoublesTheSecond(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y):
        return y.clone()

    @staticmethod
    def backward(ctx, grad):
        return _Doubled.apply(grad)


def doubles_the_second(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = functional.conv2d(x, w, b, stride, padding, dilation, groups)
    return _DoublesTheSecond.apply(y)
