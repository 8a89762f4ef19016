"""Derivations are rendered line by line, with a verdict beside each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from convcheck.proofs import theorems
from convcheck.proofs.catalogue import find_theorem
from convcheck.proofs.lines import list_lines, to_latex, to_markdown, to_text


def test_one_line_of_the_notes_is_a_verbatim_repeat() -> None:
    lines = list_lines(find_theorem("convolution_commutes_as_in_the_notes"))
    assert [line.verdict for line in lines] == ["given", "follows", "repeats", "follows", "follows"]


def test_a_wrong_line_is_marked_and_those_after_it_judged_by_themselves() -> None:
    theorem = find_theorem("convolution_commutes_as_in_the_notes")
    steps = [dict(step) for step in theorem.proof["chain"]]
    steps[2]["line"] = "= -S(u,R,f(t-u)*g(u))"
    lines = list_lines(replace(theorem, proof={"chain": steps}))
    assert [line.verdict for line in lines][3:] == ["does not follow", "does not follow"]


@pytest.mark.parametrize("theorem", theorems(), ids=lambda theorem: theorem.name)
def test_every_derivation_renders(theorem) -> None:
    lines = list_lines(theorem)
    assert {line.verdict for line in lines} <= {"given", "follows", "repeats"}
    assert to_text(theorem).count("\n") + 1 == len(lines)
    assert to_markdown(theorem).count("\n") + 1 == len(lines) + 2
    text = to_latex(theorem)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_the_notes_limits_are_printed_reversed() -> None:
    text = to_latex(find_theorem("convolution_commutes_as_in_the_notes"))
    assert r"\int_{+\infty}^{-\infty} f(t - u)\,g(u)\, d(t - u)" in text
