"""Two releases on the same cases: what changed is named, what did not is not."""

import numpy as np
import pytest

from convcheck.conformance.check import check_implementation
from convcheck.conformance.record import compare_with
from convcheck.core.errors import InputError
from convcheck.core.verdict import Verdict


def size(input_size, kernel_size, stride, padding, dilation):
    if min(input_size, kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError("out of range")
    out = (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
    if out < 1:
        raise ValueError("the kernel does not fit")
    return out


def later_size(input_size, kernel_size, stride, padding, dilation):
    return size(input_size, kernel_size, stride, padding, dilation) + (input_size == 9)


def record(tmp_path, function=size):
    path = tmp_path / "outcomes.jsonl"
    options = {"isolated": False, "keep": False, "seconds": 30, "max_cases": 60}
    report = check_implementation(function, "output_size", record=path, **options)
    assert any("60 cases are in" in note or "cases are in" in note for note in report.notes)
    return path


def test_the_same_function_has_not_changed(tmp_path):
    found = compare_with(record(tmp_path), size, "output_size", isolated=False)
    assert found.verdict is Verdict.PASS and found.compared > 30


def test_each_case_whose_outcome_changed_is_named(tmp_path):
    found = compare_with(record(tmp_path), later_size, "output_size", isolated=False)
    assert found.verdict is Verdict.FAIL and found.changes
    assert all(" w9 " in change.case for change in found.changes)
    assert "before: returned int64[]" in str(found)


def test_a_fault_that_was_recorded_is_no_change(tmp_path):
    path = record(tmp_path, later_size)
    assert compare_with(path, later_size, "output_size", isolated=False).verdict is Verdict.PASS


def test_what_is_no_record_is_an_error(tmp_path):
    path = tmp_path / "other.txt"
    with pytest.raises(InputError, match="cannot read"):
        compare_with(path, size, "output_size", isolated=False)
    path.write_text("conv2d\n")
    with pytest.raises(InputError, match="no record"):
        compare_with(path, size, "output_size", isolated=False)
    with pytest.raises(InputError, match="not of conv1d"):
        compare_with(record(tmp_path), np.convolve, "conv1d", isolated=False)
