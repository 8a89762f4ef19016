"""For one shape: every pair of basis arguments, and the hypothesis tested; both can fail."""

from pathlib import Path

import numpy as np
import pytest

from convcheck.conformance.shape_proof import prove_shape
from convcheck.core.case import parse_case
from convcheck.core.errors import UsageError
from convcheck.core.verdict import Verdict
from convcheck.oracle.basis import bilinear_parts
from convcheck.oracle.expected import expected
from convcheck.oracle.forms import argument_shapes

HERE = Path(__file__).parent / "shape_suspects.py"
SHAPE = "conv2d n1 c2 h4 w5 f2 k2x3 s1 p1x0 d1 g1 b1"


def prove(name, case=SHAPE, **options):
    return prove_shape(f"{HERE}:{name}", case, isolated=False, arrays="numpy", **options)


def test_a_right_function_is_right_for_the_whole_shape():
    proof = prove("right", trials=4)
    assert proof.passed and proof.pairs == proof.singly == 2 * 4 * 5 * 24 and not proof.wrong
    told = str(proof)
    assert "960 of 960 pairs" in told and "tested, not shown" in told
    assert f"(d/{2 * proof.largest + 1})^4" in told


def test_one_wrong_pair_of_thousands_is_found():
    proof = prove("wrong_in_one_pair")
    assert proof.verdict is Verdict.FAIL and proof.wrong == 1
    (finding,) = proof.findings
    assert "x[0, 1, 1, 3] and w[1, 0, 0, 1]" in finding.what
    assert "wrong_in_one_pair" in finding.reproduce()


@pytest.mark.parametrize("name", ["clips", "squares_a_little"])
def test_what_is_right_on_every_pair_and_not_linear_is_found_by_the_trials(name):
    proof = prove(name, trials=8)
    assert proof.wrong == 0 and proof.verdict is Verdict.FAIL
    assert "which the basis does not explain" in proof.findings[0].what


def test_a_bias_is_tried_by_itself():
    proof = prove("adds_the_bias_twice")
    assert proof.wrong == 0 and "the bias b[0] alone" in proof.findings[0].what


def test_what_depends_on_the_batch_is_seen_by_the_pairs_that_are_tried_singly():
    case = "conv2d n1 c2 h4 w5 f2 k2x3 s1 p0 d1 g1"
    proof = prove("wrong_alone", case, singly=100)
    assert proof.singly == 100 and proof.wrong > 0
    assert prove("right", case, singly=100, trials=2).passed


def test_sequences_have_the_proof_too():
    assert prove("full", "convolve h2 w4 k2x3 same", trials=2).passed


def test_shapes_without_such_a_proof_are_refused():
    for case, what in (
        ("max_pool2d n1 c1 h4 w4 k2x2 s2 p0 d1", "not bilinear"),
        ("conv2d n1 c64 h64 w64 f64 k3x3 s1 p1 d1 g1", "pairs of basis arguments"),
        ("conv2d n1 c1 h1 w1 f1 k3x3 s1 p0 d1 g1", "does not fit"),
    ):
        with pytest.raises(UsageError, match=what):
            prove("right", case)


@pytest.mark.parametrize(
    "text",
    [
        "conv2d n2 c2 h3 w3 f2 k2x2 s2x1 p1x0 d1 g2",
        "conv_transpose2d n1 c2 h2 w3 f4 k2x2 s2 p1x0 d1 g2 op1",
        "conv2d_backward n1 c2 h3 w3 f2 k2x2 s1 p0 d1 g1",
        "convolve w4 k3 valid",
    ],
)
def test_the_table_of_pairs_is_that_of_the_oracle(text):
    case = parse_case(text)
    for part in bilinear_parts(case):
        shapes = argument_shapes(case)
        for i in range(int(np.prod(shapes[part.left]))):
            for j in range(0, int(np.prod(shapes[part.right])), 3):
                arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
                arrays[part.left].flat[i] = arrays[part.right].flat[j] = 1
                wanted = np.zeros(part.shape)
                if (i, j) in part.ones:
                    wanted.flat[part.ones[i, j]] = 1
                whole = expected(case, arrays).outputs[part.output].values
                assert np.array_equal(whole, wanted)
