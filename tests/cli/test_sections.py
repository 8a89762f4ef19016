"""What the report's sections conclude, also from what is false."""

from types import SimpleNamespace

import numpy as np
import pytest

from convcheck.cli.main import main
from convcheck.cli.sections.sizes import compare_with_torch
from convcheck.cli.sections.training import _learned
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
