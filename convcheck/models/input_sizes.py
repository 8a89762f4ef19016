"""Which input sizes a model takes: each one tried, the layer that binds, the pixels lost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from convcheck.core.errors import InputError
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.models.graph import LayerGraph, Shape
from convcheck.models.layers import layer_calls
from convcheck.models.model_report import ModelReport
from convcheck.models.read_torch import TorchModel, run, with_inputs
from convcheck.models.receptive import followed_input

_BUDGET_SECONDS = 4.0
"""CPU seconds after which sizes are no longer tried one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a size is refused: the layer that binds, and what it said."""

    size: int
    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSizes:
    """The square input sizes that a model takes.

    Attributes:
        tried: Smallest and largest size that was tried.
        valid: The sizes that it takes.
        refusals: The refused neighbours of the valid sizes, with the layer that binds.
        lost: Of each valid size that loses border elements: which layer loses how many.
        is_exact: Whether every size between was tried.
    """

    tried: tuple[int, int]
    valid: tuple[int, ...]
    refusals: tuple[Refusal, ...]
    lost: Mapping[int, tuple[str, ...]]
    is_exact: bool

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Returns the valid sizes as (first, last) of each run of neighbours."""
        runs: list[list[int]] = []
        for size in self.valid:
            if runs and runs[-1][1] == size - 1:
                runs[-1][1] = size
            else:
                runs.append([size, size])
        return tuple((first, last) for first, last in runs)

    def text(self) -> str:
        """Returns the valid sizes in words, such as "32 to 35"."""
        parts = [str(a) if a == b else f"{a} to {b}" for a, b in self.ranges()]
        if parts and self.ranges()[-1][1] == self.tried[1]:
            first = self.ranges()[-1][0]
            parts[-1] = f"{first} and larger (tried up to {self.tried[1]})"
        shown = parts if len(parts) <= 8 else [*parts[:8], f"and {len(parts) - 8} more ranges"]
        return ", ".join(shown) or "none"

    def finding(self) -> Finding:
        """Returns the sizes as a finding: PASS where every size was tried, UNKNOWN where not."""
        why = [f"{r.size}: {r.path}: {r.why}" for r in self.refusals]
        why += [f"{size} loses {', '.join(lost)}" for size, lost in list(self.lost.items())[:8]]
        if not self.is_exact:
            why.append("not every size was tried; the neighbours of each bound were")
        return Finding(
            verdict=Verdict.PASS if self.valid else Verdict.FAIL,
            where="input",
            what=f"square input sizes that the model takes: {self.text()}",
            why="\n".join(why),
            details={"valid": [list(r) for r in self.ranges()], "tried": list(self.tried)},
        )


def input_sizes(report: ModelReport, *, largest: int | None = None) -> InputSizes:
    """Returns the square input sizes that a model takes, each found by running it on meta.

    Args:
        report: The report of `check_model`.
        largest: The largest size to try; twice that of the given input, at least 64, by default.

    Raises:
        InputError: The model has no image-like input, or was not read from torch.
    """
    model, shape, first = _followed(report)
    largest = largest or max(64, 2 * max(shape[first:]))
    began = time.process_time()
    graphs: dict[int, LayerGraph] = {}

    def runs(size: int) -> bool:
        if size not in graphs:
            graphs[size] = run(_sized(model, shape, first, size))
        return graphs[size].failure is None

    for size in range(1, largest + 1):
        runs(size)
        if time.process_time() - began > _BUDGET_SECONDS:
            break
    is_exact = len(graphs) == largest
    if not is_exact:
        _bisect(runs, shape[first], largest)
    valid = tuple(sorted(size for size, graph in graphs.items() if graph.failure is None))
    return InputSizes(
        tried=(1, largest),
        valid=valid if is_exact else _filled(valid, graphs),
        refusals=tuple(_refusals(valid, graphs)),
        lost={size: lost for size in valid if (lost := _lost(graphs[size]))},
        is_exact=is_exact,
    )


def sized(report: ModelReport, size: int) -> LayerGraph:
    """Returns the graph of one run with a square input of that size."""
    model, shape, first = _followed(report)
    return run(_sized(model, shape, first, size))


def _followed(report: ModelReport) -> tuple[TorchModel, Shape, int]:
    found = followed_input(report.graph)
    if report.model is None or found is None:
        raise InputError(
            f"{report.name} has no input whose size can be varied",
            why="it was not read from torch, or no convolution or pooling reads its input",
        )
    number, first = found
    return report.model, report.graph.input_shapes[number], first


def _sized(model: TorchModel, shape: Shape, first: int, size: int) -> TorchModel:
    def resized(tensor: torch.Tensor) -> torch.Tensor:
        if tuple(tensor.shape) != shape:
            return tensor
        return tensor.new_empty((*shape[:first], *(size,) * (len(shape) - first))).zero_()

    return with_inputs(model, resized)


def _bisect(runs: object, given: int, largest: int) -> None:
    """Finds where a model that takes `given` begins and ends to take its input."""
    assert callable(runs)
    if not runs(given):
        return
    low, high = 0, given
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if runs(middle) else (middle, high)
    runs(largest)


def _filled(valid: tuple[int, ...], graphs: Mapping[int, LayerGraph]) -> tuple[int, ...]:
    """Returns the valid sizes, with those between two valid ones that nothing contradicts."""
    filled: list[int] = []
    for size in valid:
        if filled and not any(filled[-1] < other < size for other in graphs if other not in valid):
            filled += range(filled[-1] + 1, size)
        filled.append(size)
    return tuple(filled)


def _refusals(valid: tuple[int, ...], graphs: Mapping[int, LayerGraph]) -> list[Refusal]:
    found = []
    for size in sorted(graphs):
        failure = graphs[size].failure
        if failure is None or not {size - 1, size + 1} & set(valid):
            continue
        path = failure.path or (failure.call.op if failure.call else "")
        found.append(Refusal(size=size, path=path, why=failure.message.splitlines()[0]))
    return found[:6]


def _lost(graph: LayerGraph) -> tuple[str, ...]:
    lost = []
    for layer in layer_calls(graph):
        if any(layer.unread) and layer.op != "unfold":
            elements = "x".join(map(str, sorted(set(layer.unread))))
            lost.append(f"{elements} at {layer.name}")
    return tuple(lost)
