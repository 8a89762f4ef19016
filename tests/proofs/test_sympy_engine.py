"""SymPy follows by its own algebra, refuses what is false, and says what it cannot do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from convcheck.proofs import Open, Proved, Theorem, conclude, theorems
from convcheck.proofs.asking import FOLLOWS
from convcheck.proofs.catalogue import find_theorem
from convcheck.proofs.sympy_engine import follow

CANNOT = {"relu_commutes_with_max_pooling", "max_pooling_composes"}


@pytest.mark.parametrize("theorem", theorems(), ids=lambda theorem: theorem.name)
def test_sympy_follows_a_theorem_and_none_of_its_false_siblings(theorem: Theorem) -> None:
    said = follow(theorem.certificate())
    assert said == FOLLOWS or (theorem.name in CANNOT and said.startswith("SymPy has no "))
    for sibling in theorem.siblings:
        hypotheses = theorem.hypotheses if sibling.hypotheses is None else sibling.hypotheses
        false = replace(theorem, statement=sibling.statement, hypotheses=hypotheses)
        assert follow(false.certificate()) != FOLLOWS


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("receptive_field_of_doubling_dilations", "2*D(n) - 1 + 2*D(n)", "2*D(n) + 1 + 2*D(n)"),
        ("last_index_of_a_receptive_field", "= hi(n,s(n)*t +", "= hi(n,s(n)*t -"),
        ("gibbs_inequality", "p(x)*gap(q(x)/p(x))", "p(x)*gap(p(x)/q(x))"),
        ("gradient_of_the_weight", "delta(k,j)*x(b(n)*s", "delta(k,j)*x(b(n)"),
        ("gradient_of_log_sum_exp_is_softmax", "exp(z(m))*delta", "z(m)*delta"),
        ("winograd_for_all_distinct_points", "v(p,c(i,j))*w(j)", "v(p,c(i,j))*w(i)"),
        ("two_dimensional_dft_of_a_circular_convolution", "psi(v+b)", "psi(v-b)"),
    ],
)
def test_sympy_refuses_a_wrong_line(name: str, old: str, new: str) -> None:
    theorem = find_theorem(name)
    text = json.dumps(theorem.proof)
    assert old in text
    assert (
        follow(replace(theorem, proof=json.loads(text.replace(old, new))).certificate()) != FOLLOWS
    )


def test_sympy_multiplies_out_another_combination_to_something_else() -> None:
    theorem = find_theorem("nested_floors")
    cases = [[list(term) for term in case] for case in theorem.proof["nonnegative"]]
    cases[0][0][0] = 2
    assert "multiplies out" in follow(replace(theorem, proof={"nonnegative": cases}).certificate())


@pytest.mark.parametrize(
    ("variables", "statement", "step"),
    [
        # x = 1/u on the whole line, |u|, u^2: what SymPy's own transform accepts
        ("R->K", "S(x,R,f(x)) = S(u,R,f(u*u))", {"x": "u*u"}),
        ("R->K", "S(x,R,f(x)) = S(u,R,f(1/u))", {"x": "1/u"}),
        ("R->K", "S(x,R,f(x)) = S(u,R,f(2*u))", {"x": "2*u"}),
        # Sum.change_index(k, P*k): a sum over every P-th place only
        ("Z->K", "S(x,Z,f(x)) = S(u,Z,f(2*u))", {"x": "2*u"}),
        ("Z->K", "S(x,Z,f(x)) = 0", {"x": "0*u"}),
    ],
)
def test_substitutions_that_sympy_itself_would_make_are_refused(variables, statement, step) -> None:
    line = "= " + statement.split(" = ")[1]
    proof = {"chain": [{"rule": "reindex", "args": step, "line": line}]}
    fields = {"vars": {"f": variables}, "hyps": [], "statement": statement, "proof": proof}
    assert follow(fields) != FOLLOWS


@pytest.mark.parametrize("statement", ["log(a*b) = log(a) + log(b)", "exp(log(a)) = 2*a"])
def test_logarithms_of_what_may_be_negative_are_not_split(statement: str) -> None:
    fields = {"vars": {"a": "K", "b": "K"}, "hyps": [], "statement": statement}
    assert follow({**fields, "proof": {"chain": []}}) != FOLLOWS


def test_a_wrong_line_is_not_followed() -> None:
    theorem = find_theorem("convolution_commutes")
    steps = [{**theorem.proof["chain"][0], "line": "= S(u,G,f(t+u)*g(u))"}]
    assert follow(replace(theorem, proof={"chain": steps}).certificate()) != FOLLOWS


def test_a_map_that_is_no_bijection_is_refused() -> None:
    theorem = find_theorem("convolution_commutes_as_in_the_notes")
    steps = [{"rule": "reindex", "args": {"s": "u*u"}, "line": "= S(u,R,f(u*u)*g(t-u*u))"}]
    assert "bijection" in follow(replace(theorem, proof={"chain": steps}).certificate())


def test_a_theorem_that_sympy_does_not_reach_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    theorem = find_theorem("convolution_commutes")
    for said, kind in (("SymPy leaves f(t)", Open), ("SymPy has no maximum", Proved)):
        monkeypatch.setattr(conclude, "ask_sympy", lambda asked, said=said: {theorem.name: said})
        [decision] = conclude.prove_theorems([theorem])
        assert isinstance(decision, kind)
