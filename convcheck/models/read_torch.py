"""Read a torch model: build it without weights, run it without computing, record every call.

A small model simply runs on the CPU: that costs less than what torch imports for its first
convolution on the meta device. Otherwise the order of attempts is: everything on meta;
parameters on meta and the rest of the constructor for real; the CPU. A run that fails on meta is
repeated for real where that is cheap, because some models look at values (a data-dependent
branch), and then the graph says so.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from convcheck.core.errors import ConvcheckError, InputError, TargetError
from convcheck.models.build_torch import Method, build, copy_for_real, copy_without_weights
from convcheck.models.graph import Failure, LayerGraph, ModuleFacts
from convcheck.models.record_torch import (
    Recorder,
    TooLargeError,
    all_tensors,
    map_tensors,
    unregistered_modules,
)
from convcheck.models.shape_rules import predict
from convcheck.models.source_lines import assigned_by, where_raised

_LARGEST_REAL_RUN = 1 << 24
"""Elements of parameters and inputs together up to which a failed model is also run for real."""

_LARGEST_FIRST_RUN = 1 << 30
"""Parameters times input elements up to which a model is run for real at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchModel:
    """A model that can be run again, changed or with other inputs.

    Attributes:
        module: The module, its weights on meta or zero; never the caller's own.
        args: Positional inputs, on the same device.
        kwargs: Keyword inputs.
        method: How it was built.
        name: What it is called.
        notes: What a reader should know about how it was read.
        factory: Builds it; None for a live module.
    """

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    method: Method
    name: str
    notes: tuple[str, ...] = ()
    factory: Callable[[], Any] | None = None


def read_torch(
    model: nn.Module | Callable[[], Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    training: bool | None = None,
) -> tuple[LayerGraph, TorchModel | None]:
    """Returns the graph of one run, and the model to run again (None where it was not built).

    Args:
        model: A live module, or a factory; a factory's model is put into evaluation mode.
        args: Positional inputs: tensors, or anything else that forward takes.
        kwargs: Keyword inputs.
        training: The mode to run in; the live module's own by default.
    """
    name = _name(model)
    factory = None if isinstance(model, nn.Module) else model
    tried: list[tuple[LayerGraph, TorchModel | None]] = []
    on_meta = _built(model, "meta")
    for method in _methods(on_meta, factory is not None, args, kwargs):
        built = on_meta if method == "meta" else _built(model, method)
        if isinstance(built, Failure):
            tried.append((_not_built(name, built, args, kwargs), None))
            continue
        if training is not None or factory is not None:
            _set_mode(built, training=bool(training))
        if method == "cpu" and not _is_small(built, args, kwargs):
            break
        opened = TorchModel(
            module=built,
            args=_on(args, method),
            kwargs=_on(dict(kwargs), method),
            method=method,
            name=name,
            factory=factory,
        )
        try:
            graph = run(opened)
        except TooLargeError:
            continue
        tried.append((graph, opened))
        if graph.failure is None or method == "cpu" or _is_certain(graph.failure):
            break
    return _best(tried)


def run(model: TorchModel) -> LayerGraph:
    """Returns the graph of one run of a model; what it raises is the graph's failure."""
    module = model.module
    inputs = tuple(all_tensors((model.args, model.kwargs)))
    recorder = Recorder(module, inputs, is_real=model.method == "cpu")
    failure = None
    outputs: tuple[torch.Tensor, ...] = ()
    # A warning is for whoever trains the model; turned into an error by a test suite's filter it
    # would look like a fault of the model.
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with recorder.running():
                returned = module(*model.args, **model.kwargs)
            outputs = tuple(all_tensors(returned))
        except (ConvcheckError, MemoryError, TooLargeError):
            raise
        except Exception as error:
            if recorder.failure is not None and recorder.failure[0] is error:
                failure = recorder.failure[1]
            else:
                failure = _raised(error, building=False)
            source, code = where_raised(error.__traceback__)
            failure = replace(failure, source=failure.source or source, code=failure.code or code)
    return LayerGraph(
        name=model.name,
        calls=tuple(recorder.calls),
        input_shapes=tuple(tuple(tensor.shape) for tensor in inputs),
        output_shapes=tuple(tuple(tensor.shape) for tensor in outputs),
        outputs=tuple(map(recorder.value, outputs)),
        parameters=_count(module),
        modules=_facts(module, recorder),
        unregistered=_unregistered(module),
        failure=failure,
        method=model.method,
        notes=(*model.notes, *_notes(recorder)),
        training=module.training,
        looks_at_values=bool(recorder.looked_at),
    )


def with_inputs(model: TorchModel, change: Callable[[torch.Tensor], torch.Tensor]) -> TorchModel:
    """Returns the model with each input tensor changed."""
    return replace(
        model, args=map_tensors(model.args, change), kwargs=map_tensors(dict(model.kwargs), change)
    )


def with_module(model: TorchModel, change: Callable[[nn.Module], None]) -> TorchModel:
    """Returns the model with a copy of its module, on which `change` has worked."""
    module = copy.deepcopy(model.module)
    change(module)
    return replace(model, module=module)


def example(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Returns a tensor that has a shape and no memory.

    Raises:
        InputError: An extent is not positive, or there are more elements than a tensor can have.
    """
    if not shape or min(shape) < 1:
        raise InputError(
            f"input {','.join(map(str, shape)) or 'is empty'}",
            why="every extent must be at least 1",
            fix="e.g. --input 1,3,32,32",
        )
    try:
        return torch.empty(shape, dtype=dtype, device="meta")
    except (RuntimeError, OverflowError, TypeError) as error:
        raise InputError(
            f"input {','.join(map(str, shape))}",
            why=f"no tensor can be that large ({str(error).splitlines()[0]})",
        ) from None


def _set_mode(module: nn.Module, *, training: bool) -> None:
    try:
        module.train(training)
    except NotImplementedError:
        return  # an exported program has the mode that it was exported in


def _methods(on_meta: Any, is_built: bool, args: Any, kwargs: Any) -> tuple[Method, ...]:
    elements = sum(tensor.numel() for tensor in all_tensors((args, kwargs)))
    if isinstance(on_meta, nn.Module) and _count(on_meta) * elements <= _LARGEST_FIRST_RUN:
        return ("cpu", "meta")
    return ("meta", "meta parameters", "cpu") if is_built else ("meta", "cpu")


def _notes(recorder: Recorder) -> tuple[str, ...]:
    if not recorder.looked_at:
        return ()
    return (
        f"the model looks at values ({recorder.looked_at}): run for real, other values may take "
        "another way",
    )


def _built(model: Any, method: Method) -> nn.Module | Failure:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            built = _made(model, method)
    except (ConvcheckError, MemoryError):
        raise
    except Exception as error:
        return _raised(error, building=True)
    if not isinstance(built, nn.Module):
        raise TargetError(
            f"{_name(model)} built {type(built).__name__}",
            why="a model factory returns a torch.nn.Module",
        )
    return built


def _made(model: Any, method: Method) -> Any:
    if not isinstance(model, nn.Module):
        return build(model, method)
    return copy_without_weights(model) if method == "meta" else copy_for_real(model)


def _raised(error: BaseException, *, building: bool) -> Failure:
    source, code = where_raised(error.__traceback__)
    return Failure(
        call=None,
        path="",
        kind=type(error).__name__,
        message=str(error),
        source=source,
        code=code,
        building=building,
        assigned=assigned_by(error.__traceback__),
        constructor=_constructor(error),
    )


def _constructor(error: BaseException) -> tuple[str, Mapping[str, Any]] | None:
    """Returns the layer whose constructor raised, with its arguments."""
    trace, found = error.__traceback__, None
    while trace is not None:
        frame = trace.tb_frame
        owner = frame.f_locals.get("self")
        if frame.f_code.co_name == "__init__" and isinstance(owner, nn.Module):
            module = type(owner).__module__
            if module.startswith("torch.nn.") and (
                found is None or found[0] != type(owner).__name__
            ):
                names = frame.f_code.co_varnames[1 : frame.f_code.co_argcount]
                values = {
                    key: frame.f_locals[key]
                    for key in names
                    if isinstance(frame.f_locals.get(key), (int, str, bool, tuple, type(None)))
                }
                found = (type(owner).__name__, values)
        trace = trace.tb_next
    return found


def _not_built(
    name: str, failure: Failure, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> LayerGraph:
    shapes = tuple(tuple(t.shape) for t in all_tensors((args, kwargs)))
    return LayerGraph(name=name, calls=(), input_shapes=shapes, failure=failure)


def _best(
    tried: list[tuple[LayerGraph, TorchModel | None]],
) -> tuple[LayerGraph, TorchModel | None]:
    """Returns the attempt that ran, or the one whose failure tells the most."""
    graph, opened = tried[-1]
    if graph.failure is None and opened is not None and len(tried) > 1 and opened.method == "cpu":
        why = next((g.failure.message for g, _ in tried if g.failure), "")
        note = f"run for real, as it does not run on the meta device: {_first_line(why)}"
        return replace(graph, notes=(*graph.notes, note)), replace(opened, notes=(note,))
    if graph.failure is None or graph.failure.building:
        return graph, opened
    # All attempts failed. The real run says what the user sees; a meta run is as good and is
    # cheap to run again, so it is the one kept for trying fixes where both fail at one call.
    for other, earlier in tried[:-1]:
        if other.failure and earlier and len(other.calls) == len(graph.calls):
            return replace(graph, method=earlier.method), earlier
    return graph, opened


def _is_certain(failure: Failure) -> bool:
    """Whether the closed formula refuses the failed call as well, so that no real run is needed."""
    if failure.call is None:
        return False
    try:
        predict(failure.call)
    except ConvcheckError:
        return True
    except (KeyError, IndexError, TypeError, ValueError):
        return False
    return False


def _is_small(module: nn.Module, args: Any, kwargs: Any) -> bool:
    inputs = sum(tensor.numel() for tensor in all_tensors((args, kwargs)))
    return _count(module) + inputs <= _LARGEST_REAL_RUN


def _on(values: Any, method: Method) -> Any:
    def moved(tensor: torch.Tensor) -> torch.Tensor:
        if method != "cpu":
            return tensor.detach().to("meta")
        if tensor.is_meta:
            return torch.zeros(tensor.shape, dtype=tensor.dtype)
        return tensor.detach().clone()

    return map_tensors(values, moved)


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if not torch.nn.parameter.is_lazy(p))


def _facts(module: nn.Module, recorder: Recorder) -> tuple[ModuleFacts, ...]:
    facts = []
    for path, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            continue
        own = list(part.parameters(recurse=False))
        if own or not next(part.children(), None):
            facts.append(
                ModuleFacts(
                    path=path,
                    kind=type(part).__name__,
                    parameters=sum(p.numel() for p in own if not torch.nn.parameter.is_lazy(p)),
                    called=id(part) in recorder.called,
                    used=any(id(p) in recorder.used for p in own),
                    holds_parameters=bool(own),
                )
            )
    return tuple(facts)


def _unregistered(module: nn.Module) -> tuple[tuple[str, str], ...]:
    return tuple(
        (path, type(found).__name__)
        for path, found in unregistered_modules(module)
        if any(p.requires_grad for p in found.parameters())
    )


def _name(model: Any) -> str:
    if isinstance(model, nn.Module):
        return type(model).__name__
    return getattr(model, "__name__", None) or type(model).__name__


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def module_of(model: Any) -> nn.Module:
    """Returns the module on the meta device, without running it.

    Raises:
        TargetError: It cannot be built.
    """
    built = _built(model, "meta")
    if isinstance(built, Failure) and not isinstance(model, nn.Module):
        built = _built(model, "meta parameters")
    if isinstance(built, Failure):
        raise TargetError(f"{_name(model)} cannot be built", why=f"{built.kind}: {built.message}")
    return built
