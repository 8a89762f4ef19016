"""Results on the meta device of operators whose shape needs no torch.

On meta, torch computes these in Python, imports its compiler for some of them, and takes
milliseconds a call. None of them is one that the size formulas are about: a window's size is always
torch's own. A case that is not plain (another dtype, strides, a broadcast both ways) is left to
torch.
"""

from __future__ import annotations

from typing import Any

import torch

_UNARY = frozenset((
    "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "softplus",
    "sigmoid", "tanh", "hardtanh", "hardswish", "hardsigmoid", "dropout", "dropout1d", "dropout2d",
    "dropout3d", "alpha_dropout", "feature_alpha_dropout",
))  # fmt: skip
_BINARY = frozenset(("add", "sub", "mul", "__add__", "__sub__", "__mul__"))
_BINARY_IN_PLACE = frozenset(("add_", "sub_", "mul_", "__iadd__", "__isub__", "__imul__"))


def known_on_meta(func: Any, args: Any, kwargs: Any) -> torch.Tensor | None:
    """Returns the result of such an operator, or None where torch must say."""
    name = getattr(func, "__name__", "")
    if name in _UNARY:
        return _like(args[0], in_place=bool(kwargs.get("inplace")))
    if name in _BINARY or name in _BINARY_IN_PLACE:
        return _combined(args, kwargs, in_place=name in _BINARY_IN_PLACE)
    if name == "batch_norm":
        return _normalised(args, kwargs)
    if name == "layer_norm":
        return _layer_normalised(args, kwargs)
    if name == "cat":
        return _joined(args, kwargs)
    return None


def _is_plain(value: Any) -> bool:
    return (
        isinstance(value, torch.Tensor)
        and value.is_meta
        and value.is_contiguous()
        and value.is_floating_point()
    )


def _like(given: Any, *, in_place: bool) -> torch.Tensor | None:
    if not _is_plain(given):
        return None
    tensor: torch.Tensor = given
    if in_place:
        return tensor
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def _combined(args: Any, kwargs: Any, *, in_place: bool) -> torch.Tensor | None:
    if kwargs or len(args) != 2:
        return None
    a, b = args
    if isinstance(b, (int, float)):
        return _like(a, in_place=in_place)
    if not (_is_plain(a) and _is_plain(b)) or a.dtype != b.dtype or a.dim() != b.dim():
        return None
    if all(n in (1, m) for m, n in zip(a.shape, b.shape, strict=True)):
        return _like(a, in_place=in_place)
    if all(m in (1, n) for m, n in zip(a.shape, b.shape, strict=True)) and not in_place:
        return _like(b, in_place=False)
    return None


def _normalised(args: Any, kwargs: Any) -> torch.Tensor | None:
    if kwargs.get("training", True) or len(args) < 2 or not _is_plain(args[0]):
        return None
    given, mean = args[:2]
    if mean is None or given.dim() < 2 or mean.shape != given.shape[1:2]:
        return None
    return _like(given, in_place=False)


def _layer_normalised(args: Any, kwargs: Any) -> torch.Tensor | None:
    if len(args) < 2 or not _is_plain(args[0]):
        return None
    given, wanted = args[0], tuple(args[1])
    own = [*args[2:4], kwargs.get("weight"), kwargs.get("bias")]
    if tuple(given.shape[-len(wanted) :]) != wanted or not wanted:
        return None
    if any(tensor is not None and tuple(tensor.shape) != wanted for tensor in own):
        return None
    return _like(given, in_place=False)


def _joined(args: Any, kwargs: Any) -> torch.Tensor | None:
    tensors = args[0] if args else None
    if not isinstance(tensors, (list, tuple)) or not tensors or not all(map(_is_plain, tensors)):
        return None
    axis = args[1] if len(args) > 1 else kwargs.get("dim", 0)
    shape, dtype = list(tensors[0].shape), tensors[0].dtype
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape) or len(args) > 2:
        return None
    axis %= len(shape)
    for tensor in tensors[1:]:
        others = list(tensor.shape)
        if tensor.dtype != dtype or len(others) != len(shape):
            return None
        if others[:axis] + others[axis + 1 :] != shape[:axis] + shape[axis + 1 :]:
            return None
        shape[axis] += others[axis]
    return torch.empty(shape, dtype=dtype, device="meta")
