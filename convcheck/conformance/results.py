"""What a function returned, as NumPy arrays; or why that is no result."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from convcheck.conformance.arguments import ArrayKind
from convcheck.conformance.outcome import NO_ARRAY, Misbehaved, Result
from convcheck.core.case import Case
from convcheck.core.ops import find_op
from convcheck.core.spec import ConvSpec

_NUMBERS = "biufc"


def read_results(value: Any, case: Case, kind: ArrayKind) -> tuple[Result, ...] | Misbehaved:
    """Returns copies of the arrays in `value`, in the form that the op of `case` promises.

    A function of NumPy arrays must return a NumPy array, one of tensors a tensor; a loss may also
    return a plain number, a maximum pooling the indices as a second array, `output_size` must
    return an int, and a backward op three arrays, of which the last may be None where there is no
    bias.
    """
    family = find_op(case.op).family
    if family == "output_size":
        return _read_size(value)
    if family == "max_pool" and isinstance(value, (tuple, list)) and len(value) == 2:
        return _read_all(value, kind)
    if not family.endswith("backward"):
        is_loss = family in ("cross_entropy", "kl_div")
        result = _read_array(value, kind, number=is_loss)
        return result if isinstance(result, Misbehaved) else (result,)
    if not isinstance(value, (tuple, list)) or len(value) != 3:
        told = f"{len(value)} values" if isinstance(value, (tuple, list)) else _name(value)
        return Misbehaved(reason=NO_ARRAY, detail=f"{told} for grad_x, grad_w, grad_b")
    assert isinstance(case.spec, ConvSpec)
    optional = value[2] is None and not case.spec.bias and "double" not in family
    return _read_all(value[:2] if optional else value, kind)


def shares_memory(first: Any, second: Any) -> bool:
    """Returns whether two values, both alive, lie in the same memory, an array or arrays each."""
    if isinstance(first, (tuple, list)) and isinstance(second, (tuple, list)):
        return any(map(shares_memory, first, second))
    if isinstance(second, (tuple, list)):
        return any(shares_memory(first, part) for part in second)
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return (
            first.size > 0
            and first is not second
            and np.may_share_memory(first, second)
            or (first is second and first.size > 0)
        )
    torch = sys.modules.get("torch")
    if torch and isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return first.numel() > 0 and _overlap(first, second)
    return False


def _overlap(first: Any, second: Any) -> bool:
    """Whether the spans of two tensors, from the first element to the last, have bytes in common.

    Tensors of different storages never do, so that only views of one are told apart by it.
    """
    spans = []
    for tensor in (first, second):
        if tensor.numel() == 0:
            return False
        steps = zip(tensor.shape, tensor.stride(), strict=True)
        last = sum((size - 1) * step for size, step in steps)
        start = tensor.data_ptr()
        spans.append((start, start + (last + 1) * tensor.element_size()))
    return spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1]


def _read_all(values: Sequence[Any], kind: ArrayKind) -> tuple[Result, ...] | Misbehaved:
    results = []
    for value in values:
        result = _read_array(value, kind)
        if isinstance(result, Misbehaved):
            return result
        results.append(result)
    return tuple(results)


def _read_size(value: Any) -> tuple[Result, ...] | Misbehaved:
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return Misbehaved(reason=NO_ARRAY, detail=f"{_name(value)} instead of an int")
    if not -(2**63) <= int(value) < 2**63:
        return Misbehaved(reason=NO_ARRAY, detail="an int beyond 64 bits")
    return (Result(values=np.array(int(value), np.int64), dtype="int64"),)


def _read_array(value: Any, kind: ArrayKind, *, number: bool = False) -> Result | Misbehaved:
    if kind == "torch":
        torch = sys.modules["torch"]
        if isinstance(value, torch.Tensor):
            return _read_tensor(value, torch)
    elif isinstance(value, np.ndarray) and not isinstance(value, (np.ma.MaskedArray, np.matrix)):
        if value.dtype.kind in _NUMBERS:
            # A copy in C order and native bytes: what is compared must not change afterwards.
            values = np.array(value, value.dtype.newbyteorder("="), order="C")
            return Result(values=values, dtype=value.dtype.name)
        return Misbehaved(reason=NO_ARRAY, detail=f"an array of dtype {value.dtype}")
    elif isinstance(value, np.generic) and value.dtype.kind in _NUMBERS:
        return Result(values=np.array(value), dtype=value.dtype.name)
    if number and isinstance(value, float):
        return Result(values=np.array(value), dtype="float64")
    expected = "a torch.Tensor" if kind == "torch" else "a numpy.ndarray"
    return Misbehaved(reason=NO_ARRAY, detail=f"{_name(value)} instead of {expected}")


def _read_tensor(tensor: Any, torch: Any) -> Result | Misbehaved:
    if tensor.layout != torch.strided or tensor.device.type == "meta" or tensor.is_quantized:
        kind = f"{tensor.layout} on {tensor.device}"
        return Misbehaved(reason=NO_ARRAY, detail=f"a tensor without plain elements ({kind})")
    dtype = str(tensor.dtype).removeprefix("torch.")
    plain = tensor.detach().resolve_conj().resolve_neg()
    if tensor.dtype == torch.bfloat16:
        plain = plain.float()
    values = np.array(plain.cpu().numpy(), order="C")
    return Result(values=values, dtype=dtype, device=tensor.device.type)


def _name(value: Any) -> str:
    return "None" if value is None else type(value).__name__
