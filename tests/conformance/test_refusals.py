"""What a function need not take is told and left out; what it is for can be said."""

import sys
import textwrap

import pytest
import torch
from torch.nn.functional import conv2d, cross_entropy

import convcheck
from convcheck.conformance.check import check_implementation
from convcheck.core.errors import UsageError


def check(function, op="conv2d", **options):
    options = {"max_cases": 450, "strength": 2, "seconds": 60} | options
    return check_implementation(function, op, isolated=False, keep=False, arrays="torch", **options)


def no_empty_batch(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if len(x) == 0:
        raise ValueError("an empty batch")
    return conv2d(x, w, b, stride, padding, dilation, groups)


def some_empty_batches(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if len(x) == 0 and padding not in (0, (0, 0)):
        raise ValueError("an empty batch")
    return conv2d(x, w, b, stride, padding, dilation, groups)


def no_probabilities(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    if target.is_floating_point():
        raise TypeError("class indices only")
    return cross_entropy(
        input, target, weight, reduction=reduction, label_smoothing=label_smoothing
    )


def singles_only(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Right for float32 and bfloat16; for others, off by one."""
    y = conv2d(x, w, b, stride, padding, dilation, groups)
    return y if x.dtype in (torch.float32, torch.bfloat16) else y + 1


def test_an_empty_batch_may_be_refused_but_not_now_and_then():
    report = check(no_empty_batch)
    assert report.passed and "an empty batch" in report.coverage.unsupported, report
    assert not check(some_empty_batches).passed


def test_probabilities_may_be_refused():
    report = check(no_probabilities, "cross_entropy")
    assert report.passed and "probabilities" in report.coverage.unsupported, report


def test_a_function_is_tried_with_the_dtypes_that_it_is_for():
    assert not check(singles_only).passed
    for dtypes in (["float32", "bfloat16"], ["bfloat16"]):
        report = check(singles_only, dtypes=dtypes)
        assert report.passed and report.coverage.share == 1.0, report
    assert not check(singles_only, dtypes=["float64"]).passed


@pytest.mark.parametrize("dtypes", [["float23"], ["float32", "complex64"]])
def test_an_unknown_dtype_is_a_usage_error(dtypes):
    with pytest.raises(UsageError, match="dtype") as caught:
        check(singles_only, dtypes=dtypes)
    assert "float32" in str(caught.value)


SOURCE = textwrap.dedent(
    """
    import torch
    from torch.nn.functional import conv2d

    def right(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        return conv2d(x, w, b, stride, padding, dilation, groups)

    def unwritten(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        y = right(x, w, b, stride, padding, dilation, groups)
        result = torch.empty_like(y)
        tail = y.shape[-1] % 4 if y.shape[-1] > 4 else 0
        result[..., : y.shape[-1] - tail] = y[..., : y.shape[-1] - tail]
        return result
    """
)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is filled by glibc")
def test_the_script_for_unwritten_memory_fills_it(tmp_path, shows):
    path = tmp_path / "kernels.py"
    path.write_text(SOURCE)
    report = convcheck.check_implementation(f"{path}:unwritten", isolated=False, keep=False)
    finding = report.findings[0]
    assert "memory that it did not write" in finding.diagnosis, finding
    script = finding.reproduce()
    assert "MALLOC_PERTURB_" in script and len(script.splitlines()) <= 15
    shows(script, "unwritten", "right")
