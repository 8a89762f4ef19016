"""What is wrong with an outcome: `judge` compares it with what the contract asks.

A call that must be refused has to raise; any other has to return the expected arrays. Features
that a function may well not take (a dtype, padding given as text) are refused honestly: see
`optional_features`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from convcheck.conformance.outcome import (
    RETURNED_INPUT,
    Crashed,
    Misbehaved,
    Outcome,
    OutOfMemory,
    Raised,
    Result,
    Returned,
    TimedOut,
)
from convcheck.core.case import Case
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec
from convcheck.core.verdict import Verdict
from convcheck.oracle.compare import Comparison, compare
from convcheck.oracle.expected import (
    Algorithm,
    Expected,
    ExpectedArray,
    Refusal,
    expected,
    expected_indices,
)
from convcheck.oracle.formats import find_format

ProblemKind = Literal[
    "value", "shape", "dtype", "device", "count", "type", "refused", "accepted",
    "crashed", "timed_out", "out_of_memory", "misbehaved",
]  # fmt: skip

HALVES = ("float16", "bfloat16")
_IGNORED = ("ignored", "all_ignored")
# Raised by a call that was interrupted, not refused.
_NO_REFUSAL = ("SystemExit", "KeyboardInterrupt", "GeneratorExit", "MemoryError", "RecursionError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """How results are held to the exact ones.

    Attributes:
        accumulate: Dtype in which sums are said to be kept; that of the case where None.
        algorithm: "direct" is held to bits wherever sums are exact; "winograd" and "fft" transform
            and round, and are held to their bound.
        fills_pairs: Whether half precision may be computed in pairs, an odd channel filled up with
            a zero that multiplies the element after the window.
        keeps_integers: Whether the function gave integers for integers before: who convolves by a
            transform may give float64 for all.
        gives_grad_b: Whether a backward function gave the gradient of the bias before: what is
            None in every call is not offered, what is None in some is missing.
    """

    accumulate: str | None = None
    algorithm: Algorithm = "direct"
    fills_pairs: bool = True
    keeps_integers: bool = False
    gives_grad_b: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one outcome.

    Attributes:
        kind: Which rule it breaks.
        reason: What was found, in one sentence.
        output: Which of the results is wrong, by its place.
        comparison: Where results were compared, how.
        detail: What sets it apart from others of its kind: an exception's type, a misbehaviour.
    """

    kind: ProblemKind
    reason: str
    output: int = 0
    comparison: Comparison | None = None
    detail: str = ""

    def is_like(self, other: Problem | None) -> bool:
        """Whether another problem is of the same sort, so that one may stand for the other."""
        return other is not None and (self.kind, self.detail) == (other.kind, other.detail)


def want(case: Case, inputs: Mapping[str, np.ndarray], contract: Contract) -> Expected | Refusal:
    """Returns what the contract asks of a case."""
    return expected(case, inputs, accumulate=contract.accumulate, algorithm=contract.algorithm)


def judge(
    case: Case,
    inputs: Mapping[str, np.ndarray],
    outcome: Outcome,
    wanted: Expected | Refusal,
    contract: Contract,
) -> Problem | None:
    """Returns what is wrong with an outcome, or None."""
    if isinstance(outcome, Crashed):
        return Problem(kind="crashed", reason=str(outcome), detail=outcome.signal_or_status)
    if isinstance(outcome, TimedOut):
        return Problem(kind="timed_out", reason=str(outcome))
    if isinstance(outcome, OutOfMemory):
        return Problem(kind="out_of_memory", reason=str(outcome))
    if isinstance(outcome, Misbehaved):
        return Problem(kind="misbehaved", reason=str(outcome), detail=outcome.reason)
    if isinstance(outcome, Raised):
        if isinstance(wanted, Refusal) and outcome.type_name not in _NO_REFUSAL:
            return None
        return Problem(kind="refused", reason=str(outcome), detail=outcome.type_name)
    if isinstance(wanted, Refusal):
        return _accepted(case, outcome, wanted)
    problem = _compared(case, inputs, outcome, wanted, contract)
    # A result would change with its argument later. A gradient of a gradient may well be one, and
    # a maximum over windows of one element a view.
    owns = isinstance(case.spec, (ConvSpec, SequenceSpec)) and "double" not in case.op
    if problem is None and outcome.shares and owns:
        reason = f"{RETURNED_INPUT} ({outcome.shares})"
        return Problem(kind="misbehaved", reason=reason, detail=RETURNED_INPUT)
    return problem


def gives_integers(case: Case, outcome: Outcome) -> bool:
    """Whether two sequences were convolved to integers that share an axis longer than 1.

    Along others a convolution is a product, which libraries may take a shorter way to.
    """
    spec = case.spec
    if not isinstance(spec, SequenceSpec):
        return False
    if all(min(sizes) < 2 for sizes in zip(case.spatial, spec.kernel_size, strict=True)):
        return False
    return isinstance(outcome, Returned) and outcome.arrays[0].values.dtype.kind == "i"


def optional_features(case: Case) -> tuple[str, ...]:
    """Returns the features of a case that a function may refuse, if it refuses them always."""
    found = []
    if case.batch == 0:
        found.append("an empty batch")
    if case.dtype not in ("float32", "float64"):
        found.append(f"dtype {case.dtype}")
    if isinstance(case.spec, ConvSpec) and isinstance(case.spec.padding, str):
        found.append(f'padding="{case.spec.padding}"')
    if isinstance(case.spec, SequenceSpec) and case.spec.axes > 1:
        found.append(f"{case.spec.axes} axes")
    if isinstance(case.spec, LossSpec):
        if case.spec.weighted:
            found.append("weight")
        if case.op == "cross_entropy" and case.spec.target == "probabilities":
            found.append("probabilities")
        if case.spec.ignore_index is not None:
            found.append("ignore_index")
        elif case.spec.target in _IGNORED:
            found.append("ignored targets")
    return tuple(found)


def without(case: Case, feature: str) -> Case:
    """Returns the case without that optional feature."""
    if feature == "an empty batch":
        return replace(case, batch=1)
    if feature.startswith("dtype"):
        return replace(case, dtype="float32")
    if isinstance(case.spec, ConvSpec) and feature.startswith("padding"):
        return replace(case, spec=replace(case.spec, padding=case.spec.padding_pairs()))
    if isinstance(case.spec, LossSpec) and feature == "probabilities":
        return replace(case, spec=replace(case.spec, target="index"))
    if isinstance(case.spec, LossSpec) and feature == "weight":
        return replace(case, spec=replace(case.spec, weighted=False))
    if isinstance(case.spec, LossSpec) and feature in ("ignore_index", "ignored targets"):
        target = "index" if case.spec.target in _IGNORED else case.spec.target
        return replace(case, spec=replace(case.spec, ignore_index=None, target=target))
    return case


def _accepted(case: Case, outcome: Returned, wanted: Refusal) -> Problem | None:
    values = [array.values for array in outcome.arrays]
    if case.op == "output_size" and values and values[0].size == 1 and values[0].item() < 1:
        # A formula may well say "no window fits" by a size below one.
        return None
    return Problem(
        kind="accepted",
        reason=f"{outcome}, but must refuse the call: {wanted.reason.what}",
        detail=wanted.reason.what.split(" ")[0],
    )


def _compared(
    case: Case,
    inputs: Mapping[str, np.ndarray],
    outcome: Returned,
    wanted: Expected,
    contract: Contract,
) -> Problem | None:
    asked = list(wanted.outputs)
    if isinstance(case.spec, PoolSpec) and case.spec.kind == "max" and len(outcome.arrays) == 2:
        indices = expected_indices(case, inputs)
        assert isinstance(indices, ExpectedArray)
        asked.append(indices)
    if len(asked) == len(outcome.arrays) + 1 and asked[-1].name == "grad_b":
        if contract.gives_grad_b:
            reason = "grad_b is None, which it was not in another call"
            return Problem(kind="count", reason=reason, output=len(asked) - 1)
        asked.pop()
    if len(asked) != len(outcome.arrays):
        reason = f"{outcome}: {len(outcome.arrays)} arrays where {len(asked)} were expected"
        return Problem(kind="count", reason=reason)
    for place, (array, result) in enumerate(zip(asked, outcome.arrays, strict=True)):
        problem = _one(case, inputs, array, result, place, contract)
        if problem:
            return problem
    return None


def _one(
    case: Case,
    inputs: Mapping[str, np.ndarray],
    wanted: ExpectedArray,
    result: Result,
    place: int,
    contract: Contract,
) -> Problem | None:
    name = f"{wanted.name}: " if wanted.name != "output" else ""
    if result.device != "cpu":
        return Problem(
            kind="device", reason=f"{name}the result is on {result.device}", output=place
        )
    values, dtype = result.values, result.dtype
    if case.op == "output_size" and values.dtype.kind in "iu":
        values, dtype = values.astype(np.int64), "int64"
    is_sequence = isinstance(case.spec, SequenceSpec)
    if is_sequence and not find_format(case.dtype).is_float and dtype == "float64":
        if contract.keeps_integers:
            reason = f"{name}dtype float64 where {case.dtype} was expected, and given before"
            return Problem(kind="dtype", reason=reason, output=place)
        # scipy's transforms answer integers in float64; the values are then held to that.
        real = {key: array.astype(np.float64) for key, array in inputs.items()}
        as_float = want(replace(case, dtype="float64"), real, contract)
        assert isinstance(as_float, Expected)
        wanted = as_float.outputs[0]
    found = compare(wanted, values, dtype)
    if found.kind == "nonfinite":
        everywhere = contract.algorithm != "direct" or case.op.endswith("backward")
        in_pairs = contract.fills_pairs and case.dtype in HALVES
        lenient = forgiving(case, inputs, wanted, values, everywhere, in_pairs=in_pairs)
        if contract.algorithm != "direct":
            lenient = _overflowing(lenient, values, case.dtype)
        found = compare(lenient, values, dtype)
    if found.verdict is not Verdict.FAIL:
        return None
    kind: ProblemKind
    if found.kind in ("type", "shape", "dtype"):
        kind = found.kind  # type: ignore[assignment]
    else:
        kind = "value"
    return Problem(kind=kind, reason=name + found.reason, output=place, comparison=found)


def forgiving(
    case: Case,
    inputs: Mapping[str, np.ndarray],
    wanted: ExpectedArray,
    values: np.ndarray,
    everywhere: bool,
    *,
    in_pairs: bool = False,
) -> ExpectedArray:
    """Returns what is wanted, with no judgement where a NaN may be owed to a factor of zero.

    A kernel stuffed with zeros for its dilation, or a dense matrix for its groups, multiplies
    elements by zero that the sum leaves out, and 0 * NaN is NaN. So a NaN too many is forgiven
    where the window's whole extent, over all channels, holds a NaN or infinity; one too few never.
    A transform may spread it further, and so may a gradient, which meets the zeros of the padding
    (`everywhere`); and by one element, in memory of channels that come last, who takes channels
    `in_pairs`.
    """
    too_many = np.isnan(values) & ~np.isnan(wanted.values)
    if everywhere:
        too_many |= ~np.isfinite(values) & ~np.isfinite(wanted.values)
    if all(np.isfinite(array).all() for array in inputs.values()):
        return wanted
    if not everywhere:
        reached = _reached(case, inputs, in_pairs)
        if reached is None:
            return wanted
        too_many &= np.broadcast_to(reached, too_many.shape)
    return replace(wanted, bound=np.where(too_many, np.inf, wanted.bound))


def _overflowing(wanted: ExpectedArray, values: np.ndarray, dtype: str) -> ExpectedArray:
    """Returns what is wanted, with no judgement where a transform on the way may pass the range."""
    reach = np.abs(np.where(np.isfinite(wanted.values), wanted.values, 0)) + wanted.bound
    over = ~np.isfinite(values) & (reach > find_format(dtype).largest)
    return replace(wanted, bound=np.where(over, np.inf, wanted.bound))


def _reached(case: Case, inputs: Mapping[str, np.ndarray], in_pairs: bool) -> np.ndarray | None:
    spec = case.spec
    if isinstance(spec, SequenceSpec):
        # Either sequence may slide over the other with zeros around it: every sum meets it.
        return np.array(True)
    if not isinstance(spec, ConvSpec) or "grad_output" in inputs or "x" not in inputs:
        return None
    if not np.isfinite(inputs["w"]).all():
        # An infinite weight meets the zeros of the padding, and those that data are stuffed with.
        return np.array(True)
    special = (~np.isfinite(inputs["x"])).any(axis=1, keepdims=True).astype(np.float32)
    if in_pairs and special.size:
        flat = special.ravel()
        special = np.maximum(flat, np.append(flat[1:], 0)).reshape(special.shape)
    spans = tuple(map(effective_kernel, spec.kernel_size, spec.dilation))
    dense = replace(
        spec, kernel_size=spans, dilation=(1,) * spec.axes, groups=1, in_channels=1,
        out_channels=1, bias=False,
        # What a dilation allows is more than what the dense kernel may be given.
        padding=spec.padding_pairs(),
    )  # fmt: skip
    whole = replace(case, spec=dense, dtype="float32", values="integers")
    found = expected(whole, {"x": special, "w": np.ones((1, 1, *spans), np.float32)})
    return found.outputs[0].values > 0 if isinstance(found, Expected) else None
