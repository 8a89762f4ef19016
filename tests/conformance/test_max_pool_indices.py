"""The indices of a maximum pooling: torch's convention, and each other one is found wrong."""

from itertools import product

import numpy as np
import pytest

from convcheck.conformance.bench import inputs_of
from convcheck.conformance.implementations import torch_max_pool2d_with_indices
from convcheck.conformance.judge import Contract, judge, want
from convcheck.conformance.outcome import Result, Returned
from convcheck.conformance.replay import replay
from convcheck.core.case import parse_case

CASES = (
    "max_pool2d n2 c2 h5 w6 k3x2 s2x1 p1x0 d1",
    "max_pool2d n1 c3 h7 w6 k2x3 s1 p1 d2x1 negative",
    "max_pool2d n1 c2 h6 w7 k3x2 s2x3 p1 d1 ceil",
    "max_pool2d n2 c2 h8 w9 k3x3 s1 p1 d1 nonfinite",
)  # fmt: skip
# What an index means, and which of equal elements wins; the first is torch's.
RULES = ("torch", "last tie", "padded plane", "within the window", "over all channels", "first NaN")


def pool(case, x, rule):
    spec, (rows, columns) = case.spec, want(case, {"x": x}, Contract()).outputs[0].shape[2:]
    y = np.zeros((*x.shape[:2], rows, columns), x.dtype)
    indices = np.zeros(y.shape, np.int64)
    (top, _), (left, _) = spec.padding
    height, width = x.shape[2:]
    for n, c, r, q in np.ndindex(y.shape):
        best, at = -np.inf, -1
        for i, j in product(*map(range, spec.kernel_size)):
            row = r * spec.stride[0] - top + i * spec.dilation[0]
            column = q * spec.stride[1] - left + j * spec.dilation[1]
            if not (0 <= row < height and 0 <= column < width):
                continue
            value = x[n, c, row, column]
            later = np.isnan(value) and not (rule == "first NaN" and np.isnan(best))
            wins = value > best or at < 0 or later or (rule == "last tie" and value == best)
            if not wins:
                continue
            best, at = value, row * width + column
            if rule == "padded plane":
                at = (row + top) * (width + 2 * left) + column + left
            elif rule == "within the window":
                at = i * spec.kernel_size[1] + j
            elif rule == "over all channels":
                at += c * height * width
        y[n, c, r, q], indices[n, c, r, q] = best, at
    return y, indices


def problem(text, rule):
    case = parse_case(text)
    inputs, contract = inputs_of(case), Contract()
    y, indices = pool(case, inputs["x"], rule)
    arrays = (Result(values=y, dtype=case.dtype), Result(values=indices, dtype="int64"))
    wanted = want(case, inputs, contract)
    return judge(case, inputs, Returned(arrays=arrays), wanted, contract)


@pytest.mark.parametrize("text", CASES)
def test_the_convention_is_torchs(text):
    assert problem(text, "torch") is None
    report = replay(text, torch_max_pool2d_with_indices, isolated=False)
    assert report.passed, report


@pytest.mark.parametrize("rule", RULES[1:5])
def test_another_convention_is_found(rule):
    found = [problem(text, rule) for text in CASES]
    assert any(p is not None and p.reason.startswith("indices:") for p in found)


def test_of_several_nan_the_last_wins():
    case = parse_case("max_pool2d n1 c1 h1 w4 k1x3 s1 p0 d1")
    x = np.array([[[[1, np.nan, np.nan, 0]]]], np.float32)
    assert pool(case, x, "torch")[1].tolist() == [[[[2, 2]]]]
    wanted = want(case, {"x": x}, Contract())

    def judged(rule):
        y, at = pool(case, x, rule)
        arrays = (Result(values=y, dtype="float32"), Result(values=at, dtype="int64"))
        return judge(case, {"x": x}, Returned(arrays=arrays), wanted, Contract())

    assert judged("torch") is None
    assert judged("first NaN").reason.startswith("indices:")
