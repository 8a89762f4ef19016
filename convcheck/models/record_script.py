"""Record what a scripted module does: the dispatcher sees its operators, not its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

Record = Callable[[str, tuple[Any, ...], dict[str, Any], tuple[torch.Tensor, ...]], None]


class ScriptRecorder(TorchDispatchMode):
    """Hands each operator call to `record` under its functional name.

    Args:
        record: Takes the name, positional and keyword arguments, and the tensors returned.
    """

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Calls the operator and records it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        tensors = out if isinstance(out, (tuple, list)) else (out,)
        returned = tuple(o for o in tensors if isinstance(o, torch.Tensor))
        if returned:
            name, given = _functional(func._schema.name.partition("::")[2], args)
            self._record(name, given, kwargs, returned)
        return out


def _functional(name: str, args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Returns the functional name of an ATen operator and its arguments in that order."""
    if name in ("convolution", "_convolution"):
        x, weight, bias, stride, padding, dilation, transposed, extra, groups = args[:9]
        axes = weight.dim() - 2
        if transposed:
            return f"conv_transpose{axes}d", (
                x,
                weight,
                bias,
                stride,
                padding,
                extra,
                groups,
                dilation,
            )
        return f"conv{axes}d", (x, weight, bias, stride, padding, dilation, groups)
    if name == "addmm":
        bias, x, weight = args[:3]
        return "linear", (x, weight.t(), bias)
    if name.startswith("_adaptive"):
        return name[1:], args
    if name in ("native_batch_norm", "cudnn_batch_norm"):
        x, weight, bias, mean, variance, training = args[:6]
        return "batch_norm", (x, mean, variance, weight, bias, training)
    return name, args
