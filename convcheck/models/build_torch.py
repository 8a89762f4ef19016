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

_RESETTING: tuple[Any, ...] = (
    nn.modules.conv._ConvNd,
    nn.modules.batchnorm._NormBase,
    nn.Linear,
    nn.LayerNorm,
    nn.GroupNorm,
)


class _WithoutInitialisation(TorchFunctionMode):
    """Leaves meta tensors as they are where an initialiser would fill them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in _INITIALISERS:
            given = args[0] if args else kwargs.get("tensor")
            if isinstance(given, torch.Tensor) and given.is_meta:
                return given
        return func(*args, **kwargs)


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
            stack.enter_context(_without_reset())
        else:
            stack.enter_context(_registering("meta" if method == "meta parameters" else "cpu"))
        stack.enter_context(_WithoutInitialisation())
        model = factory()
    if method == "meta parameters" and isinstance(model, nn.Module):
        model = model.to("meta")
    return model


@contextmanager
def _without_reset() -> Iterator[None]:
    """Leaves the parameters of the standard layers as they were allocated."""
    originals = [(layer, layer.reset_parameters) for layer in _RESETTING]
    for layer in _RESETTING:
        layer.reset_parameters = lambda self: None
    try:
        yield
    finally:
        for layer, original in originals:
            layer.reset_parameters = original


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
        for tensor in _computed(part):
            memo[id(tensor)] = _twin(tensor) if method == "meta" else tensor.detach().clone()
    try:
        return copy.deepcopy(module, dict(memo))
    except Exception:
        # Some attribute refuses to be copied (a lock, a generator): it is shared instead.
        return _structure_of(module, memo, method)


def _computed(module: nn.Module) -> Iterator[torch.Tensor]:
    """Yields the tensors that a module keeps of a computation; torch copies no such tensor."""
    for part in module.modules():
        for value in vars(part).values():
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                yield value


def _structure_of(module: nn.Module, memo: dict[int, Any], method: Method) -> nn.Module:
    if id(module) in memo:
        known: nn.Module = memo[id(module)]
        return known
    kind: Any = type(module)
    twin: nn.Module = kind.__new__(kind)
    memo[id(module)] = twin
    own = dict(vars(module))
    for name in ("_parameters", "_buffers"):
        own[name] = {
            key: tensor if tensor is None else memo.setdefault(id(tensor), tensor.detach().clone())
            for key, tensor in vars(module)[name].items()
        }
    own["_modules"] = {
        key: part if part is None else _structure_of(part, memo, method)
        for key, part in vars(module)["_modules"].items()
    }
    twin.__dict__.update(own)
    return twin


def _twin(tensor: torch.Tensor) -> torch.Tensor:
    data = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(data, requires_grad=tensor.requires_grad)
    return data
