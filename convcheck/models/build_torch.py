"""Build a torch model without its weights in memory, or copy a live one without them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from convcheck.models.record_torch import unregistered_modules

Method = Literal["meta", "meta parameters", "cpu"]

_INITIALISERS = {
    "uniform_", "normal_", "trunc_normal_", "fill_", "zero_", "erfinv_", "clamp_", "mul_", "add_",
    "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_", "constant_",
    "zeros_", "ones_", "orthogonal_",
}  # fmt: skip


class _WithoutInitialisation(TorchFunctionMode):
    """Leaves meta tensors as they are where an initialiser would fill them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in _INITIALISERS and args and isinstance(args[0], torch.Tensor) and args[0].is_meta:
            return args[0]
        return func(*args, **(kwargs or {}))


def build(factory: Callable[[], Any], method: Method) -> Any:
    """Returns what the factory builds, its parameters allocated as `method` says.

    Args:
        factory: Builds the model.
        method: "meta": everything on the meta device. "meta parameters": each parameter goes
            there when it is registered, the rest of the constructor runs for real. "cpu": each
            parameter becomes zeros.
    """
    with ExitStack() as stack:
        if method == "meta":
            stack.enter_context(torch.device("meta"))
        else:
            stack.enter_context(_registering("meta" if method == "meta parameters" else "cpu"))
        stack.enter_context(_WithoutInitialisation())
        model = factory()
    if method == "meta parameters" and isinstance(model, nn.Module):
        model = model.to("meta")
    return model


@contextmanager
def _registering(device: str) -> Iterator[None]:
    def parameter(module: nn.Module, name: str, value: Any) -> Any:
        if not isinstance(value, nn.Parameter) or torch.nn.parameter.is_lazy(value):
            return None
        data = torch.zeros(value.shape, dtype=value.dtype, device=device)
        return nn.Parameter(data, requires_grad=value.requires_grad)

    handle = register_module_parameter_registration_hook(parameter)
    try:
        yield
    finally:
        handle.remove()


def copy_without_weights(module: nn.Module) -> nn.Module:
    """Returns a copy of a live module whose parameters and buffers are on the meta device.

    The live module is left as it is: no forward ever runs on it, so that no running statistic,
    counter or lazy parameter of it changes.
    """
    return _copied(module, "meta")


def copy_for_real(module: nn.Module) -> nn.Module:
    """Returns a copy of a live module with its weights, lazy parameters left lazy."""
    return _copied(module, "cpu")


def _copied(module: nn.Module, method: Method) -> nn.Module:
    memo: dict[int, Any] = {}
    for part in (module, *(found for _, found in unregistered_modules(module))):
        for tensor in (*part.parameters(), *part.buffers()):
            if torch.nn.parameter.is_lazy(tensor):
                device = "meta" if method == "meta" else tensor.device
                memo[id(tensor)] = type(tensor)(device=device, dtype=tensor.dtype)
            elif method == "meta":
                memo[id(tensor)] = _twin(tensor)
    return copy.deepcopy(module, memo)


def _twin(tensor: torch.Tensor) -> torch.Tensor:
    data = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(data, requires_grad=tensor.requires_grad)
    return data
