"""A layer whose value and gradient are right can still be wrong in the gradient of the gradient."""

import subprocess
import sys
from pathlib import Path

import pytest

from convcheck.conformance.replay import replay

HERE = Path(__file__).parent / "double_backward_suspects.py"
CASE = "n2 c2 h3 w4 f2 k2x3 s1 p0x1 d1 g1"
OPTIONS = {"isolated": False, "autograd": True}


def judged(name, op):
    return replay(f"{op} {CASE}", f"{HERE}:{name}", **OPTIONS)


@pytest.mark.parametrize("op", ["conv2d_backward", "conv2d_double_backward"])
def test_a_right_layer_passes_both(op):
    assert judged("right", op).passed


@pytest.mark.parametrize(
    ("name", "result"),
    [("forgets_w", "grad_w"), ("forgets_x", "grad_x"), ("doubles_the_second", "grad_grad_output")],
)
def test_a_wrong_second_derivative_is_found_where_the_first_passes(name, result):
    assert judged(name, "conv2d_backward").passed
    report = judged(name, "conv2d_double_backward")
    (finding,) = report.findings
    assert result in finding.what, finding.what
    assert "--autograd" in finding.details["replay"]
    assert len(finding.reproduce().splitlines()) <= 15
    shown = subprocess.run([sys.executable, "-c", finding.reproduce()], capture_output=True)
    assert b"was expected" in shown.stderr
