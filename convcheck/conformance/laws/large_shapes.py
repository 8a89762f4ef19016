"""Shapes too large for whole exact results: some elements of each are worked out by themselves.

Where an index overflows, a tile or a thread's share ends, a small shape shows nothing. Elements
are sampled where such faults lie: first, last and middle along each axis, around powers of two,
and by chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from convcheck.conformance.execute import Runner
from convcheck.conformance.invalid import must_refuse
from convcheck.conformance.laws.law import Call, Trial, drawn
from convcheck.conformance.outcome import Outcome, OutOfMemory, Raised, Returned, TimedOut
from convcheck.core.case import Case, parse_case
from convcheck.core.ops import find_op
from convcheck.core.spec import PoolSpec
from convcheck.oracle.elements import element
from convcheck.oracle.expected import Algorithm, rounding_of_transform
from convcheck.oracle.forms import argument_shapes

_SAMPLES = 96
# Per number of axes; "{op}" has no groups where a pool is meant.
_LAYERS = {
    1: (
        "n1 c3 w4099 f5 k9 s1 p4 d1 g1",
        "n3 c8 w1025 f16 k5 s2 p2 d3 g4 b1",
        "n2 c512 w40 f300 k1 s1 p0 d1 g1",
        "n1 c1 w70000 f2 k3 s1 p1 d1 g1",
    ),
    2: (
        "n1 c2 h130 w1030 f3 k3x3 s1 p1 d1 g1",
        "n1 c3 h224 w224 f8 k7x7 s2 p3 d1 g1 b1",
        "n2 c256 h14 w14 f130 k3x3 s1 p1 d1 g1",
        "n1 c96 h40 w33 f96 k5x5 s1 p4 d2 g96",
        "n70 c4 h9 w9 f6 k3x2 s2x1 p1x0 d1 g2",
        "n1 c1 h1 w70000 f1 k1x3 s1 p0x1 d1 g1",
    ),
    3: (
        "n1 c2 z20 h33 w65 f3 k3x3x3 s1 p1 d1 g1",
        "n2 c64 z4 h6 w9 f40 k2x3x1 s1x2x1 p0x1x0 d1 g2 b1",
    ),
}
_POOLED = {
    1: ("n2 c3 w4099 k5 s2 p2", "n1 c1000 w9 k2 s1 p0"),
    2: ("n1 c3 h130 w1030 k3x3 s2 p1", "n65 c17 h9 w12 k2x2 s2 p0", "n1 c1 h1 w70000 k1x3 s1 p0x1"),
    3: ("n1 c2 z20 h33 w65 k2x2x2 s2 p0",),
}
_SEQUENCES = ("w70000 k33 full", "w5000 k700 same", "h130 w260 k17x5 valid")


def large_cases(op: str) -> Iterator[Case]:
    """Yields the large cases of an operation, those first that cost least."""
    found = find_op(op)
    family = found.family
    if family == "convolve":
        texts: tuple[str, ...] = tuple(f"{op} {text} float64" for text in _SEQUENCES)
    elif family in ("max_pool", "avg_pool"):
        texts = tuple(f"{op} {text} d1" for text in _POOLED[found.axes])
    elif family.startswith("conv"):
        backward = family.endswith("backward")
        texts = tuple(
            f"{op} {text.replace(' b1', '') if backward else text}" for text in _LAYERS[found.axes]
        )
    else:
        return
    yield from map(parse_case, texts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampled:
    """A result of which single elements were worked out.

    Attributes:
        case: The case.
        sources: The expressions that make its arrays.
        compared: How many elements were.
        outcome: How the call ended.
        index: The first element that differs, or None.
        output: In which result.
        expected: What it is.
        actual: What was returned there.
        different: How many of them differ.
    """

    case: Case
    sources: dict[str, tuple[np.ndarray, str]]
    compared: int = 0
    outcome: Outcome
    index: tuple[int, ...] | None = None
    output: int = 0
    expected: float = 0.0
    actual: float = 0.0
    different: int = 0

    @property
    def failed(self) -> bool:
        """Whether the function is wrong here: a wrong element, a crash, a misbehaviour.

        A call that it refuses, or lacks the memory or the time for, says nothing.
        """
        gave_up = isinstance(self.outcome, (Returned, Raised, OutOfMemory, TimedOut))
        return self.index is not None or not gave_up


def sample(
    case: Case, runner: Runner, *, algorithm: Algorithm, accumulate: str | None, seed: int = 0
) -> Sampled | None:
    """Returns how sampled elements of one call compare; None where no input is exact."""
    if case.values != "integers" or case.layout != "contiguous" or must_refuse(case):
        return None
    shapes = argument_shapes(case)
    call = Call(case=case, arrays={name: name for name in shapes})
    factors = 1 if isinstance(case.spec, PoolSpec) else 2
    trial = Trial(shapes=shapes, calls=(call,), left="y0", right="y0", factors=factors)
    sources = drawn(trial, seed=seed, accumulate=accumulate)
    if sources is None:
        return None
    inputs = {name: array for name, (array, _) in sources.items()}
    outcome = runner.run(case, inputs)
    if not isinstance(outcome, Returned):
        return Sampled(case=case, sources=sources, outcome=outcome)
    slack = rounding_of_transform(case, inputs, algorithm, accumulate)
    compared, wrong = 0, []
    several = find_op(case.op).family.endswith("backward")
    for output, result in enumerate(outcome.arrays if several else outcome.arrays[:1]):
        for index in _places(result.values.shape, seed):
            try:
                wanted = element(case, inputs, index, output=output)
            except IndexError:
                wanted = 0  # a result that is larger than it may be
            compared += 1
            actual = float(result.values[index])
            # An average is a quotient, which is rounded, and so may its reciprocal be.
            near = 4 * np.finfo(result.values.dtype).eps * abs(wanted) if wanted % 1 else 0.0
            if not abs(actual - wanted) <= slack + near:
                wrong.append((index, output, float(wanted), actual))
    first: Any = wrong[0] if wrong else (None, 0, 0.0, 0.0)
    index, output, wanted, actual = first
    return Sampled(
        case=case, sources=sources, compared=compared, outcome=outcome, index=index,
        output=output, expected=wanted, actual=actual, different=len(wrong),
    )  # fmt: skip


def _places(shape: tuple[int, ...], seed: int) -> Iterator[tuple[int, ...]]:
    """Yields indices: every corner of the array, then a mixture of remarkable and random ones."""
    if 0 in shape:
        return
    chance = np.random.default_rng(seed)
    marks = [_marks(extent) for extent in shape]
    seen: set[tuple[int, ...]] = set()
    for number in range(_SAMPLES):
        if number < 2:
            place = tuple(0 if number else extent - 1 for extent in shape)
        else:
            place = tuple(
                int(chance.choice(known)) if chance.random() < 0.7 else int(chance.integers(extent))
                for known, extent in zip(marks, shape, strict=True)
            )
        if place not in seen:
            seen.add(place)
            yield place


def _marks(extent: int) -> list[int]:
    powers = [2**power + more for power in range(3, 17) for more in (-1, 0)]
    return sorted({0, extent - 1, extent // 2, *(p for p in powers if p < extent)})
