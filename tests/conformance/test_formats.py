"""Integers, half precision, overflow, the first call: what only one sort of data shows."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from convcheck.conformance.check import check_implementation
from convcheck.conformance.replay import replay
from convcheck.core.case import parse_case
from convcheck.core.verdict import Verdict
from convcheck.oracle.expected import expected
from convcheck.oracle.inputs import make_inputs

LAYER = "conv2d n1 c3 h4 w5 f2 k2x3 s1 p0 d1 g1"


def check(function, op="conv2d", **options):
    return check_implementation(
        function, op, isolated=False, keep=False, arrays="torch", seconds=60, **options
    )


def conv(change_input=lambda x: x, change_result=lambda y: y):
    def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        y = conv2d(change_input(x), w, b, stride, padding, dilation, groups)
        return change_result(y)

    return function


def through(dtype, *only):
    """Sends an array of one of some dtypes through another one."""
    return lambda a: a.to(dtype).to(a.dtype) if a.dtype in only else a


def saturated(y):
    largest = torch.finfo(y.dtype).max
    return y.clamp(-largest, largest) if y.dtype == torch.float16 else y


SMALL = {"max_cases": 480, "strength": 2}


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (conv(change_input=lambda x: x.abs() if x.dtype == torch.int64 else x), "dtype is int64"),
        (conv(change_input=through(torch.bfloat16, torch.float16)), "rounds its input to bfloat16"),
        (conv(change_result=saturated), "when dtype is float16"),
    ],
)
def test_a_format_that_is_too_narrow_is_found(function, says):
    report = check(function, **SMALL)
    assert any(says in finding.diagnosis for finding in report.findings), report


def test_integers_may_be_refused_everywhere_or_in_some_layers():
    def refuses(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        if x.dtype == torch.int64 and (dilation not in (1, (1, 1)) or groups > 1):
            raise NotImplementedError("no integers here")
        return conv2d(x, w, b, stride, padding, dilation, groups)

    report = check(refuses, **SMALL)
    assert report.passed, report
    assert "dtype int64" in report.coverage.unsupported
    assert report.coverage.share == 1.0


@pytest.mark.parametrize(
    ("dtype", "verdict"),
    [(torch.int64, Verdict.PASS), (torch.float64, Verdict.FAIL), (torch.float32, Verdict.FAIL)],
)
def test_integers_are_answered_by_integers(dtype, verdict):
    function = conv(change_result=lambda y: y.to(dtype))
    assert replay(f"{LAYER} int64", function, isolated=False).verdict is verdict


@pytest.mark.parametrize(("wide", "passes"), [(torch.float64, True), (torch.float32, False)])
def test_integers_of_a_layer_are_held_to_what_double_counts(wide, passes):
    def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        if x.dtype != torch.int64:
            return conv2d(x, w, b, stride, padding, dilation, groups)
        x, w, b = (value if value is None else value.to(wide) for value in (x, w, b))
        return conv2d(x, w, b, stride, padding, dilation, groups).to(torch.int64)

    assert check(function, strength=2, max_cases=500).passed == passes


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_sum_that_must_overflow_is_infinite(dtype):
    case = parse_case(f"{LAYER} b1 {dtype} huge")
    array = expected(case, make_inputs(case)).outputs[0]
    assert np.isposinf(array.values).all() and not array.bound.any()


def test_half_precision_data_have_every_bit_and_exact_sums():
    for op, tail in (("conv2d", ""), ("conv_transpose2d", " op0")):
        case = parse_case(f"{op} n2 c4 h4 w5 f6 k2x3 s2 p1 d1 g2{tail} b1 float16 large")
        inputs = make_inputs(case)
        significand, _ = np.frexp(inputs["x"].astype(float))
        assert ((significand * 2**11) % 2).any(), "the last bit of the significand is never set"
        array = expected(case, inputs).outputs[0]
        assert array.exact and array.values.any()


def two(value):
    return value if isinstance(value, tuple) else (value, value)


def tap_by_tap(*, wide):
    """A convolution whose sums are kept in its own dtype, or at least in float32."""

    def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        y = conv2d(x, w, b, stride, padding, dilation, groups)
        if isinstance(padding, str) or not x.is_floating_point():
            return y
        half = x.dtype in (torch.float16, torch.bfloat16)
        kept = torch.float32 if wide and half else x.dtype
        (s, t), (p, q), (d, e) = two(stride), two(padding), two(dilation)
        x = torch.nn.functional.pad(x, (q, q, p, p)).to(kept)
        total = torch.zeros(y.shape, dtype=kept)
        filters = len(w) // groups
        for f, c, i, j in np.ndindex(*w.shape):
            channel = f // filters * w.shape[1] + c
            part = x[:, channel, i * d :, j * e :][:, ::s, ::t]
            total[:, f] += part[:, : y.shape[2], : y.shape[3]] * w[f, c, i, j].to(kept)
        return (total if b is None else total + b.to(kept)[:, None, None]).to(y.dtype)

    return function


def test_half_precision_sums_in_half_precision_are_told_and_are_a_fault_where_asked():
    narrow, wide = tap_by_tap(wide=False), tap_by_tap(wide=True)
    told = "sums of float16 are rounded to float16 on the way"
    report = check(narrow, max_cases=320)
    assert report.passed and any(note.startswith(told) for note in report.notes), report
    assert not any("sums of" in note for note in check(wide, max_cases=320).notes)
    held = check(narrow, max_cases=320, accumulate="float32")
    assert any(finding.case.dtype == "float16" for finding in held.findings), held
    assert check(wide, max_cases=320, accumulate="float32").passed


@dataclass
class Calls:
    number: int = 0
    wrong: frozenset[int] = field(default_factory=frozenset)

    def __call__(self, x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        self.number += 1
        b = None if self.number in self.wrong else b
        return conv2d(x, w, b, stride, padding, dilation, groups)


def test_the_first_call_of_all_has_every_argument():
    assert not check(Calls(wrong=frozenset({1})), max_cases=5).passed
    assert check(Calls(), max_cases=5).passed


def backward(grad_b):
    def function(grad_output, x, w, stride, padding, dilation, groups):
        x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
        y = conv2d(x, w, None, stride, padding, dilation, groups)
        given = torch.autograd.grad(y, (x, w), grad_output)
        return (*given, grad_b(grad_output))

    return function


def test_a_gradient_of_the_bias_is_offered_always_or_never():
    def at_times(y):
        return None if y.shape[1] == 1 else y.sum((0, 2, 3))

    assert check(backward(lambda y: None), "conv2d_backward", max_cases=60).passed
    report = check(backward(at_times), "conv2d_backward", max_cases=60)
    assert "grad_b is None" in report.findings[0].what
