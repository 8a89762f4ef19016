"""What the report's sections conclude, also from what is false."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from convcheck.cli.main import main
from convcheck.cli.sections.context import Context
from convcheck.cli.sections.sizes import compare_with_torch
from convcheck.cli.sections.training import _learned
from convcheck.cli.sections.training_runs import comparison, further_runs, spreads
from convcheck.core.ops import OPS
from convcheck.core.sizes import conv_output_size
from convcheck.core.verdict import Verdict
from convcheck.notes.evidence import by_claim


def result(accuracy: float | None) -> SimpleNamespace:
    return SimpleNamespace(
        accuracy=accuracy, steps=5, total_steps=9, classes=range(10),
        confusion=np.full((10, 10), 20),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("accuracy", "verdict"),
    [(0.5, Verdict.PASS), (0.1, Verdict.FAIL), (0.115, Verdict.FAIL), (None, Verdict.UNKNOWN)],
)
def test_a_run_that_guesses_has_not_learned(accuracy: float | None, verdict: Verdict) -> None:
    assert _learned(result(accuracy)).verdict is verdict


def a_run(recipe: str, seed: int, accuracy: float | None) -> SimpleNamespace:
    return SimpleNamespace(
        recipe=recipe, seed=seed, accuracy=accuracy, mirrored_accuracy=None, data="pictures",
        steps=5, seconds=2.0,
    )  # fmt: skip


def test_the_spread_is_of_the_runs_of_one_recipe_that_ended() -> None:
    runs = [a_run("notes", 0, 0.53), a_run("notes", 1, 0.55), a_run("typical", 0, 0.84)]
    assert spreads(runs) == ["Recipe notes over 2 seeds: 54.0 ± 1.4 % (53.00 to 55.00)."]
    assert spreads([a_run("notes", 0, 0.53), a_run("notes", 1, None)]) == []
    assert len(comparison(runs)[1].rows) == 3 and comparison(runs[:1]) == []


@pytest.mark.parametrize(
    ("full", "data", "ran"),
    [
        (True, "pictures", [("notes", 4), ("notes", 5), ("typical", 3)]),
        (True, "shapes10", []),
        (False, "pictures", []),
    ],
)
def test_a_full_report_on_named_pictures_runs_more_seeds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, full: bool, data: str, ran: list
) -> None:
    asked = []

    def train(recipe: str, data: str, *, seed: int, **_: object) -> SimpleNamespace:
        asked.append((recipe, seed))
        return SimpleNamespace(interrupted=False)

    monkeypatch.setattr("convcheck.training.train", train)
    context = Context(
        profile="full" if full else "quick", data=data, seed=3, out=tmp_path, pictures=False,
        resume=False, say=lambda line: None,
    )  # fmt: skip
    assert len(further_runs(context)) == len(ran) and asked == ran


def test_a_wrong_size_formula_disagrees_with_torch() -> None:
    def wrong(size, kernel, **options):  # type: ignore[no-untyped-def]
        return conv_output_size(size, kernel, **{**options, "dilation": 1})

    assert not compare_with_torch("conv", conv_output_size, 100, 0).disagreement
    assert compare_with_torch("conv", wrong, 100, 0).disagreement


def test_a_false_claim_is_a_reading_that_fails() -> None:
    assert by_claim("conv(f, g) == conv(g, f)", "").holds is True
    assert by_claim("corr(f, g) == corr(g, f)", "").holds is False


def test_help_names_every_operation_and_its_signature(capsys: pytest.CaptureFixture[str]) -> None:
    main(["test", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert all(op.name in told and " ".join(op.signature.split()) in told for op in OPS.values())
