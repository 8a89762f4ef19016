"""No false mutant of any certificate passes the kernel, and none crashes it."""

from __future__ import annotations

import pytest

from convcheck.proofs import theorems
from convcheck.proofs.mutation import mutants, run_mutation_test


def test_one_mutant_in_thirty_passes_only_if_it_is_true() -> None:
    report = run_mutation_test(theorems(), every=30)
    assert report.passed, (report.accepted_false, report.undecided)
    assert report.mutants > 200
    assert report.refused > 0.9 * report.mutants


@pytest.mark.slow
def test_no_false_mutant_passes() -> None:
    report = run_mutation_test(theorems())
    assert report.passed, (report.accepted_false, report.undecided)
    assert report.mutants > 5_000


def test_every_line_and_the_statement_have_mutants() -> None:
    certificate = theorems()[0].certificate()
    changed = {text.split(":")[0] for text, _ in mutants(certificate)}
    assert {"statement", "proof/chain/0/line", "proof/chain/1/line", "vars/f"} <= changed
