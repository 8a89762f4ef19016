"""Single elements are those of the whole result."""

import numpy as np
import pytest

from convcheck.core.case import parse_case
from convcheck.oracle.elements import element
from convcheck.oracle.expected import expected
from convcheck.oracle.inputs import make_inputs

CASES = (
    "conv1d n2 c2 w9 f4 k3 s2 p1 d2 g2 b1",
    "conv2d n2 c4 h5 w6 f6 k3x2 s2x1 p1x0 d1x2 g2 b1",
    "conv2d n1 c2 h4 w4 f2 k3x2 s1 psame d1 g1",
    "conv3d n1 c2 z3 h4 w3 f2 k2x2x1 s1 p1 d1 g1",
    "conv_transpose2d n2 c4 h3 w4 f6 k3x2 s2x3 p1x0 d1x2 g2 op1 b1",
    "conv2d_backward n2 c4 h5 w6 f6 k3x2 s2x1 p1x0 d1x2 g2",
    "conv_transpose2d_backward n2 c4 h3 w4 f6 k3x2 s2x3 p1x0 d1x2 g2 op1",
    "max_pool2d n2 c2 h6 w5 k3x2 s2 p1 d1 ceil",
    "avg_pool2d n2 c2 h6 w5 k3x2 s2 p1 d1 ceil exclude_pad",
    "convolve h4 w5 k3x2 full", "convolve h4 w5 k3x2 same", "convolve h4 w5 k3x2 valid",
    "convolve w3 k5 same", "convolve w3 k5 valid",
)  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_every_element_is_that_of_the_whole(text):
    case = parse_case(text)
    inputs = make_inputs(case)
    for output, whole in enumerate(expected(case, inputs).outputs):
        for index in np.ndindex(whole.shape):
            assert element(case, inputs, index, output=output) == whole.values[index], index
