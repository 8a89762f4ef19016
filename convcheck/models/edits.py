"""Change one argument of one layer of a model, so that a fix can be tried before it is offered."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_CONV = nn.modules.conv._ConvNd
_TRANSPOSED = nn.modules.conv._ConvTransposeNd


def edit_layer(root: nn.Module, path: str, changes: Mapping[str, Any]) -> None:
    """Changes arguments of the layer at `path`; its parameters take the shape that follows.

    Args:
        root: The model; it is changed.
        path: Path of the layer.
        changes: New values by the names of the constructor's arguments.

    Raises:
        KeyError: The layer has no such argument.
    """
    layer = root.get_submodule(path)
    for name, value in changes.items():
        if not hasattr(layer, name):
            raise KeyError(name)
        setattr(layer, name, _like(getattr(layer, name), value))
    if isinstance(layer, _CONV):
        _reshape_conv(layer)
    elif isinstance(layer, nn.Linear):
        _replace(layer, "weight", (layer.out_features, layer.in_features))
        _replace(layer, "bias", (layer.out_features,))
    elif isinstance(layer, nn.modules.batchnorm._NormBase):
        for name in ("weight", "bias", "running_mean", "running_var"):
            _replace(layer, name, (layer.num_features,))
    elif isinstance(layer, nn.GroupNorm):
        for name in ("weight", "bias"):
            _replace(layer, name, (layer.num_channels,))
    elif isinstance(layer, nn.LayerNorm):
        for name in ("weight", "bias"):
            _replace(layer, name, tuple(layer.normalized_shape))


def insert_before(root: nn.Module, path: str, module: nn.Module) -> None:
    """Puts a module in front of the layer at `path`; the model is changed."""
    above, _, name = path.rpartition(".")
    parent = root.get_submodule(above)
    setattr(parent, name, nn.Sequential(module, root.get_submodule(path)))


def _like(old: Any, value: Any) -> Any:
    if isinstance(old, tuple) and isinstance(value, int):
        return (value,) * len(old)
    return value


def _reshape_conv(layer: Any) -> None:
    first, second = layer.out_channels, layer.in_channels // layer.groups
    if isinstance(layer, _TRANSPOSED):
        first, second = layer.in_channels, layer.out_channels // layer.groups
    _replace(layer, "weight", (first, second, *layer.kernel_size))
    _replace(layer, "bias", (layer.out_channels,))
    if isinstance(layer.padding, tuple):
        layer._reversed_padding_repeated_twice = [
            pad for pad in reversed(layer.padding) for _ in range(2)
        ]


def _replace(layer: nn.Module, name: str, shape: tuple[int, ...]) -> None:
    old = getattr(layer, name, None)
    if not isinstance(old, torch.Tensor) or tuple(old.shape) == shape:
        return
    new = torch.zeros(shape, dtype=old.dtype, device=old.device)
    setattr(layer, name, nn.Parameter(new) if isinstance(old, nn.Parameter) else new)


@contextmanager
def building_with(
    kind: str, given: Mapping[str, Any], changes: Mapping[str, Any]
) -> Iterator[None]:
    """Builds each layer of that kind and those arguments with other arguments, in the block."""
    layer: Any = getattr(nn, kind)
    original: Callable[..., None] = layer.__init__
    names = inspect.signature(original)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = names.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values = bound.arguments
        if all(values.get(key, old) == old for key, old in given.items()):
            values.update({key: value for key, value in changes.items() if key in values})
        original(*bound.args, **bound.kwargs)

    layer.__init__ = init
    try:
        yield
    finally:
        layer.__init__ = original
