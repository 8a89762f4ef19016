"""The kernel's proofs about integers: combinations that add up to -1, divisors, counts."""

from __future__ import annotations

import json

from convcheck.proofs.catalogue.sizes import COMBINATIONS
from convcheck.proofs.checking import check
from convcheck.proofs.kernel import list_cases, read
from convcheck.proofs.search import find_combinations
from convcheck.proofs.terms import parse
from convcheck.proofs.verdicts import Open, Proved


def test_a_floor_needs_a_positive_divisor() -> None:
    """The last case of each is that the divisor is 0 or less: it must be impossible too."""
    combinations = json.loads(COMBINATIONS.read_text())["second_form_of_the_output_size"]
    theorem = {
        "vars": dict.fromkeys(["W", "k", "s", "p", "d"], "Z"),
        "hyps": ["s >= 1"],
        "statement": "(W + 2*p - d*(k-1) - 1 + s)//s = (W + 2*p - d*(k-1) - 1)//s + 1",
        "proof": {"nonnegative": combinations},
    }
    assert isinstance(check(theorem), Proved)
    assert isinstance(check({**theorem, "proof": {"nonnegative": combinations[:-1]}}), Open)
    assert isinstance(check({**theorem, "hyps": ["s >= 0"]}), Open)


def test_a_divisor_is_not_shown_positive_by_the_floor_that_it_divides() -> None:
    theorem = {"vars": {"x": "Z", "s": "Z"}, "statement": "x - s*(x//s) < s"}
    context = read(theorem)
    cases = list_cases(parse(theorem["statement"]), context)
    assert [len(case) for case in cases] == [3, 1]
    assert find_combinations(parse(theorem["statement"]), context) is None


def test_the_number_of_those_that_fit_does_not_hang_on_which_fits() -> None:
    theorem = {
        "vars": {},
        "statement": "count(j, j >= 0, j <= j) = j",
        "proof": {"nonnegative": []},
    }
    decision = check(theorem)
    assert isinstance(decision, Open)
    assert "j with 0 arguments is unknown" in decision.reason


def test_a_negative_weight_is_refused() -> None:
    theorem = {
        "vars": {"x": "Z"},
        "statement": "x <= x + 1",
        "proof": {"nonnegative": [[[1, [0]]]]},
    }
    assert isinstance(check(theorem), Open)
    theorem["proof"] = {"nonnegative": [[["1/2", [0]]]]}
    assert isinstance(check(theorem), Proved)
    theorem["proof"] = {"nonnegative": [[[-1, [0]]]]}
    assert isinstance(check(theorem), Open)
