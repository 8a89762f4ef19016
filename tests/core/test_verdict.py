"""Only PASS passes, and nothing checked is not a pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict, combine, exit_code

ORDER = [Verdict.ERROR, Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS]


def test_nothing_is_unknown():
    assert combine([]) is Verdict.UNKNOWN
    assert combine([Verdict.SKIP, Verdict.SKIP]) is Verdict.UNKNOWN


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_the_worst_verdict_decides(verdicts):
    whole = combine(verdicts)
    present = [verdict for verdict in ORDER if verdict in verdicts]
    assert whole is (present[0] if present else Verdict.UNKNOWN)
    assert (whole is Verdict.PASS) == (
        Verdict.PASS in verdicts and set(verdicts) <= {Verdict.PASS, Verdict.SKIP}
    )


@given(st.lists(st.sampled_from(list(Verdict))), st.lists(st.sampled_from(list(Verdict))))
def test_no_part_can_turn_a_failure_into_a_pass(first, second):
    if exit_code(combine(first)) in (1, 4):
        assert exit_code(combine([*first, *second])) in (1, 4)


@pytest.mark.parametrize(
    ("verdict", "code"), [("PASS", 0), ("FAIL", 1), ("UNKNOWN", 3), ("SKIP", 3), ("ERROR", 4)]
)
def test_exit_codes(verdict, code):
    assert exit_code(Verdict(verdict)) == code


def test_finding_prints_as_json_without_its_empty_parts():
    finding = Finding(verdict=Verdict.FAIL, where="here", what="wrong", script="print(1)")
    assert finding.to_json() == {
        "verdict": "FAIL", "where": "here", "what": "wrong", "script": "print(1)",
    }  # fmt: skip
    assert finding.reproduce() == "print(1)"
