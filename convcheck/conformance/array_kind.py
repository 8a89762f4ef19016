"""Which arrays a function takes, NumPy's or torch's: read off its code, else found by trying."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CellType, CodeType, ModuleType
from typing import Any

import numpy as np

from convcheck.conformance.arguments import ARRAYS, ArrayKind
from convcheck.conformance.calls import Callee, perform
from convcheck.conformance.outcome import NO_ARRAY, Misbehaved, Outcome, Returned
from convcheck.core.case import Case, parse_case
from convcheck.core.ops import find_op

# The smallest call of each family that any correct function answers.
_TRIALS = {
    "conv": "{op} n1 c1 {size} f1 {kernel} s1 p0 d1 g1",
    "conv_transpose": "{op} n1 c1 {size} f1 {kernel} s1 p0 d1 g1 op0",
    "conv_backward": "{op} n1 c1 {size} f1 {kernel} s1 p0 d1 g1",
    "conv_transpose_backward": "{op} n1 c1 {size} f1 {kernel} s1 p0 d1 g1 op0",
    "conv_double_backward": "{op} n1 c1 {size} f1 {kernel} s1 p0 d1 g1",
    "conv_transpose_double_backward": "{op} n1 c1 {size} f1 {kernel} s1 p0 d1 g1 op0",
    "max_pool": "{op} n1 c1 {size} {kernel} s1 p0 d1",
    "avg_pool": "{op} n1 c1 {size} {kernel} s1 p0",
    "cross_entropy": "cross_entropy n1 c2 mean probabilities",
    "kl_div": "kl_div n1 c2 sum",
    "convolve": "convolve w3 k2 full float64",
    "output_size": "output_size w3 k2 s1 p0 d1",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A call that was made to see which arrays a function takes.

    Attributes:
        case: The call.
        inputs: Its arrays, all ones.
        outcome: What it ended in.
    """

    case: Case
    inputs: dict[str, np.ndarray]
    outcome: Outcome

    @property
    def answered(self) -> bool:
        """Whether it returned arrays, whatever else it did."""
        if isinstance(self.outcome, Misbehaved):
            return self.outcome.reason != NO_ARRAY
        return isinstance(self.outcome, Returned)


def detect_arrays(
    function: Callable[..., Any],
    op: str,
    *,
    by_keyword: bool,
    was_interrupted: Callable[[], bool] = lambda: False,
) -> ArrayKind:
    """Returns which arrays `function` takes.

    In this order: a function that never names torch takes NumPy arrays; its annotations; the one
    package that its code and module name; a trial call with each, NumPy first. A function that
    answers neither takes NumPy arrays.
    """
    kind, _ = detect_by_trial(function, op, by_keyword=by_keyword, was_interrupted=was_interrupted)
    return kind


def detect_by_trial(
    function: Callable[..., Any],
    op: str,
    *,
    by_keyword: bool,
    was_interrupted: Callable[[], bool] = lambda: False,
) -> tuple[ArrayKind, Trial | None]:
    """Returns what `detect_arrays` does, and the trial call that was answered, if one was made."""
    kinds = possible_arrays(function)
    if len(kinds) > 1:
        for kind in kinds:
            callee = Callee(function=function, arrays=kind, by_keyword=by_keyword)
            trial = try_call(callee, op, was_interrupted)
            if trial.answered:
                return kind, trial
    return kinds[0], None


def possible_arrays(function: Callable[..., Any]) -> tuple[ArrayKind, ...]:
    """Returns the arrays that `function` may take, as far as reading it tells."""
    packages = _packages(function)
    torch = "torch" in packages
    if "torch" not in sys.modules and not torch:
        return ("numpy",)
    annotations = " ".join(_annotations(function))
    if "torch" in annotations or "Tensor" in annotations:
        return ("torch",)
    if "ndarray" in annotations or "NDArray" in annotations:
        return ("numpy",)
    if torch != bool(packages & {"numpy", "scipy"}):
        return ("torch",) if torch else ("numpy",)
    return ("numpy", "torch") if torch else ("numpy",)


def answers_to(
    callee: Callee, op: str, was_interrupted: Callable[[], bool] = lambda: False
) -> bool:
    """Whether a trial call returns arrays, whatever else it does."""
    return try_call(callee, op, was_interrupted).answered


def try_call(callee: Callee, op: str, was_interrupted: Callable[[], bool]) -> Trial:
    """Returns a trial call, made twice as every call of a test is."""
    found = find_op(op)
    names = {1: "w", 2: "hw", 3: "zhw"}.get(found.axes, "w")
    case = parse_case(
        _TRIALS[found.family].format(
            op=op,
            size=" ".join(f"{name}3" for name in names),
            kernel="k" + "x".join("2" for _ in names),
        )
    )
    shapes = {
        "x": (1, 1, *[3] * len(names)), "w": (1, 1, *[2] * len(names)),
        "grad_output": (1, 1, *[2] * len(names)), "input": (1, 2), "target": (1, 2),
        "f": (3,), "g": (2,), "grad_grad_b": (1,),
        "grad_grad_x": (1, 1, *[3] * len(names)), "grad_grad_w": (1, 1, *[2] * len(names)),
    }  # fmt: skip
    inputs = {
        name: np.ones(shapes[name], case.dtype) for name in ARRAYS[found.family] if name in shapes
    }
    outcome = perform(callee, case, inputs, repeat=2, was_interrupted=was_interrupted)
    return Trial(case=case, inputs=inputs, outcome=outcome)


def _packages(function: Callable[..., Any]) -> set[str]:
    """Returns the top-level packages that the function's code, module or class name."""
    found = {str(getattr(function, "__module__", None) or "").partition(".")[0]}
    found |= {kind.__module__.partition(".")[0] for kind in type(function).__mro__}
    inner = inspect.unwrap(getattr(function, "__func__", function))
    code = getattr(inner, "__code__", None)
    if code is None:
        # A callable object: what counts is its class's method; a module's is `forward`.
        methods = vars(type(function))
        inner = methods.get("forward") or methods.get("__call__")
        code = getattr(inner, "__code__", None)
    if code is None:
        return found
    names = set(_names(code))
    scope = {**getattr(inner, "__globals__", {}), **_closure(inner)}
    names |= set(code.co_freevars)
    for name, value in scope.items():
        if isinstance(value, ModuleType):
            found.add(value.__name__.partition(".")[0])
        elif name in names:
            found.add(str(getattr(value, "__module__", "")).partition(".")[0])
    return found | {name for name in names if name in ("torch", "numpy", "scipy")}


def _closure(function: Any) -> dict[str, Any]:
    """Returns what a nested function takes from around it, by name."""
    cells = getattr(function, "__closure__", None) or ()
    return dict(zip(function.__code__.co_freevars, (_content(cell) for cell in cells), strict=True))


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _annotations(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return []
    return [str(parameter.annotation) for parameter in parameters]
