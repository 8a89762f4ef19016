"""The table of operations that convcheck can check: name, family, rank, signature.

The names and signatures are the public contract of an implementation under test; the semantics
are those of the `torch.nn.functional` function of the same name, `convolve` excepted, which is
`scipy.signal.convolve`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from convcheck.core.errors import UsageError, nearest

Family = Literal[
    "conv", "conv_transpose", "conv_backward", "conv_transpose_backward",
    "conv_double_backward", "conv_transpose_double_backward",
    "max_pool", "avg_pool", "cross_entropy", "kl_div", "convolve", "output_size",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation.

    Attributes:
        name: The name that the user types, such as "conv2d".
        family: What it computes, whatever the rank.
        axes: Number of spatial axes; 0 where it has none (the losses) or any number (`convolve`).
        signature: How the function under test is called.
    """

    name: str
    family: Family
    axes: int
    signature: str


_SIGNATURES: dict[Family, str] = {
    "conv": "fn(x, w, b=None, stride=1, padding=0, dilation=1, groups=1)",
    "conv_transpose": "fn(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1,"
    " dilation=1)",
    "conv_backward": "fn(grad_output, x, w, stride, padding, dilation, groups)"
    " -> (grad_x, grad_w, grad_b)",
    "conv_transpose_backward": "fn(grad_output, x, w, stride, padding, output_padding, groups,"
    " dilation) -> (grad_x, grad_w, grad_b)",
    "conv_double_backward": "fn(grad_grad_x, grad_grad_w, grad_grad_b, grad_output, x, w, stride,"
    " padding, dilation, groups) -> (grad_grad_output, grad_x, grad_w)",
    "conv_transpose_double_backward": "fn(grad_grad_x, grad_grad_w, grad_grad_b, grad_output, x, w,"
    " stride, padding, output_padding, groups, dilation) -> (grad_grad_output, grad_x, grad_w)",
    "max_pool": "fn(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False)"
    " -> y, or (y, indices)",
    "avg_pool": "fn(x, kernel_size, stride=None, padding=0, ceil_mode=False,"
    " count_include_pad=True)",
    "cross_entropy": "fn(input, target, weight=None, reduction='mean', label_smoothing=0.0, *,"
    " ignore_index=-100)",
    "kl_div": "fn(input, target, reduction='mean', log_target=False)",
    "convolve": 'fn(f, g, mode="full")',
    "output_size": "fn(input_size, kernel_size, stride, padding, dilation) -> int",
}

_WINDOWED: tuple[tuple[str, Family], ...] = (
    ("conv{}d", "conv"),
    ("conv_transpose{}d", "conv_transpose"),
    ("conv{}d_backward", "conv_backward"),
    ("conv_transpose{}d_backward", "conv_transpose_backward"),
    ("conv{}d_double_backward", "conv_double_backward"),
    ("conv_transpose{}d_double_backward", "conv_transpose_double_backward"),
    ("max_pool{}d", "max_pool"),
    ("avg_pool{}d", "avg_pool"),
)
_TABLE: tuple[tuple[str, Family, int], ...] = (
    *((name.format(axes), family, axes) for name, family in _WINDOWED for axes in (1, 2, 3)),
    ("cross_entropy", "cross_entropy", 0),
    ("kl_div", "kl_div", 0),
    ("convolve", "convolve", 0),
    ("output_size", "output_size", 1),
)
OPS: dict[str, Op] = {
    name: Op(name=name, family=family, axes=axes, signature=_SIGNATURES[family])
    for name, family, axes in _TABLE
}


def find_op(name: str) -> Op:
    """Returns the operation of that name.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    if name not in OPS:
        raise UsageError(f"op {name!r} is unknown", fix=nearest(name, OPS))
    return OPS[name]


def forward_of(op: str) -> str:
    """Returns the name of the operation whose gradient, or gradient's gradient, `op` is."""
    return op.removesuffix("_backward").removesuffix("_double")
