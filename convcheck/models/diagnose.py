"""Say what is wrong with a model: why it breaks, or what is silently wrong though it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.models.breaks import explain_failure
from convcheck.models.graph import Failure, LayerGraph
from convcheck.models.silent import silent_mistakes, unused_modules

if TYPE_CHECKING:
    from convcheck.models.read_torch import TorchModel


def diagnose(
    graph: LayerGraph,
    model: TorchModel | None = None,
    rebuild: Callable[[Failure], list[str]] | None = None,
) -> list[Finding]:
    """Returns the faults of a graph: the one that ended its run, and the silent ones.

    Args:
        graph: The graph.
        model: What can be run again, so that fixes are tried; None for a file.
        rebuild: Finds fixes where the model could not be built.
    """
    broken = [_broken(graph, graph.failure, model, rebuild)] if graph.failure else []
    return broken + silent_mistakes(graph, _in_training(graph, model))


def _in_training(graph: LayerGraph, model: TorchModel | None) -> LayerGraph | None:
    """Returns a run in training mode, where modules stayed unused that training may use."""
    if model is None or graph.failure or graph.training or not unused_modules(graph):
        return None
    from convcheck.models.read_torch import run, with_module

    return run(with_module(model, lambda module: module.train() and None))


def _broken(
    graph: LayerGraph,
    failure: Failure,
    model: TorchModel | None,
    rebuild: Callable[[Failure], list[str]] | None,
) -> Finding:
    found = explain_failure(graph, failure)
    if failure.building:
        fixes = rebuild(failure) if rebuild else []
    else:
        fixes = _fixes(graph, failure, model)
    return Finding(
        verdict=Verdict.UNKNOWN if _is_open(failure, found.code) else Verdict.FAIL,
        code=found.code,
        where=found.where,
        what=found.what,
        why="\n".join(line for line in found.why if line),
        fix="\n".join(fixes),
        details={
            "source": failure.source,
            "message": failure.message,
            "fixes": fixes,
            "call": failure.call.index if failure.call else None,
        },
    )


def _is_open(failure: Failure, code: str) -> bool:
    """Whether the run ended at what convcheck cannot follow, and not at a fault."""
    return code == "CC105" or failure.kind == "UnknownOperator"


def _fixes(graph: LayerGraph, failure: Failure, model: TorchModel | None) -> list[str]:
    if model is None:
        return []
    from convcheck.models.fixes import verified_fixes

    return verified_fixes(graph, failure, model, explain_failure(graph, failure))
