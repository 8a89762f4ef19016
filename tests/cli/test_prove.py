"""`convcheck prove` and `convcheck verify`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convcheck.cli.main import main


def test_list_names_every_theorem(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--list"]) == 0
    out = capsys.readouterr().out
    assert "convolution_commutes " in out
    assert int(out.strip().splitlines()[-1].split()[0]) >= 60


def test_steps_show_the_notes_derivation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "convolution_commutes_as_in_the_notes", "--steps"]) == 0
    out = capsys.readouterr().out
    assert "L(u,inf,-inf,t-u,f(t-u)*g(u))" in out
    assert "1 of 1 proved" in out


def test_an_unknown_theorem_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "no_such"]) == 2
    assert "no theorem 'no_such'" in capsys.readouterr().err


def test_a_certificate_goes_out_and_comes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "c.json")
    assert main(["prove", "convolution_commutes", "same_padding", "--certificate", path]) == 0
    assert main(["verify", path]) == 0
    assert "2 of 2 derivations follow" in capsys.readouterr().out


def test_a_wrong_line_is_shown_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    assert main(["prove", "convolution_commutes", "--certificate", str(path)]) == 0
    path.write_text(path.read_text().replace("f(t-u)*g(u)", "f(t+u)*g(u)"))
    assert main(["verify", str(path)]) == 1
    assert "at the line  = S(u,G,f(t+u)*g(u))" in capsys.readouterr().out


def test_what_is_no_certificate_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.json"
    path.write_text("PROVED")
    assert main(["verify", str(path)]) == 2
    assert "not JSON" in capsys.readouterr().err


def test_json_to_stdout_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "same_padding", "--json", "-"]) == 0
    row = json.loads(capsys.readouterr().out)["theorems"][0]
    assert row["verdict"] == "PASS"
    assert row["checks"]
