"""The rows of the report's tables of checked functions."""

import pytest

from convcheck.cli.sections import checked
from convcheck.conformance.check import check_implementation


def size(input_size, kernel_size, stride, padding, dilation):
    return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def wrong(input_size, kernel_size, stride, padding, dilation):
    return (input_size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


@pytest.mark.parametrize(
    ("function", "verdict", "power"), [(size, "PASS", True), (wrong, "FAIL", "")]
)
def test_a_row_tells_the_power_of_what_passed_only(function, verdict, power):
    report = check_implementation(
        function, "output_size", isolated=False, keep=False, max_cases=90, seconds=60
    )
    row = dict(zip(checked.HEADER, checked.row("it", report), strict=True))
    assert row["verdict"] == verdict
    if power:
        power = f"{report.power.killed} of {report.power.total}"
        assert report.power.killed >= 30
    assert row["faults seen"] == power
