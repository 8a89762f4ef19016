"""The list of statements: of the false none is proved and all are refuted, of the true all proved.

Statements about sequences, and false ones, are decided in milliseconds; of the other true ones
every fifth is run by default and all with `-m slow`.
"""

from collections import Counter
from pathlib import Path

import pytest

from convcheck.proofs import Open, Proved, Refuted, claim
from convcheck.proofs.claims.decide import family
from convcheck.proofs.claims.language import parse_claim

LINES = (Path(__file__).parent / "statements.txt").read_text(encoding="utf-8").splitlines()
STATEMENTS = [(line[0], line[2:]) for line in LINES if line[:2] in ("T ", "F ", "U ")]
EXPECTED = {"T": Proved, "F": Refuted, "U": Open}


def _parameters():
    slow_ones = 0
    for truth, text in STATEMENTS:
        marks = []
        if truth == "U" or truth == "T" and family(parse_claim(text)) != "sequences":
            slow_ones += 1
            marks = [pytest.mark.slow] if slow_ones % 5 else []
        yield pytest.param(truth, text, id=f"{truth} {text}", marks=marks)


@pytest.mark.parametrize(("truth", "text"), list(_parameters()))
def test_statement_is_decided(truth, text):
    decision = claim(text)
    assert type(decision) is EXPECTED[truth], decision
    if truth == "F":
        assert decision.shows


def test_the_list_has_both_kinds_in_every_family():
    counts = Counter((truth, family(parse_claim(text))) for truth, text in STATEMENTS)
    for name in ("sequences", "integers", "distributions"):
        assert counts["T", name] >= 40
        assert counts["F", name] >= 35
    assert len({text for _, text in STATEMENTS}) == len(STATEMENTS)
