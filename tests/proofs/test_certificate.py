"""Certificates survive the journey through a file; what is no certificate is refused clearly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convcheck.core.errors import InputError
from convcheck.proofs import Open, Proved, theorems
from convcheck.proofs.certificate import FORMAT, read_certificates, verify, write_certificates


def test_every_theorem_is_accepted_again_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    write_certificates(str(path), [theorem.certificate() for theorem in theorems()])
    decisions = verify(str(path))
    assert len(decisions) == len(theorems())
    assert all(isinstance(decision, Proved) for decision in decisions)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("PROVED", "not JSON"),
        ("[" * 10_000 + "]" * 10_000, "nests too deep"),
        ("[]", "no certificate"),
        ('{"verdict": "PROVED"}', "no certificate"),
        (f'{{"format": "{FORMAT}", "theorems": []}}', "no certificate"),
        ('{"format": "other", "theorems": [1]}', "no certificate"),
        ("\ufffe", "not JSON"),
    ],
)
def test_what_is_no_certificate_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("utf-16" if text == "\ufffe" else "utf-8"))
    with pytest.raises(InputError, match=says):
        read_certificates(str(path))


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_certificates(str(tmp_path / "none.json"))


def test_a_single_theorem_can_be_given_and_its_stored_verdict_is_ignored(tmp_path: Path) -> None:
    theorem = {**theorems()[0].certificate(), "verdict": "PROVED", "proof": {"chain": []}}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(theorem))
    [decision] = verify(str(path))
    assert isinstance(decision, Open)


def test_a_derivation_from_a_contradiction_is_not_accepted(tmp_path: Path) -> None:
    theorem = {
        "vars": {"x": "Z"},
        "hyps": ["x >= 1", "x <= 0"],
        "statement": "x = x + 1",
        "proof": {"nonnegative": [[[1, [1]], [1, [2]]], [[1, [1]], [1, [2]]]]},
    }
    path = tmp_path / "contradiction.json"
    path.write_text(json.dumps(theorem))
    [decision] = verify(str(path))
    assert isinstance(decision, Open)
    assert "contradiction" in decision.reason
