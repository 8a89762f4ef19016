"""What is kept under a key that leaves out a parameter shows in calls that differ in it alone."""

import textwrap
from itertools import takewhile

import pytest

from convcheck.conformance import corners as tables
from convcheck.conformance.check import check_implementation
from convcheck.conformance.corners import corners
from convcheck.conformance.invalid import invalid_cases, must_refuse
from convcheck.conformance.siblings import PLAIN, siblings, with_another
from convcheck.core.ops import OPS
from convcheck.core.shapes import output_shape

SOURCE = textwrap.dedent(
    """
    import torch
    from torch.nn.functional import conv2d

    def two(value):
        return (value, value) if isinstance(value, int) else tuple(value)

    def keeping(left_out):
        plans = {}

        def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
            right = conv2d(x, w, b, stride, padding, dilation, groups)
            if isinstance(padding, str):
                return right
            plan = {"stride": two(stride), "padding": two(padding), "dilation": two(dilation)}
            named = [value for name, value in plan.items() if name != left_out]
            plan = plans.setdefault((x.shape, w.shape, right.shape, *named), plan)
            kept = conv2d(x, w, b, **plan, groups=groups)
            return kept if kept.shape == right.shape else right
        return function

    def odd_is_wrong(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        # Wrong at odd widths, whatever came before.
        y = conv2d(x, w, b, stride, padding, dilation, groups)
        return y + x.shape[3] % 2

    without_dilation, without_padding, whole = map(keeping, ("dilation", "padding", ""))

    sizes = {}

    def size(input_size, kernel_size, stride, padding, dilation):
        return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1

    def size_without_dilation(input_size, kernel_size, stride, padding, dilation):
        key = input_size, kernel_size, stride, padding
        return sizes.setdefault(key, size(*key, dilation))
    """
)


@pytest.fixture
def kernels(tmp_path):
    path = tmp_path / "kernels.py"
    path.write_text(SOURCE)
    return path


def check(kernels, name, **options):
    return check_implementation(
        f"{kernels}:{name}", isolated=False, keep=False, arrays="torch", seconds=60, **options
    )


def most():
    op = OPS["conv2d"]
    return len(corners(op)) + len(invalid_cases(op)) + 2


@pytest.mark.parametrize("name", ["dilation", "padding"])
def test_it_is_named_and_the_script_makes_the_call_that_comes_before(kernels, name, shows):
    finding = check(kernels, f"without_{name}").findings[0]
    assert f"kept of a call with another {name}" in finding.diagnosis, finding
    shows(finding.reproduce(), f"without_{name}", "whole")


@pytest.mark.parametrize("name", ["dilation", "padding"])
def test_other_corners_do_not_show_it(kernels, name, monkeypatch):
    assert check(kernels, f"without_{name}", max_cases=most()).findings
    monkeypatch.setattr(tables, "siblings", lambda op: iter(()))
    assert not check(kernels, f"without_{name}", max_cases=most()).findings


def test_a_whole_key_passes(kernels):
    assert check(kernels, "whole", max_cases=most()).passed


@pytest.mark.parametrize("op", [op for op in OPS.values() if any(siblings(op))], ids=str)
def test_they_share_an_input_and_some_an_output(op):
    known = list(siblings(op))
    assert not any(must_refuse(case) for case in known)
    same = list(takewhile(lambda case: case.spatial == known[0].spatial, known))
    assert len(same) > 10
    shapes = [output_shape(case) for case in same]
    assert len(set(shapes)) < len(shapes)
    for name in PLAIN:
        others = [with_another(case, name) for case in same]
        changed = [(a, b) for a, b in zip(same, others, strict=True) if a != b]
        assert all(getattr(a.spec, name) != getattr(b.spec, name) for a, b in changed)
        assert changed or not getattr(known[0].spec, name, None)


def test_a_size_that_is_kept_without_the_dilation_is_named_and_shown(kernels, shows):
    report = check_implementation(
        f"{kernels}:size_without_dilation", "output_size", isolated=False, keep=False, seconds=60
    )
    finding = report.findings[0]
    assert "kept of a call with another dilation" in finding.diagnosis, finding
    shows(finding.reproduce(), "size_without_dilation", "size")


@pytest.mark.parametrize("plan", ["odd_is_wrong"])
def test_what_goes_by_remainders_is_not_taken_for_what_is_kept(kernels, plan):
    assert not any("kept of a call" in f.diagnosis for f in check(kernels, plan).findings)
