"""SymPy follows most chains by its own algebra, refuses false ones, and says what it cannot do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from convcheck.proofs import theorems
from convcheck.proofs.asking import FOLLOWS, ask_sympy
from convcheck.proofs.catalogue import find_theorem
from convcheck.proofs.sympy_engine import follow

SOME = (
    "convolution_commutes_as_in_the_notes",
    "convolution_associates",
    "convolution_theorem",
    "delta_is_the_unit",
    "kl_is_cross_entropy_minus_entropy",
    "log_softmax_form",
    "receptive_field_is_7",
    "a_layer_is_a_matrix",
)


@pytest.mark.parametrize("name", SOME)
def test_sympy_follows_a_true_theorem_and_not_its_false_sibling(name: str) -> None:
    theorem = find_theorem(name)
    assert follow(theorem.certificate()) == FOLLOWS
    false = replace(theorem, statement=theorem.siblings[0].statement)
    assert follow(false.certificate()) != FOLLOWS


def test_a_wrong_line_is_not_followed() -> None:
    theorem = find_theorem("convolution_commutes")
    steps = [{**theorem.proof["chain"][0], "line": "= S(u,G,f(t+u)*g(u))"}]
    assert follow(replace(theorem, proof={"chain": steps}).certificate()) != FOLLOWS


def test_a_map_that_is_no_bijection_is_refused() -> None:
    theorem = find_theorem("convolution_commutes_as_in_the_notes")
    steps = [{"rule": "reindex", "args": {"s": "u*u"}, "line": "= S(u,R,f(u*u)*g(t-u*u))"}]
    assert "bijection" in follow(replace(theorem, proof={"chain": steps}).certificate())


@pytest.mark.slow
def test_sympy_follows_most_chains() -> None:
    chains = [theorem for theorem in theorems() if "chain" in theorem.proof]
    answers = ask_sympy(chains, seconds=120)
    assert sum(answer == FOLLOWS for answer in answers.values()) >= 0.75 * len(chains)
    assert all(answers.values())
