"""Laws hold of right functions; each is broken by some wrong one; what they cannot see is told."""

import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from convcheck.conformance.arguments import ARRAYS
from convcheck.conformance.execute import open_runner
from convcheck.conformance.judge import Contract
from convcheck.conformance.laws.check import LawReach, check_laws, look_at_large
from convcheck.conformance.laws.put import LAWS, LawRun, laws_of, put_laws
from convcheck.conformance.outcome import Raised, Result, Returned
from convcheck.conformance.subject import subject_of
from convcheck.conformance.variants.catalogue import catalogue
from convcheck.conformance.variants.variant import correct
from convcheck.core.case import parse_case
from convcheck.core.errors import UsageError
from convcheck.core.ops import find_op
from convcheck.core.verdict import Verdict
from convcheck.oracle.formats import find_format

HERE = f"{Path(__file__).parent / 'law_suspects.py'}"
OPS = (
    "conv1d", "conv2d", "conv3d", "conv_transpose2d", "conv2d_backward",
    "conv_transpose2d_backward", "max_pool2d", "avg_pool2d", "convolve",
)  # fmt: skip


class Computed:
    """A runner whose function is the oracle itself, spoiled by a variant of the catalogue."""

    arrays, isolated = "numpy", False

    def __init__(self, variant=None):
        self.variant = variant

    def unsupported(self, case):
        return None

    def run(self, case, inputs, **_):
        right = correct(case, inputs)
        if right is None:
            return Raised(type_name="ValueError")
        found = self.variant.predict(case, inputs, right) if self.variant else right
        carrier = find_format(case.dtype).carrier
        arrays = (Result(values=v.astype(carrier), dtype=case.dtype) for v in found or right)
        return Returned(arrays=tuple(arrays))


# Between them, something of which every law of the operation says something.
CASES = {
    "conv1d": ("n2 c4 w9 f6 k3 s2 p1 d2 g2 b1", "n1 c3 w8 f2 k2 s1 p0 d1 g1"),
    "conv2d": ("n2 c4 h7 w9 f6 k3x2 s2x1 p1x0 d1x2 g2 b1", "n1 c3 h5 w6 f3 k2x3 s1 p1 d1 g1",
               "n1 c2 h4 w5 f2 k3x2 s1 psame d1 g1", "n3 c1 h9 w9 f2 k3x3 s3 p0 d1 g1"),
    "conv3d": ("n2 c4 z4 h5 w6 f4 k2x3x2 s1x2x1 p0x1x0 d2x1x1 g2 b1",
               "n1 c2 z3 h4 w3 f2 k2x1x3 s1 p0 d1 g1"),
    "conv_transpose2d": ("n2 c4 h3 w4 f6 k3x2 s2x3 p1x0 d1x2 g2 op0 b1",
                         "n1 c3 h4 w3 f3 k2x3 s2 p0 d1 g1 op1"),
    "conv2d_backward": ("n2 c4 h7 w9 f6 k3x2 s2x1 p1x0 d1x2 g2",
                        "n1 c3 h5 w6 f3 k2x3 s1 p1 d1 g1"),
    "conv_transpose2d_backward": ("n2 c4 h3 w4 f6 k3x2 s2x3 p1x0 d1x2 g2 op0",
                                  "n1 c3 h4 w3 f3 k2x3 s2 p0 d1 g1 op1"),
    "max_pool2d": ("n2 c3 h7 w9 k3x2 s2x1 p1x0 d1", "n1 c2 h8 w9 k2x3 s2x3 p0 d1 ceil",
                   "n1 c3 h6 w7 k2x2 s1 p0 d2"),
    "avg_pool2d": ("n2 c3 h7 w9 k2x2 s2x1 p1x0 d1", "n1 c2 h8 w9 k2x3 s2x3 p0 d1 ceil",
                   "n1 c3 h6 w7 k3x2 s1 p1 d1 exclude_pad", "n1 c1 h6 w6 k2x2 s1 p0 d1"),
    "convolve": ("h4 w6 k2x3 full", "w5 k3 same float64", "w4 k7 valid", "h3 w5 k2x3 valid int64"),
}  # fmt: skip


def put(op, variant=None, partner=None):
    run = LawRun()
    cases = [parse_case(f"{op} {text}") for text in CASES[op]]
    put_laws(run, laws_of(op), iter(cases), Computed(variant), Contract(), partner=partner,
             seconds=60, seed=0)  # fmt: skip
    return run


SLOW = ("conv1d", "conv3d", "conv_transpose2d_backward", "avg_pool2d")


@pytest.mark.parametrize(
    "op", [pytest.param(op, marks=pytest.mark.slow) if op in SLOW else op for op in OPS]
)
def test_the_oracle_obeys_every_law_of_its_operation(op):
    run = put(op, partner=Computed())
    assert not run.broken and not run.refused
    known = {law.name for law in laws_of(op)}
    # Each law says something of some case: none is vacuous.
    assert set(run.kept) == {n for n in known if "exchanges" not in n or find_op(op).axes > 1}


def test_every_law_takes_arguments_that_its_operation_has():
    for law in LAWS:
        for family in law.families:
            op = next(name for name in OPS if find_op(name).family == family)
            cases = (parse_case(f"{op} {text}") for text in CASES[op])
            trials = (trial for case in cases for trial in law.trials(case))
            for call in (call for trial in trials for call in trial.calls):
                assert set(call.arrays) <= set(ARRAYS[find_op(call.case.op).family])


# Which laws see a fault of the catalogue; the whole list, on a few small cases.
SEEN = {
    "conv2d": {
        "ignores the stride": {"takes every s-th output for stride s", "crops with the input"},
        "ignores the dilation": {"spreads the kernel for dilation d", "crops with the input"},
        "ignores the padding": {"pads with zeros", "crops with the input"},
        "exchanges the stride of H and W": {"takes every s-th output for stride s"},
        "pads with 1 instead of 0": {"adds in x", "scales in x", "pads with zeros"},
        "flips the kernel along W": {"exchanges its axes with input and kernel"},
        "adds the bias twice": {"adds the bias once to every element"},
        "clips the result below at 0": {"adds in x", "scales in x", "adds in w", "scales in w"},
        "ignores the sign of the weights": {"adds in w", "scales in w"},
        "deals the filters to the groups in turn": {"treats the groups alone"},
        "reverses the input channels": {"permutes with the input channels"},
        "repeats the first image of the batch": {"treats the images of a batch alone"},
        "leaves the last output along W at zero": {"reverses with input and kernel"},
    },
    "convolve": {
        "does not flip g (cross-correlation)": {"commutes", "associates"},
        'starts mode "same" at the front': {"keeps parts of one result"},
    },
    "max_pool2d": {
        "pads with zeros instead of minus infinity": {"commutes with increasing maps"},
        "takes the minimum instead of the maximum": {"takes the larger of two maxima"},
        "ignores the stride along W": {"exchanges its axes with the input"},
    },
}
# What no law can see: a function that is another linear, shift-equivariant map, consistently, or
# that differs only in what the laws' values do not have, such as a NaN or more bits.
UNSEEN = {
    "conv2d": (
        "flips the kernel along every axis (true convolution)",
        "replaces NaN by 0 in the input", "computes in float16",
    ),
    "convolve": ("negates the result", "returns zeros"),
    "max_pool2d": ("ignores NaN",),
}  # fmt: skip


def variant(op, says):
    return next(known for known in catalogue(op) if known.says == says)


# The rest runs with the slow tests.
QUICK_SEEN = (
    "ignores the dilation", "exchanges the stride of H and W", "flips the kernel along W",
    "deals the filters to the groups in turn", "does not flip g (cross-correlation)",
    "takes the minimum instead of the maximum",
)  # fmt: skip


@pytest.mark.parametrize(
    ("op", "says"),
    [
        pytest.param(op, says, marks=[] if says in QUICK_SEEN else pytest.mark.slow)
        for op, table in SEEN.items()
        for says in table
    ],
)
def test_a_fault_is_seen_by_the_laws_that_say_something_of_it(op, says):
    assert SEEN[op][says] <= set(put(op, variant(op, says)).broken)


@pytest.mark.parametrize(("op", "says"), [(op, says) for op in UNSEEN for says in UNSEEN[op]])
def test_what_laws_cannot_see_is_told(op, says):
    assert not put(op, variant(op, says)).broken


def one(name, case, **options):
    return check_laws(
        f"{HERE}:{name}", case.split()[0], case=case, isolated=False, seconds=30, **options
    )


def script_fails(finding):
    return subprocess.run([sys.executable, "-c", finding.reproduce()], capture_output=True).stderr


def test_a_broken_law_is_a_finding_with_the_smallest_case_and_both_sides():
    report = one("minimum", "max_pool2d n2 c2 h5 w6 k2x3 s2x1 p1 d1")
    (finding,) = report.findings
    assert report.verdict is Verdict.FAIL
    assert "takes the larger of two maxima" in finding.details["laws_broken"]
    assert "permutes with the channels" in finding.details["laws_kept"]
    assert finding.details["minimal"]
    assert finding.details["left"] != finding.details["right"]
    assert b"AssertionError" in script_fails(finding)
    assert len(finding.reproduce().splitlines()) <= 15


def test_correlation_does_not_commute():
    report = one("correlate", "convolve w5 k3 full")
    assert "commutes" in report.findings[0].details["laws_broken"]


def test_a_gradient_that_is_not_its_functions_is_found_by_the_laws():
    report = one("backward_with_flip", "conv2d_backward n1 c1 h4 w5 f1 k2x3 s1 p0 d1 g1")
    assert "pairs both gradients to one number" in report.findings[0].details["laws_broken"]


def test_a_flipped_transpose_is_seen_by_its_partner_alone():
    case = "conv_transpose2d n2 c4 h3 w4 f6 k3x2 s2x3 p1x0 d1x2 g2 op0 b1"
    seen = one("transposed_with_flip", case, partner=f"{HERE}:conv")
    assert seen.findings[0].details["laws_broken"] == ["is the adjoint of its partner"]
    # Every other law is blind to it.
    assert one("transposed_with_flip", case).passed


def test_a_variant_of_ones_own_keeps_every_law_but_that_of_zeros():
    report = one("reflecting", "conv2d n2 c4 h7 w9 f6 k3x2 s2x1 p1 d1x2 g2 b1")
    assert len(report.findings[0].details["laws_kept"]) > 10
    assert report.findings[0].details["laws_broken"] == ["pads with zeros"]


def test_a_fault_of_large_shapes_is_found_where_no_small_one_shows_it():
    with open_runner(f"{HERE}:wrong_past_4000", "conv1d", isolated=False, arrays="numpy") as runner:
        reach = LawReach()
        subject = subject_of(f"{HERE}:wrong_past_4000", "conv1d", runner.arrays)
        look_at_large(reach, runner, subject, Contract(), deadline=monotonic() + 60, seed=0)
    (finding,) = reach.findings
    assert finding.code == "IMPL-LARGE" and finding.case.spatial[0] == 4001
    assert b"AssertionError" in script_fails(finding)


def test_what_has_no_law_is_a_usage_error():
    with pytest.raises(UsageError, match="no laws"):
        laws_of("cross_entropy")
    with pytest.raises(UsageError, match="adds in x"):
        laws_of("conv2d", ["adds in"])
