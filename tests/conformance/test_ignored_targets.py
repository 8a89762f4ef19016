"""What `cross_entropy` ignores: right ways of it pass, wrong ones are found and named."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch.nn.functional import cross_entropy

from convcheck.conformance.arguments import call_arguments, parameters
from convcheck.conformance.bench import inputs_of
from convcheck.conformance.check import check_implementation
from convcheck.conformance.conditions import learn
from convcheck.conformance.corners import corners
from convcheck.conformance.ignored_targets import IGNORED_TARGETS
from convcheck.conformance.invalid import invalid_cases
from convcheck.conformance.judge import Contract, optional_features, want, without
from convcheck.conformance.power import Question, first_seen
from convcheck.conformance.shrink import shrink, smaller
from convcheck.conformance.targets import check_signature
from convcheck.conformance.variants.ignored import ignored_variants
from convcheck.core.case import parse_case
from convcheck.core.ops import OPS
from convcheck.oracle.expected import Expected

OP = OPS["cross_entropy"]
SUSPECTS = Path(__file__).with_name("ignored_suspects.py")
_SPEC = importlib.util.spec_from_file_location("ignored_suspects", SUSPECTS)
suspects = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(suspects)

# Every corner and every impossible call, and some rows.
CORNERS = {"max_cases": 150, "strength": 2}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    # One cause is told from another by as many cases on a machine that is busy.
    monkeypatch.setattr("convcheck.conformance.check._MORE_SECONDS", 5.0)


def check(function, **options):
    return check_implementation(
        function, "cross_entropy", isolated=False, keep=False, seconds=60, **CORNERS | options
    )


@pytest.mark.parametrize(
    ("function", "refuses"),
    [
        (cross_entropy, ()),
        (suspects.right, ()),
        (suspects.by_place, ()),
        (suspects.without_parameter, ("ignore_index",)),
        (suspects.by_place_only, ("ignore_index",)),
        (suspects.ignoring_nothing, ("ignored targets", "ignore_index")),
    ],
)
def test_right_functions_pass_and_what_they_do_not_take_is_told(function, refuses):
    report = check(function)
    assert report.passed, report
    assert report.coverage.unsupported == refuses


def test_rows_count_without_what_is_refused():
    report = check(suspects.ignoring_nothing, max_cases=400)
    assert report.passed and report.coverage.share == 1.0, report


@pytest.mark.parametrize(
    ("fault", "says", "smallest"),
    [
        ("mean", "counts ignored samples in the mean", "n2 c2 mean ignored"),
        ("smoothing", "adds the smoothing of ignored samples", "n2 c2 mean ignored ls1"),
        ("elements", "number of elements, not by the sum of their weights, and counts", ""),
        ("nothing", "does not ignore any target", "n2 c2 mean ignored ignore-1"),
        ("-100 always", "ignores ignore_index, and takes -100 always", ""),
        ("only negative", "honours ignore_index only where it is negative", "ignored ignore0"),
        ("0 is none", "takes an ignore_index of 0 for none", "n2 c2 mean ignored ignore0"),
        ("class 0", "takes ignored targets for class 0", "n2 c2 mean ignored"),
        ("0 of nothing", "returns 0 for the mean of nothing", "n1 c1 mean all_ignored"),
        ("changes", "changed its input (target)", "mean ignored"),
    ],
)
def test_wrong_functions_are_found_and_named(fault, says, smallest):
    report = check(suspects.of_torch_order(fault))
    found = {finding.diagnosis: str(finding.case) for finding in report.findings}
    assert any(says in text and smallest in case for text, case in found.items()), found


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (suspects.counted_without_parameter, "counts ignored samples in the mean"),
        (suspects.by_place_and_wrong, "ignores ignore_index, and takes -100 always"),
        (suspects.refusing_what_it_takes, "refuses a valid call (IndexError)"),
        (suspects.wrapping, "accepts an impossible call (negative class index -1"),
    ],
)
def test_a_fault_is_found_in_every_signature(function, says):
    report = check(function)
    assert any(says in finding.diagnosis for finding in report.findings), report


@pytest.mark.parametrize("fault", ["smoothing", "0 is none"])
def test_one_cause_explains_all_failures_also_where_the_right_answer_is_zero_or_nan(fault):
    (finding,) = check(suspects.of_torch_order(fault)).findings
    assert "further failures" not in finding.diagnosis, finding.diagnosis


def test_the_condition_of_a_fault_is_told_in_words():
    failing = [parse_case(f"cross_entropy n{n} c3 mean ignored") for n in (2, 3)]
    passing = [parse_case(f"cross_entropy n{n} c3 mean index") for n in (2, 3)]
    assert str(learn(failing, passing)) == "with ignored targets"
    assert str(learn(passing, failing)) == "without ignored targets"


def test_the_script_shows_the_fault_and_the_index():
    report = check(f"{SUSPECTS}:by_place_and_wrong")
    script = report.findings[0].reproduce()
    assert "None, 'mean', 0.0, ignore_index=" in script
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 1
    fixed = script.replace("['by_place_and_wrong']", "['by_place']")
    assert fixed != script
    assert subprocess.run([sys.executable, "-c", fixed], capture_output=True).returncode == 0


def test_a_worker_is_given_the_index_too():
    report = check_implementation(
        f"{SUSPECTS}:by_place_and_wrong", "cross_entropy", keep=False, seconds=60, **CORNERS
    )
    assert any("takes -100 always" in finding.diagnosis for finding in report.findings), report


def test_the_index_is_passed_by_name_and_only_where_it_is_set():
    plain = parse_case("cross_entropy n2 c3 mean ignored")
    told = parse_case("cross_entropy n2 c3 mean ignored ignore0")
    assert "ignore_index" not in parameters(plain)
    assert parameters(told)["ignore_index"] == 0
    assert call_arguments(told, by_keyword=False) == (["mean", 0.0], {"ignore_index": 0})
    assert check_signature(suspects.right, "cross_entropy")
    assert not check_signature(suspects.by_place, "cross_entropy")


def test_what_may_be_refused_is_the_index_or_what_it_defaults_to():
    told = parse_case("cross_entropy n2 c3 mean ignored weighted ignore0")
    assert optional_features(told) == ("weight", "ignore_index")
    assert str(without(told, "ignore_index")) == "cross_entropy n2 c3 mean index weighted"
    plain = parse_case("cross_entropy n2 c3 sum all_ignored")
    assert optional_features(plain) == ("ignored targets",)
    assert str(without(plain, "ignored targets")) == "cross_entropy n2 c3 sum index"


def test_an_index_before_the_first_class_is_among_the_impossible_calls():
    targets = [inputs_of(case)["target"] for case in invalid_cases(OP)]
    assert any(target.min() == -1 for target in targets)
    for case in invalid_cases(OP):
        with pytest.raises(IndexError):
            call(case)


def call(case):
    import torch

    inputs = {name: torch.from_numpy(array.copy()) for name, array in inputs_of(case).items()}
    return cross_entropy(**inputs, **parameters(case))


def test_every_explanation_is_shown_by_a_corner():
    known = corners(OP)[-len(IGNORED_TARGETS) :]
    asked = [Question(case=c, inputs=inputs_of(c), wanted=right(c)) for c in known]
    faults = tuple(ignored_variants())
    first = first_seen(faults, enumerate(asked), Contract())
    assert [f.says for place, f in enumerate(faults) if place not in first] == []
    # Where nothing is ignored, none of them is seen but the divisor that forgets the weights.
    plain = [question for question in asked if question.case.spec.target == "index"]
    assert not first_seen(faults, enumerate(plain), Contract())


def right(case):
    wanted = want(case, inputs_of(case), Contract())
    assert isinstance(wanted, Expected)
    return wanted


LARGE = parse_case("cross_entropy n5 c7 h2 w3 sum all_ignored ls10 weighted ignore255 seed3")


def test_a_case_shrinks_towards_one_that_ignores_nothing():
    always = shrink(LARGE, lambda case: True)
    assert str(always.case) == "cross_entropy n1 c1 mean index"
    told = shrink(LARGE, lambda case: case.spec.ignore_index is not None)
    assert str(told.case) == "cross_entropy n1 c1 mean index ignore-1"
    mixed = shrink(
        parse_case(str(LARGE).replace("all_", "")), lambda case: case.spec.target == "ignored"
    )
    assert str(mixed.case) == "cross_entropy n2 c1 mean ignored"


def test_a_mixed_case_does_not_shrink_to_one_in_which_nothing_counts():
    for text in ("n2 c3 mean ignored", "n2 c2 mean ignored ignore0", "n1 c2 w2 sum ignored"):
        for case in smaller(parse_case(f"cross_entropy {text}")):
            if case.spec.target == "ignored":
                assert np.unique(inputs_of(case)["target"]).size > 1, case


def test_the_corners_ignore_what_they_say():
    for case in corners(OP):
        target = inputs_of(case)["target"]
        if case.spec.has_indices:
            ignored = target == case.spec.ignored_index
            assert ignored.any() == (case.spec.target != "index")
            assert ignored.all() == (case.spec.target == "all_ignored")


def test_a_function_without_a_weight_is_not_given_one_in_another_place():
    def unweighted(input, target, temperature=1.0, reduction="mean", label_smoothing=0.0):
        input = input / temperature if isinstance(temperature, float) else input
        return cross_entropy(input, target, reduction=reduction, label_smoothing=label_smoothing)

    report = check(unweighted)
    assert report.passed and "weight" in report.coverage.unsupported, report
