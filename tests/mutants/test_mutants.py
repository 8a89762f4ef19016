"""Every wrong implementation is found and most are named; no right one is called wrong."""

import pytest
import right_ones
import right_others
import wrong_conv
import wrong_others
import wrong_places
import wrong_state

from convcheck.conformance.check import check_implementation
from convcheck.core.ops import find_op

WRONG = {
    **wrong_conv.FUNCTIONS,
    **wrong_places.FUNCTIONS,
    **wrong_state.FUNCTIONS,
    **wrong_others.FUNCTIONS,
}
RIGHT = {**right_ones.FUNCTIONS, **right_others.FUNCTIONS}
# Each of these stands for a class of faults; the rest runs with the slow tests.
QUICK_WRONG = (
    "flipped_w", "strides_swapped", "padding_all_before", "bias_dropped_for_batches",
    "first_16_outputs", "groups_interleaved", "single_for_double", "nan_cleared",
    "always_float64", "negative_padding_accepted", "mutates_input", "remembers_weights",
    "last_bias_again", "returns_its_tensor", "shares_a_buffer", "slightly_scaled",
    "transposed_no_output_padding",
    "backward_flipped_weight", "max_pool_zero_padding", "cross_entropy_unsmoothed",
    "convolve_correlates", "size_rounds_up", "taps_adjacent", "keeps_its_border", "idle_filters",
)  # fmt: skip
QUICK_RIGHT = ("einsum", "fft", "winograd", "torch_conv", "scipy_fftconvolve", "size")


def marked(names, quick):
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def check(entry, **options):
    function, _, op = entry if len(entry) == 3 else (*entry, "conv2d")
    return check_implementation(function, op, isolated=False, keep=False, **options)


@pytest.mark.parametrize("name", marked(WRONG, QUICK_WRONG))
def test_a_wrong_one_is_found_and_named(name):
    report = check(WRONG[name], seconds=30, max_cases=2500)
    assert not report.passed and report.findings, report
    finding = report.findings[0]
    assert find_op(report.op) and finding.case is not None
    assert len(finding.reproduce().splitlines()) <= 15
    cause = WRONG[name][1]
    if cause is not None:
        assert any(cause in found.diagnosis for found in report.findings), report


@pytest.mark.parametrize("name", marked(RIGHT, QUICK_RIGHT))
def test_a_right_one_passes(name):
    report = check(RIGHT[name], seconds=30, max_cases=160 if name in QUICK_RIGHT else 900)
    assert report.passed, report


def test_there_are_enough_of_them():
    assert len(WRONG) >= 100
    assert len(RIGHT) >= 30
    assert len([cause for _, cause, *_ in WRONG.values() if cause is not None]) >= 0.8 * len(WRONG)
