"""`convcheck claim`: verdicts, exit codes, JSON."""

import json

import pytest

from convcheck.cli.main import main


def _run(capsys, *arguments):
    code = main(["claim", *arguments])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_a_true_claim_exits_0_and_names_its_hypotheses(capsys):
    code, out, err = _run(capsys, "conv(f, g) == conv(g, f)")
    assert code == 0 and not err
    assert out.startswith("PROVED")
    assert "sequences on Z with finite support" in out
    assert "conv(f, g)[t] = sum over s of f[s] g[t - s]" in out


def test_a_false_claim_exits_1_with_both_sides_at_the_counterexample(capsys):
    code, out, _ = _run(capsys, "corr(f, g) == corr(g, f)")
    assert code == 1
    assert out.startswith("REFUTED")
    assert "(corr(f, g))[-1] = 0, (corr(g, f))[-1] = 1" in out


def test_an_open_claim_exits_3_with_its_reason(capsys):
    code, out, _ = _run(capsys, "conv(f, g) == 0 implies f == 0 or g == 0")
    assert code == 3
    assert out.startswith("OPEN") and "because" in out


def test_one_refuted_claim_among_proved_ones_exits_1(capsys):
    code, out, _ = _run(capsys, "-q", "flip(flip(f)) == f", "flip(f) == f")
    assert code == 1
    assert out.split("\n")[:2] == ["PROVED   flip(flip(f)) == f", "REFUTED  flip(f) == f"]


def test_json_on_stdout_is_all_that_stdout_holds(capsys):
    code, out, _ = _run(capsys, "--json", "-", "KL(p, q) == KL(q, p)", "W//s <= W")
    claims = json.loads(out)["claims"]
    assert code == 1
    assert [entry["decision"] for entry in claims] == ["Refuted", "Proved"]
    assert set(claims[0]["witness"]) == {"p", "q"}
    assert "W >= 1" in claims[1]["hypotheses"]


@pytest.mark.parametrize("text", ["conv(f, g", "foo == 1", "x" * 10_000, "", "f", "a = = b"])
def test_bad_text_exits_2_with_one_message(capsys, text):
    code, out, err = _run(capsys, text)
    assert code == 2 and not out
    assert err.startswith("UsageError: ") and "Traceback" not in err


def test_no_text_exits_2(capsys):
    code, _, err = _run(capsys)
    assert code == 2 and "Missing argument" in err


def test_the_budget_ends_in_open(capsys):
    code, out, _ = _run(capsys, "--seconds", "0.1", "x^3 + y^3 != z^3 given x >= 9, y >= 9, z >= 9")
    assert code == 3
    assert "OPEN" in out
