"""Every theorem is proved, each false sibling refuted, each hypothesis needed."""

from __future__ import annotations

import json

import pytest

from convcheck.core.errors import UsageError
from convcheck.proofs import Open, Proved, prove, theorems
from convcheck.proofs.catalogue.sizes import COMBINATIONS
from convcheck.proofs.checking import check
from convcheck.proofs.conclude import prove_theorem, refute, refute_without
from convcheck.proofs.kernel import read
from convcheck.proofs.search import find_combinations
from convcheck.proofs.terms import parse
from convcheck.proofs.theorem import Sibling, Theorem, chain
from convcheck.proofs.verdicts import Refuted

ALL = theorems()
NEEDED = {
    "convolution_commutes",
    "convolution_commutes_as_in_the_notes",
    "kl_is_cross_entropy_minus_entropy",
    "log_likelihood_is_minus_m_cross_entropy",
    "conv_output_size",
    "second_form_of_the_output_size",
    "correlation_is_reversed",
    "relu_commutes_with_max_pooling",
    "cross_entropy_and_kl_have_the_same_minimiser",
    "the_adjoint_is_the_transposed_convolution",
    "log_softmax_form",
    "same_padding",
    "receptive_field_is_3",
    "receptive_field_is_7",
    "receptive_field_is_15",
}


def test_the_catalogue_is_large_and_its_names_are_unique() -> None:
    names = [theorem.name for theorem in ALL]
    assert len(names) == len(set(names)) >= 60
    assert set(names) >= NEEDED


@pytest.mark.parametrize("theorem", ALL, ids=lambda theorem: theorem.name)
def test_a_theorem_is_proved_with_everything_beside_it(theorem: Theorem) -> None:
    decision = prove_theorem(theorem)
    assert isinstance(decision, Proved), decision
    assert len(decision.checks) == 1 + len(theorem.siblings) + len(theorem.hypotheses)
    assert theorem.siblings
    assert theorem.source
    assert theorem.says


def test_an_unknown_name_is_a_usage_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean convolution_commutes"):
        prove("convolution_comutes")


def altered(name: str, **changes: object) -> Theorem:
    from dataclasses import replace

    return replace(next(theorem for theorem in ALL if theorem.name == name), **changes)  # type: ignore[arg-type]


def test_a_theorem_with_a_true_sibling_is_not_proved() -> None:
    true = Sibling(statement="S(s,G,f(s)*g(t-s)) = S(s,G,f(t-s)*g(s))", says="no mistake")
    decision = prove_theorem(altered("convolution_commutes", siblings=(true,)))
    assert isinstance(decision, Open)
    assert "sibling" in decision.reason


def test_a_theorem_with_an_unused_hypothesis_is_not_proved() -> None:
    theorem = altered("convolution_commutes", hypotheses=("f(t) = g(t)",))
    decision = prove_theorem(theorem)
    assert isinstance(decision, Open)
    assert "unused" in decision.reason


def test_contradictory_hypotheses_prove_nothing() -> None:
    theorem = altered(
        "one_hot_cross_entropy",
        variables={"f": "X->K", "x": "X"},
        hypotheses=("f(x) = 1", "f(x) = 2"),
        statement="1 = 2",
        proof=chain(
            {
                "rule": "given",
                "args": {"hypothesis": "f(x) = 1"},
                "reverse": True,
                "line": "= f(x)",
            },
            {"rule": "given", "args": {"hypothesis": "f(x) = 2"}, "line": "= 2"},
        ),
        siblings=(),
    )
    assert isinstance(check(theorem.certificate()), Proved)  # it does follow
    decision = prove_theorem(theorem)
    assert isinstance(decision, Open)
    assert "no model" in decision.reason


def test_the_size_formula_fails_where_the_kernel_does_not_fit() -> None:
    theorem = altered("conv_output_size")
    found = refute_without(theorem, "W + 2*p - d*(k-1) - 1 >= 0")
    assert isinstance(found, Refuted)
    w = {name: int(value) for name, value in found.witness.items() if name in "Wkspd"}
    assert w["W"] + 2 * w["p"] - w["d"] * (w["k"] - 1) - 1 < 0


def test_correlation_does_not_commute_and_says_where() -> None:
    theorem = altered("correlation_is_reversed")
    found = refute(theorem, theorem.siblings[0])
    assert isinstance(found, Refuted)
    assert "left side" in found.shows


def test_stored_combinations_are_what_the_search_finds() -> None:
    stored = json.loads(COMBINATIONS.read_text())
    for name in ("second_form_of_the_output_size", "nested_floors", "same_padding"):
        theorem = altered(name)
        context = read(theorem.certificate())
        found = find_combinations(parse(theorem.statement), context)
        assert found == stored[name]


def test_a_false_statement_has_no_combination() -> None:
    theorem = {"vars": {"x": "Z", "s": "Z"}, "hyps": ["s >= 1"], "statement": "x//s = (x+1)//s"}
    context = read(theorem)
    assert find_combinations(parse(theorem["statement"]), context) is None
