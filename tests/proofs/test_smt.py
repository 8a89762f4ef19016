"""Z3, in a process of its own, agrees on the integer theorems and contradicts false ones."""

from __future__ import annotations

from dataclasses import replace

from convcheck.proofs import theorems
from convcheck.proofs.smt import ask_z3

INTEGERS = [theorem for theorem in theorems() if "nonnegative" in theorem.proof]


def test_z3_contradicts_no_theorem_and_agrees_with_most() -> None:
    answers = ask_z3(INTEGERS, seconds=60)
    assert set(answers) == {theorem.name for theorem in INTEGERS}
    assert "contradicts" not in answers.values()
    assert list(answers.values()).count("agrees") >= 0.8 * len(answers)


def test_z3_contradicts_false_siblings() -> None:
    false = [
        replace(theorem, name=f"false_{theorem.name}", statement=theorem.siblings[0].statement)
        for theorem in INTEGERS
        if theorem.siblings[0].hypotheses is None
    ][:6]
    assert set(ask_z3(false, seconds=60).values()) <= {"contradicts", "unknown"}
    assert "contradicts" in ask_z3(false, seconds=60).values()


def test_a_solver_that_takes_too_long_is_killed_and_says_nothing() -> None:
    assert set(ask_z3(INTEGERS, seconds=0.01).values()) == {"unknown"}
