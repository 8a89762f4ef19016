"""A right 2-D convolution in NumPy, in steps that a mutant can change one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Call:
    x: np.ndarray
    w: np.ndarray
    b: np.ndarray | None
    stride: tuple[int, int]
    pads: list[tuple[int, int]]
    dilation: tuple[int, int]
    groups: int
    raw: dict[str, Any] = field(default_factory=dict)


def two(value):
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


def read(x, w, b, stride, padding, dilation, groups) -> Call:
    stride, dilation = two(stride), two(dilation)
    if padding == "valid":
        pads = [(0, 0), (0, 0)]
    elif padding == "same":
        assert stride == (1, 1)
        totals = [d * (k - 1) for k, d in zip(w.shape[2:], dilation, strict=True)]
        pads = [(total // 2, total - total // 2) for total in totals]
    else:
        pads = [(p, p) for p in two(padding)]
    raw = {"padding": padding}
    return Call(x, w, b, stride, pads, dilation, groups, raw)


def check(call: Call) -> None:
    f, each = call.w.shape[:2]
    if min(*call.stride, *call.dilation, call.groups) < 1:
        raise ValueError("stride, dilation and groups must be at least 1")
    if min(min(pair) for pair in call.pads) < 0:
        raise ValueError("negative padding")
    if call.x.shape[1] != each * call.groups or f % call.groups:
        raise ValueError("groups do not divide the channels")
    if call.b is not None and call.b.shape != (f,):
        raise ValueError("one bias per filter")
    for axis in range(2):
        span = call.dilation[axis] * (call.w.shape[2 + axis] - 1) + 1
        if call.x.shape[2 + axis] + sum(call.pads[axis]) < span:
            raise ValueError("the kernel does not fit")


def compute(call: Call) -> np.ndarray:
    x, w, groups = call.x, call.w, call.groups
    padded = np.pad(x, ((0, 0), (0, 0), *call.pads))
    out = [
        (padded.shape[2 + a] - call.dilation[a] * (w.shape[2 + a] - 1) - 1) // call.stride[a] + 1
        for a in range(2)
    ]
    n, f = len(x), len(w)
    y = np.zeros((n, groups, f // groups, *out), x.dtype)
    weight = w.reshape(groups, f // groups, *w.shape[1:])
    for i, j in np.ndindex(*w.shape[2:]):
        top, left = i * call.dilation[0], j * call.dilation[1]
        part = padded[
            :, :, top : top + (out[0] - 1) * call.stride[0] + 1 : call.stride[0],
            left : left + (out[1] - 1) * call.stride[1] + 1 : call.stride[1],
        ]  # fmt: skip
        part = part.reshape(n, groups, x.shape[1] // groups, *out)
        y += np.einsum("ngchw,gfc->ngfhw", part, weight[..., i, j]).astype(x.dtype)
    y = y.reshape(n, f, *out)
    return y if call.b is None else y + call.b.reshape(1, -1, 1, 1)


def right(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    call = read(x, w, b, stride, padding, dilation, groups)
    check(call)
    return compute(call)
