"""`check_model`: read a model, validate every layer call, and say what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from convcheck.core.errors import TargetError
from convcheck.models.graph import Failure
from convcheck.models.layers import layer_calls, mismatches
from convcheck.models.model_report import ModelReport


def check_model(model: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> ModelReport:
    """Checks every layer call of a model against its closed formula.

    Nothing is computed and no weight is allocated: the model runs on the meta device. A live
    module is copied without its weights and never run itself.

    Args:
        model: A `torch.nn.Module`; a factory that builds one (what it raises is a finding); or
            the path of an ONNX file.
        *args: Inputs, as the model takes them; real or meta tensors. A single tuple of ints
            stands for a float32 tensor of that shape.
        training: The mode to run in. By default a live module keeps its own, and the model of
            a factory runs in evaluation mode.
        **kwargs: Keyword inputs.

    Returns:
        The report: `.layers`, `.findings`, `.passed`, `.verdict`, `.raise_for_findings()`.

    Raises:
        TargetError: `model` is none of these.
        InputError: An ONNX file cannot be read, or an input shape is impossible.
    """
    if isinstance(model, (str, Path)):
        from convcheck.models.read_onnx import check_onnx

        if Path(model).suffix != ".onnx":
            raise TargetError(
                f"{str(model)!r} is not a model",
                why="a text stands for the path of an .onnx file",
                fix="pass the module, or a factory that builds it",
            )
        return check_onnx(Path(model), *args)
    if not callable(model):
        raise TargetError(f"{type(model).__name__} is not a model", why="it cannot be called")
    return check_torch(model, args, kwargs, training=training)


def check_torch(
    model: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    training: bool | None = None,
) -> ModelReport:
    """Returns the report of a torch module or factory."""
    from convcheck.models.diagnose import diagnose
    from convcheck.models.read_torch import example, read_torch

    if len(args) == 1 and not kwargs and _is_shape(args[0]):
        args = (example(tuple(args[0])),)
    graph, opened = read_torch(model, args, kwargs, training=training)
    layers = layer_calls(graph)

    def rebuild(failure: Failure) -> list[str]:
        from convcheck.models.fixes import constructor_fixes

        return constructor_fixes(model, failure, args, kwargs)

    findings = (*mismatches(layers), *diagnose(graph, opened, rebuild))
    return ModelReport(name=graph.name, layers=layers, findings=findings, graph=graph, model=opened)


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, (tuple, list))
        and len(value) > 0
        and all(isinstance(n, int) and not isinstance(n, bool) for n in value)
    )
