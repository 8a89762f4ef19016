"""Detection power: a run says which known faults its own cases would have shown."""

import json

import numpy as np
import pytest
import torch

from convcheck.conformance import power
from convcheck.conformance.bench import inputs_of
from convcheck.conformance.check import check_implementation
from convcheck.conformance.corners import corners
from convcheck.conformance.invalid import invalid_cases
from convcheck.conformance.judge import Contract, want
from convcheck.conformance.power import Question, first_seen
from convcheck.conformance.variants.catalogue import catalogue
from convcheck.conformance.variants.variant import Variant, correct, on_result
from convcheck.core.case import parse_case
from convcheck.core.ops import find_op
from convcheck.core.verdict import Verdict

SMALL = parse_case("conv2d n1 c2 h4 w5 f3 k2x3 s1 p0 d1 g1")
IDENTITY = Variant(says="does nothing wrong", results=correct)


def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)


def flipped(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return conv(x, w.flip(-1), b, stride, padding, dilation, groups)


def check(function=conv, **options):
    return check_implementation(
        function, "conv2d", isolated=False, keep=False, arrays="torch", **options
    )


def question(case, contract):
    inputs = inputs_of(case)
    return Question(case=case, inputs=inputs, wanted=want(case, inputs, contract))


def seen(fault, *cases, contract=None):
    contract = contract or Contract()
    asked = enumerate([question(case, contract) for case in cases], 1)
    return first_seen((fault,), asked, contract)


def named(op, says):
    return next(fault for fault in catalogue(op) if fault.says == says)


def test_three_cases_would_miss_most_faults_and_say_which():
    report = check(max_cases=3, seconds=60)
    assert report.verdict is Verdict.PASS
    assert 0 < report.power.killed < report.power.total / 2
    assert "ignores the stride" in report.power.survivors
    assert report.power.total == report.power.killed + len(report.power.survivors) > 200
    assert "would have seen" in str(report) and " more; no case" in str(report)


def test_the_corners_would_show_nearly_every_fault_that_the_plan_can_show():
    op = find_op("conv2d")
    report = check(max_cases=len(corners(op)) + len(invalid_cases(op)) + 2, seconds=60)
    told = report.power
    assert told.killed >= 0.99 * told.total and told.total > 200, told
    assert 1 <= told.middle_case < 20
    # Faults of what the operation does not have are told apart, and counted.
    assert "ignores the output_padding" in told.silent and len(told.silent) < told.total / 10
    assert f"{told.killed} of {told.total}" in str(report)
    assert f"shows {len(told.silent)} others" in str(report)
    assert json.loads(json.dumps(report.to_json()))["power"]["silent"] == list(told.silent)


def test_a_fault_that_changes_nothing_survives(monkeypatch):
    assert seen(IDENTITY, SMALL) == {}
    monkeypatch.setattr(power, "catalogue", lambda op: (IDENTITY,))
    told = check(max_cases=3, seconds=60).power
    assert (told.killed, told.total, told.silent) == (0, 0, ("does nothing wrong",))


def test_no_power_is_stated_of_a_run_that_fails_or_compares_nothing():
    report = check(flipped, seconds=60)
    assert report.verdict is Verdict.FAIL and report.power is None
    assert "would have seen" not in str(report) and report.to_json()["power"] is None
    assert check(seconds=1e-9).power is None


def test_what_the_run_would_have_let_pass_is_not_seen():
    slightly = on_result("is a little too large", lambda y, *_: y * (1 + 2.0**-20))
    assert seen(slightly, SMALL) == {0: 1}
    assert seen(slightly, SMALL, contract=Contract(algorithm="fft")) == {}


def test_the_first_case_that_shows_it_is_told():
    fault = named("conv2d", "drops the bias")
    biased = parse_case("conv2d n1 c2 h4 w5 f3 k2x3 s1 p0 d1 g1 b1")
    assert seen(fault, SMALL, SMALL, biased, biased) == {0: 3}


@pytest.mark.parametrize("spoils", [False, True])
def test_another_call_that_is_fruitless_is_given_up_a_spoilt_result_is_not(spoils):
    tried = []

    def same(*given):
        tried.append(1)
        return given[0] if spoils else correct(*given)

    fault = Variant(says="", results=same, spoil=same if spoils else None)
    assert seen(fault, *[SMALL] * 70) == {}
    assert len(tried) == (70 if spoils else power._FRUITLESS)


@pytest.mark.parametrize(
    ("op", "says"),
    [
        ("conv2d", "rounds the size up along W"),
        ("conv2d", "adds the bias to the first 64 columns only"),
        ("conv2d", "adds the bias once per block of 64 input channels"),
        ("conv2d", "does not multiply the start of a tile of 32 outputs along H by the stride"),
        ("conv2d", "rounds the bias to float16"),
        ("conv2d", "exchanges filters and channels of the weights"),
        ("max_pool2d", "puts all padding before"),
        ("max_pool2d", "pads twice as much along H"),
        ("max_pool2d", "multiplies the padding by the dilation"),
        ("avg_pool2d", "puts all padding after along W"),
        ("convolve", "replaces NaN by 0 in f"),
    ],
)
def test_a_corner_shows_a_fault_that_only_chance_showed(op, says):
    assert seen(named(op, says), *corners(find_op(op)))


def test_a_result_of_another_shape_or_dtype_is_seen():
    fewer = on_result("leaves out a row", lambda y, *_: y[..., :-1, :])
    assert seen(fewer, SMALL) == {0: 1}
    whole = parse_case("output_size w5 k3 s1 p0 d1")
    halved = on_result("halves the size", lambda y, *_: np.asarray(y / 2))
    assert seen(halved, whole) == {0: 1}
