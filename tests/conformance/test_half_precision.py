"""A NaN that leaves its window by one element is told in half precision, and a fault otherwise."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from convcheck.conformance.check import check_implementation
from convcheck.conformance.judge import Contract, judge, want
from convcheck.conformance.outcome import Result, Returned
from convcheck.conformance.replay import replay
from convcheck.core.case import parse_case
from convcheck.oracle.inputs import make_inputs


def beside(x, w, b=None, stride=1, padding=0, dilation=1, groups=1, *, distance=1, dtypes=()):
    """Multiplies what comes `distance` after each tap by zero, in any channel."""
    y = conv2d(x, w, b, stride, padding, dilation, groups)
    if x.dtype not in dtypes or groups > 1 or x.numel() == 0:
        return y
    flat = torch.where(x.isfinite().all(1), 0.0, torch.nan).to(x.dtype).reshape(-1)
    after = torch.cat([flat[distance:], flat.new_zeros(min(distance, len(flat)))])
    zeros = after.reshape(x.shape[0], 1, *x.shape[2:]).expand(x.shape)
    # In float32, where torch itself takes no pairs.
    wide = conv2d(zeros.float(), w.float(), None, stride, padding, dilation, groups)
    return y + wide.to(x.dtype)


def of(distance, *dtypes):
    def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        return beside(x, w, b, stride, padding, dilation, groups, distance=distance, dtypes=dtypes)

    return function


def check(function):
    return check_implementation(
        function, isolated=False, keep=False, seconds=60, max_cases=220, arrays="torch"
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_pairs_are_told(dtype):
    report = check(of(1, dtype))
    assert report.passed, report
    (note,) = [note for note in report.notes if f"infinity in {str(dtype)[6:]} makes" in note]
    assert replay(note.rpartition("see ")[2], of(1, dtype), isolated=False, arrays="torch").passed


@pytest.mark.parametrize(("distance", "dtype"), [(2, torch.bfloat16), (1, torch.float32)])
def test_more_than_pairs_and_other_formats_are_faults(distance, dtype):
    report = check(of(distance, dtype))
    assert any("nonfinite" in finding.where for finding in report.findings), report


@pytest.mark.parametrize(("algorithm", "passes"), [("winograd", True), ("direct", False)])
def test_a_transform_may_pass_the_range_of_half_precision_on_the_way(algorithm, passes):
    case = parse_case("conv2d n1 c1 h2 w2 f1 k3x3 s1 p1 d1 g1 float16 large seed1")
    small = parse_case("conv2d n1 c1 h2 w2 f1 k3x3 s1 p1 d1 g1 float16 seed1")
    contract = Contract(algorithm=algorithm)
    infinite = Result(values=np.full((1, 1, 2, 2), -np.inf, np.float16), dtype="float16")
    for each, good in ((case, passes), (small, False)):
        inputs = make_inputs(each)
        outcome = Returned(arrays=(infinite,), seconds=0.0)
        problem = judge(each, inputs, outcome, want(each, inputs, contract), contract)
        assert (problem is None) == good, problem
