"""The kernel accepts what follows, and refuses everything else without a crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from convcheck.proofs import kernel
from convcheck.proofs.checking import check
from convcheck.proofs.verdicts import Open, Proved

SEQUENCES = {"f": "G->K", "g": "G->K", "t": "G"}
COMMUTES = {
    "name": "commutes",
    "vars": SEQUENCES,
    "statement": "S(s,G,f(s)*g(t-s)) = S(s,G,g(s)*f(t-s))",
    "proof": {"chain": [{"rule": "reindex", "args": {"s": "t-u"}, "line": "= S(u,G,f(t-u)*g(u))"}]},
}


def attempt(
    variables: dict[str, str],
    statement: str,
    *steps: tuple[str, str, dict[str, str]],
    hypotheses: tuple[str, ...] = (),
) -> Proved | Open:
    chain = [{"rule": rule, "line": line, "args": args} for rule, line, args in steps]
    return check(
        {
            "vars": variables,
            "statement": statement,
            "hyps": list(hypotheses),
            "proof": {"chain": chain},
        }
    )


def test_commutativity_is_proved_without_hypotheses() -> None:
    decision = check(COMMUTES)
    assert isinstance(decision, Proved)
    assert decision.hypotheses == ()


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


DEEP = nested(10_000)


@pytest.mark.parametrize(
    "theorem",
    [
        None,
        7,
        [],
        {},
        DEEP,
        {**COMMUTES, "proof": DEEP},
        {**COMMUTES, "proof": {"chain": DEEP}},
        {**COMMUTES, "proof": {"chain": [{"rule": DEEP, "line": "= 1"}]}},
        {**COMMUTES, "proof": {"chain": [{"rule": "given", "args": {"at": DEEP}, "line": "= 1"}]}},
        {**COMMUTES, "proof": {"induction": {"over": DEEP}}},
        {**COMMUTES, "proof": {"nonnegative": [DEEP]}},
        {**COMMUTES, "verdict": "PROVED", "proof": {}},
        {**COMMUTES, "name": DEEP, "vars": DEEP},
        {**COMMUTES, "vars": {"f": "G->char->K"}},
        {**COMMUTES, "hyps": DEEP},
        {**COMMUTES, "hyps": ["f(t)"]},
        {**COMMUTES, "hyps": ["finite(f)"]},
        {**COMMUTES, "statement": 5},
        {**COMMUTES, "statement": "("},
        {**COMMUTES, "statement": "(" * 1_900},
        {**COMMUTES, "statement": "-" * 1_900 + "1 = 1"},
        {**COMMUTES, "statement": "f(" * 300 + "t" + ")" * 300 + " = 1"},
        {**COMMUTES, "statement": "f(t) + " * 2_000 + "1 = 1"},
        {**COMMUTES, "statement": "9" * 1_000 + " = 1"},
        {**COMMUTES, "statement": "9^8 = 1"},
        {**COMMUTES, "statement": "h(t) = h(t)"},
        {**COMMUTES, "statement": "f(t,t) = 1"},
        {**COMMUTES, "statement": "f(t) = 1 = 1"},
        {**COMMUTES, "statement": "f(t) == f(t) == f(t)"},
        {**COMMUTES, "statement": "lambda: 1"},
        {**COMMUTES, "statement": "__import__('os')"},
        {**COMMUTES, "statement": "S(t,G,f(t)) = S(t,G,f(t))"},
        {**COMMUTES, "statement": "diff(f(t), t) = 0"},
        {**COMMUTES, "statement": "count(j, j >= 0) = f(t)"},
    ],
)
def test_malformed_input_is_refused_not_crashed(theorem: Any) -> None:
    assert isinstance(check(theorem), Open)


def test_towers_of_exponentials_and_products_are_refused_or_small() -> None:
    tower = "2"
    for _ in range(18):
        tower = f"exp(64*log({tower}))"
    assert isinstance(attempt({"a": "K"}, f"{tower} = a"), Open)
    product = "(a+b+c+d+e+f+g+h)"
    assert isinstance(
        attempt(dict.fromkeys("abcdefgh", "K"), f"{'*'.join([product] * 20)} = a"), Open
    )


def test_the_first_line_that_does_not_follow_is_named() -> None:
    decision = attempt(
        SEQUENCES,
        "S(s,G,f(s)*g(t-s)) = S(s,G,g(s)*f(t-s))",
        ("reindex", "= S(u,G,f(t-u)*g(u))", {"s": "t-u"}),
        ("ring", "= S(u,G,f(t+u)*g(u))", {}),
    )
    assert isinstance(decision, Open)
    assert decision.line == "= S(u,G,f(t+u)*g(u))"


# What an earlier checker of this kind was caught at; each must stay refused.


@pytest.mark.parametrize("domain", ["G", "R"])
def test_sifting_needs_a_discrete_domain(domain: str) -> None:
    decision = attempt(
        {"f": f"{domain}->K", "t": domain},
        f"S(s,{domain},delta(s,t)*f(s)) = f(t)",
        ("sift", "= f(t)", {"s": "t"}),
    )
    assert isinstance(decision, Open)


def test_a_real_number_cannot_be_sifted_over_the_integers() -> None:
    decision = attempt(
        {"f": "Z->K", "t": "R"}, "S(s,Z,delta(s,t)*f(s)) = 1", ("sift", "= f(t)", {"s": "t"})
    )
    assert isinstance(decision, Open)


def test_sifting_at_a_multiple_is_refused() -> None:
    decision = attempt(
        {"f": "Z->K", "t": "Z"},
        "S(s,Z,delta(2*s,t)*f(s)) = f(t)",
        ("sift", "= f(t)", {"s": "t"}),
    )
    assert isinstance(decision, Open)


@pytest.mark.parametrize(
    ("domain", "to"),
    [
        ("G", "2*u"),
        ("Z", "2*u"),
        ("Zn", "3*u"),
        ("R", "u*u"),
        ("R", "0*u"),
        ("R", "u/t"),
    ],
)
def test_only_bijections_reindex(domain: str, to: str) -> None:
    variables = {"f": f"{domain}->K", "t": domain}
    line = f"= S(u,{domain},f({to}))"
    decision = attempt(
        variables, f"S(s,{domain},f(s)) = S(s,{domain},f(s))", ("reindex", line, {"s": to})
    )
    assert isinstance(decision, Open)


def test_a_scale_on_the_line_needs_its_jacobian() -> None:
    variables = {"f": "R->K"}
    reindex = {"s": "-2*u"}
    with_it = ("reindex", "= 2*S(u,R,f(-2*u))", reindex)
    without = ("reindex", "= S(u,R,f(-2*u))", reindex)
    assert isinstance(attempt(variables, "S(s,R,f(s)) = 2*S(s,R,f(-2*s))", with_it), Proved)
    assert isinstance(attempt(variables, "S(s,R,f(s)) = S(s,R,f(-2*s))", without), Open)


def test_swapping_infinite_sums_needs_its_hypothesis() -> None:
    variables = {"h": "G,G->K"}
    statement = "S(a,G,S(b,G,h(a,b))) = S(b,G,S(a,G,h(a,b)))"
    step = ("swap", "= S(b,G,S(a,G,h(a,b)))", {"a": "b"})
    assert isinstance(attempt(variables, statement, step), Open)
    needed = ("summable(S(a,G,S(b,G,h(a,b))))",)
    assert isinstance(attempt(variables, statement, step, hypotheses=needed), Proved)


def test_splitting_an_infinite_sum_needs_both_parts_to_exist() -> None:
    variables = {"f": "G->K", "g": "G->K"}
    step = ("split", "= S(s,G,f(s)) + S(s,G,g(s))", {"s": ""})
    decision = attempt(variables, "S(s,G,f(s)+g(s)) = S(s,G,f(s)) + S(s,G,g(s))", step)
    assert isinstance(decision, Open)
    assert "exists" in decision.reason


def test_a_hypothesis_about_a_multiple_of_a_sum_says_nothing_about_the_sum() -> None:
    variables = {"f": "G->K", "g": "G->K", "c": "K"}
    step = ("split", "= S(s,G,f(s)) + S(s,G,g(s))", {"s": ""})
    statement = "S(s,G,f(s)+g(s)) = S(s,G,f(s)) + S(s,G,g(s))"
    for scale, kind in (("", Proved), ("c*", Open)):
        hypotheses = (f"exists(S(u,G,{scale}f(u)))", "exists(S(s,G,g(s)))")
        assert isinstance(attempt(variables, statement, step, hypotheses=hypotheses), kind)


def test_swapping_needs_a_delta_in_every_term_or_its_hypothesis() -> None:
    variables = {"w": "X->K", "a": "X->Z", "x": "Z->K", "y": "Z->K"}
    step = {"k": "m"}
    for extra, kind in (("", Proved), (" + y(m)", Open)):
        body = f"w(k)*delta(m,a(k))*x(m){extra}"
        line = f"S(m,Z,S(k,X,{body}))"
        decision = attempt(variables, f"S(k,X,S(m,Z,{body})) = {line}", ("swap", f"= {line}", step))
        assert isinstance(decision, kind)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("delta(s,t)*f(s) + f(s)", "t"),
        ("delta(s,t)*f(s)", "a"),
        ("delta(s,2*t)*f(s)", "t"),
        ("delta(a,t)*f(s)", "t"),
        ("f(s)", "s"),
    ],
)
def test_sifting_needs_the_delta_that_leaves_this_value_in_every_term(
    body: str, value: str
) -> None:
    variables = {"f": "Z->K", "t": "Z", "a": "Z"}
    step = ("sift", f"= f({value})", {"s": value})
    assert isinstance(attempt(variables, f"S(s,Z,{body}) = f({value})", step), Open)


def test_ring_does_not_split_an_infinite_sum() -> None:
    variables = {"f": "Z->K", "g": "Z->K"}
    assert isinstance(attempt(variables, "S(s,Z,f(s)+g(s)) = S(s,Z,f(s)) + S(s,Z,g(s))"), Open)


@pytest.mark.parametrize(
    "statement",
    [
        "log(a*b) = log(a) + log(b)",
        "a/a = 1",
        "exp(log(a)) = a",
        "S(x,X,p(x))/S(x,X,p(x)) = 1",
        "log(1-1) = 0",
        "1/0 = 1/0",
    ],
)
def test_logarithms_and_quotients_need_positive_terms(statement: str) -> None:
    assert isinstance(attempt({"a": "K", "b": "K", "p": "X->K"}, statement), Open)


def test_positive_terms_have_logarithms() -> None:
    variables = {"a": "K>0", "b": "K>0"}
    assert isinstance(attempt(variables, "log(a*a/(3*b)) = 2*log(a) - log(b) - log(3)"), Proved)
    assert isinstance(attempt(variables, "exp(log(2)) = 2"), Proved)
    assert isinstance(attempt(variables, "exp(log(2)) = 1"), Open)


def test_a_hypothesis_at_one_point_is_not_used_under_a_derivative() -> None:
    decision = attempt(
        {"y": "C->K", "j": "C"},
        "diff(S(i,C,y(i)), y(j)) = diff(1, y(j))",
        ("given", "= diff(1, y(j))", {"hypothesis": "S(i,C,y(i)) = 1"}),
        hypotheses=("S(i,C,y(i)) = 1",),
    )
    assert isinstance(decision, Open)


def test_an_infinite_sum_is_not_differentiated_term_by_term() -> None:
    variables = {"w": "Z->K", "x": "Z->K", "j": "Z"}
    statement = "diff(S(k,Z,w(k)*x(k)), w(j)) = x(j)"
    steps = (
        ("differentiate", "= S(k,Z,delta(k,j)*x(k))", {}),
        ("sift", "= x(j)", {"k": "j"}),
    )
    assert isinstance(attempt(variables, statement, *steps), Open)
    finite = tuple((rule, line.replace(",Z,", ",X,"), args) for rule, line, args in steps)
    variables = {"w": "X->K", "x": "X->K", "j": "X"}
    assert isinstance(attempt(variables, statement.replace(",Z,", ",X,"), *finite), Proved)


def test_an_equation_is_not_proved_by_an_inequality() -> None:
    decision = attempt(
        {"a": "K>0"}, "a = a + gap(a)", ("increase", "<= a + gap(a)", {"by": "gap(a)"})
    )
    assert isinstance(decision, Open)


@pytest.mark.parametrize("by", ["log(a)", "-gap(a)", "b", "b*b*b", "a - 1", "S(k,Z,w(k))"])
def test_increase_adds_only_what_is_nonnegative_by_its_form(by: str) -> None:
    variables = {"a": "K>0", "b": "K", "w": "Z->K"}
    decision = attempt(variables, f"a <= a + {by}", ("increase", f"<= a + ({by})", {"by": by}))
    assert isinstance(decision, Open)


def test_squares_of_complex_values_have_no_sign() -> None:
    variables = {"chi": "G->char", "t": "G"}
    step = ("increase", "<= chi(t)*chi(t)", {"by": "chi(t)*chi(t)"})
    assert isinstance(attempt(variables, "0 <= chi(t)*chi(t)", step), Open)


def test_induction_does_not_use_its_hypothesis_at_the_next_number() -> None:
    theorem = {
        "vars": {"r": "N->Z", "n": "N"},
        "hyps": ["r(0) = 0"],
        "statement": "r(n) = 0",
        "proof": {
            "induction": {
                "over": "n",
                "general": [],
                "base": [{"rule": "given", "args": {"hypothesis": "r(0) = 0"}, "line": "= 0"}],
                "step": [{"rule": "given", "args": {"hypothesis": "IH"}, "line": "= 0"}],
            }
        },
    }
    assert isinstance(check(theorem), Open)


def test_induction_needs_a_variable_free_in_no_hypothesis() -> None:
    theorem = {
        "vars": {"r": "N->Z", "n": "N"},
        "hyps": ["r(n) = 0"],
        "statement": "r(n) = 0",
        "proof": {"induction": {"over": "n", "general": [], "base": [], "step": []}},
    }
    assert isinstance(check(theorem), Open)


@pytest.mark.parametrize("phi", ["u*u", "t", "0", "1/2", "u*t"])
def test_the_differential_of_what_is_not_affine_is_refused(phi: str) -> None:
    line = f"L(u,inf,-inf,{phi},f(u))"
    for right in ("0", line, "S(u,R,f(u))"):
        assert isinstance(attempt({"f": "R->K", "t": "R"}, f"{line} = {right}"), Open)


def test_deeply_nested_sums_are_checked_in_linear_time() -> None:
    text = "(" * 30 + "f(t)" + "+f(t))" * 30
    assert isinstance(attempt({"f": "G->K", "t": "G"}, f"{text} = 31*f(t)"), Proved)


TRUSTED = ("kernel", "normal", "terms")


def test_the_kernel_loads_nothing_but_itself_and_the_standard_library() -> None:
    script = (
        "import sys; before = set(sys.modules); import convcheck.proofs.kernel;"
        "print(*(m for m in set(sys.modules) - before"
        " if m.split('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    ours = {"convcheck", "convcheck.proofs", *(f"convcheck.proofs.{name}" for name in TRUSTED)}
    assert set(done.stdout.split()) == ours


def test_the_kernel_can_be_read_in_one_sitting() -> None:
    folder = Path(kernel.__file__).parent
    texts = [(folder / f"{name}.py").read_text(encoding="utf-8") for name in TRUSTED]
    lines = [line for text in texts for line in text.splitlines()]
    assert len(lines) <= 890
    assert max(map(len, lines)) <= 100
