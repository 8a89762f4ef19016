"""Record every operator call of a torch model while it runs, with the path of its module.

A `TorchFunctionMode` sees `F.conv2d` and `nn.Conv2d` alike; a stack of paths knows the module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from math import prod
from typing import Any

import torch
from torch import nn
from torch._ops import OpOverload, OpOverloadPacket
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from convcheck.core.errors import ConvcheckError
from convcheck.models.aten import functional
from convcheck.models.graph import CONSTANT, INPUT, PARAMETER, Call, Failure, Shape, Value
from convcheck.models.meta_shapes import known_on_meta
from convcheck.models.record_script import ScriptRecorder
from convcheck.models.shape_rules import predict
from convcheck.models.signatures import SIGNATURES, bound_options, operator_name
from convcheck.models.source_lines import source_of, where_raised

_DTYPES: dict[torch.dtype, str] = {}
_DECLARED = (
    "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode", "in_channels",
    "out_channels", "output_padding", "ceil_mode", "in_features", "out_features",
    "num_features", "normalized_shape", "num_groups", "num_channels",
)  # fmt: skip
_DECLARING = (
    nn.modules.conv._ConvNd,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.Linear,
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LayerNorm,
)

_REGISTRIES = ("_modules", "_parameters", "_buffers")
_LOOKS_AT_VALUES = frozenset(
    ("item", "tolist", "bool", "int", "float", "index", "nonzero", "equal", "allclose", "numpy")
)
_AS_IN_ATEN = frozenset((torch.convolution, torch.embedding, torch.batch_norm, torch.Tensor.unfold))
_GROWING = ("conv_transpose", "interpolate", "pad", "fold", "unfold", "max_unpool")
LARGEST_REAL_TENSOR = 1 << 24
"""Elements that a tensor of a real run may have; a larger one is left to the meta device."""


class TooLargeError(Exception):
    """A real run would make a tensor that is too large; the meta device has no such limit."""


class Recorder(TorchFunctionMode):
    """Records the calls of one run.

    Args:
        module: The module that is about to run.
        inputs: The tensors that it is given.
        is_real: Whether it runs for real, not on the meta device.
    """

    def __init__(self, module: nn.Module, inputs: Sequence[torch.Tensor], *, is_real: bool) -> None:
        super().__init__()
        self.looked_at = ""
        self._is_real = is_real
        self.calls: list[Call] = []
        self.used: set[int] = set()
        self.called: set[int] = set()
        self.failure: tuple[BaseException, Failure] | None = None
        self._stack: list[tuple[str, nn.Module]] = []
        self._paths = module_paths(module)
        self._padded: set[int] = set()
        self._kept: list[torch.Tensor] = list(inputs)
        self._made: dict[int, tuple[int, int, bool]] = {
            id(tensor): (INPUT, i, True) for i, tensor in enumerate(inputs)
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Records while the block runs."""
        original = nn.Module.__call__

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            path = self._paths.get(id(module))
            if path is None:
                above = self._stack[-1][0] if self._stack else ""
                path = f"{above}.{type(module).__name__}".lstrip(".")
                self._paths[id(module)] = path
            self.called.add(id(module))
            self._padded.discard(id(module))
            self._stack.append((path, module))
            try:
                if isinstance(module, torch.jit.ScriptModule):
                    with self._inside_script():
                        return original(module, *args, **kwargs)
                return original(module, *args, **kwargs)
            except Exception as error:
                self._note_failure(error, None, (args, kwargs))
                raise
            finally:
                self._stack.pop()

        nn.Module.__call__ = call  # type: ignore[method-assign]
        try:
            with self:
                yield
        finally:
            nn.Module.__call__ = original  # type: ignore[method-assign]

    @contextmanager
    def _inside_script(self) -> Iterator[None]:
        """Records by the dispatcher, as no torch function is called inside of a script."""

        def record(name: str, args: Any, kwargs: Any, outputs: tuple[torch.Tensor, ...]) -> None:
            self._record(_Named(name), args, kwargs, outputs)

        with ScriptRecorder(record):
            yield

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Calls `func`, and records the call if it returned a tensor or raised."""
        kwargs = kwargs or {}
        try:
            if self._is_real:
                self._refuse_too_large(func, args, kwargs)
                out = func(*args, **kwargs)
            else:
                out = known_on_meta(func, args, kwargs)
                if out is None:
                    out = func(*args, **kwargs)
        except TooLargeError:
            raise
        except Exception as error:
            repaired = self._with_constants_on_meta(error, args, kwargs)
            if repaired is None:
                self._note_failure(error, self._call(func, args, kwargs, ()))
                raise
            args, kwargs = repaired
            try:
                out = func(*args, **kwargs)
            except Exception as again:
                self._note_failure(again, self._call(func, args, kwargs, ()))
                raise
        if isinstance(out, torch.Tensor):
            if not is_lazy(out):
                self._record(func, args, kwargs, (out,))
        elif isinstance(out, (tuple, list)) and any(isinstance(o, torch.Tensor) for o in out):
            self._record(func, args, kwargs, tuple(o for o in out if isinstance(o, torch.Tensor)))
        elif self._is_real and not self.looked_at:
            name = operator_name(getattr(func, "__name__", ""))
            if name in _LOOKS_AT_VALUES and self.value(args[0]).is_activation:
                self.looked_at = f"{name} at {source_of(sys._getframe(1))}"
        return out

    def _refuse_too_large(self, func: Any, args: Any, kwargs: Any) -> None:
        if not getattr(func, "__name__", "").startswith(_GROWING):
            return
        try:
            prediction = predict(self._call(func, args, kwargs, ()))
        except (ConvcheckError, KeyError, TypeError, ValueError, IndexError):
            return  # torch itself refuses the call next, with its own message
        if prediction is not None and prod(prediction.shape) > LARGEST_REAL_TENSOR:
            raise TooLargeError

    def value(self, tensor: torch.Tensor) -> Value:
        """Returns what is known of a tensor."""
        producer, output, active = self._made.get(id(tensor)) or self._shared(tensor)
        if producer == CONSTANT and _is_parameter(tensor):
            producer = PARAMETER
        return Value(
            shape=tuple(tensor.shape),
            producer=producer,
            dtype=_DTYPES.get(tensor.dtype) or _dtype_name(tensor.dtype),
            output=output,
            is_activation=active,
        )

    def _shared(self, tensor: torch.Tensor) -> tuple[int, int, bool]:
        """Returns what made a tensor of which no call is known.

        `as_subclass` is no call that a mode sees; what it returns shares the memory of its input.
        """
        if type(tensor) in (torch.Tensor, nn.Parameter) or is_lazy(tensor):
            return CONSTANT, 0, False
        memory = tensor.untyped_storage()._cdata
        for known in reversed(self._kept):
            if known.untyped_storage()._cdata == memory and known.shape == tensor.shape:
                return self._made.get(id(known), (CONSTANT, 0, False))
        return CONSTANT, 0, False

    def _record(self, func: Any, args: Any, kwargs: Any, outputs: tuple[torch.Tensor, ...]) -> None:
        call = self._call(func, args, kwargs, tuple(tuple(o.shape) for o in outputs))
        if call.op == "pad" and self._stack:
            self._padded.add(id(self._stack[-1][1]))
        self.calls.append(call)
        active = any(value.is_activation for value in call.inputs)
        for i, tensor in enumerate(outputs):
            self._kept.append(tensor)
            self._made[id(tensor)] = (call.index, i, active)

    def _call(self, func: Any, args: Any, kwargs: Any, outputs: tuple[Shape, ...]) -> Call:
        op, args = _operator(func, args)
        tensors = list(_tensors(args)) + list(_tensors(tuple(kwargs.values())))
        parameters = [t for t in tensors if _is_parameter(t)]
        self.used.update(map(id, parameters))
        path, module = self._stack[-1] if self._stack else ("", None)
        known = op in SIGNATURES
        declared: Mapping[str, Any] = {}
        if known and isinstance(module, _DECLARING):
            own = vars(module)
            declared = {key: own[key] for key in _DECLARED if key in own}
        return Call(
            index=len(self.calls),
            op=op,
            path=path,
            inputs=tuple(map(self.value, tensors)),
            outputs=outputs,
            options=bound_options(op, args, kwargs, torch.is_tensor) if known else {},
            parameters=sum(p.numel() for p in parameters),
            source=source_of(sys._getframe(2)) if known or not outputs else "",
            declared=declared,
            module_pads=module is not None and id(module) in self._padded,
        )

    def _note_failure(self, error: Exception, call: Call | None, given: Any = ()) -> None:
        if self.failure is not None and self.failure[0] is error:
            return
        source, code = where_raised(error.__traceback__)
        self.failure = (
            error,
            Failure(
                call=call,
                path=call.path if call else self._stack[-1][0] if self._stack else "",
                kind=type(error).__name__,
                message=str(error),
                source=(call.source if call else "") or source,
                code=code,
                inputs=call.inputs if call else tuple(map(self.value, all_tensors(given))),
                kind_of_module=type(self._stack[-1][1]).__name__ if self._stack else "",
            ),
        )

    def _with_constants_on_meta(self, error: Exception, args: Any, kwargs: Any) -> Any:
        """Returns the arguments with every tensor on meta, where a mix of devices was the cause."""
        if "device" not in str(error) and "meta" not in str(error):
            return None
        tensors = list(_tensors(args)) + list(_tensors(tuple(kwargs.values())))
        if len({tensor.is_meta for tensor in tensors}) != 2:
            return None

        def moved(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.is_meta:
                return tensor
            twin = tensor.to("meta")
            self._made[id(twin)] = self._made.get(id(tensor), (CONSTANT, 0, False))
            self._kept.append(twin)
            return twin

        return map_tensors(args, moved), map_tensors(kwargs, moved)


class _Named:
    """Stands for an operator of which only the name is known."""

    def __init__(self, name: str) -> None:
        self.__name__ = name


def _is_parameter(tensor: torch.Tensor) -> bool:
    # Parameter's own instance check is slow for what is no parameter.
    return type(tensor) is not torch.Tensor and isinstance(tensor, nn.Parameter)


def _operator(func: Any, args: Any) -> tuple[str, Any]:
    """Returns the functional name of what was called, and its arguments in that order."""
    name = getattr(func, "__name__", "") or type(func).__name__
    if name == "__get__":
        name = getattr(getattr(func, "__self__", None), "__name__", name)
    if isinstance(func, (OpOverload, OpOverloadPacket)):
        name = f"aten.{name}"
    if name.startswith("aten."):
        name, args = functional(name.removeprefix("aten."), args)
    elif func in _AS_IN_ATEN:
        name, args = functional(name, args)
    return operator_name(name), args


def module_paths(module: nn.Module) -> dict[int, str]:
    """Returns the path of each module, those in plain lists and dicts included."""
    paths = {id(m): path for path, m in module.named_modules()}
    for path, found in unregistered_modules(module):
        for inner, m in found.named_modules():
            paths.setdefault(id(m), f"{path}.{inner}".rstrip("."))
    return paths


def unregistered_modules(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Returns the modules that sit in a plain list, tuple or dict and are registered nowhere."""
    registered = {id(m) for m in module.modules()}
    found: list[tuple[str, nn.Module]] = []
    for path, owner in module.named_modules():
        for name, value in vars(owner).items():
            if type(value) not in (list, tuple, dict) or name in _REGISTRIES:
                continue
            for key, item in value.items() if type(value) is dict else enumerate(value):
                if isinstance(item, nn.Module) and id(item) not in registered:
                    found.append((f"{path}.{name}[{key}]".lstrip("."), item))
    return found


def map_tensors(value: Any, change: Any) -> Any:
    """Returns `value` with `change` applied to each tensor in it, at any depth."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_tensors(item, change) for item in value))
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map_tensors(item, change) for item in value)
    if isinstance(value, Mapping) and type(value) is dict:
        return {key: map_tensors(item, change) for key, item in value.items()}
    return value


def all_tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yields the tensors in nested tuples, lists, mappings and dataclasses, in reading order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from all_tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from all_tensors(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            yield from all_tensors(getattr(value, item.name))


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            if not is_lazy(value):
                yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _dtype_name(dtype: torch.dtype) -> str:
    return _DTYPES.setdefault(dtype, str(dtype).removeprefix("torch."))
