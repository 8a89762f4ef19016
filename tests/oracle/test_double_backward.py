"""The gradient of the gradient is made of the layer's own forms, as torch's graph says."""

import numpy as np
import pytest

from convcheck.core.case import parse_case
from convcheck.oracle import direct
from convcheck.oracle.expected import expected
from convcheck.oracle.inputs import make_inputs

CASES = (
    "conv1d_double_backward n2 c3 w9 f4 k3 s2 p1 d2 g1",
    "conv2d_double_backward n2 c4 h5 w6 f6 k3x2 s2x1 p1x0 d1x2 g2",
    "conv2d_double_backward n2 c4 h5 w6 f6 k3x2 s2x1 p1x0 d1x2 g2 float64 large",
    "conv3d_double_backward n1 c2 z3 h4 w3 f2 k2x2x1 s1 p1 d1 g1",
    "conv_transpose1d_double_backward n2 c3 w4 f2 k3 s2 p1 d1 g1 op1",
    "conv_transpose2d_double_backward n2 c4 h3 w4 f6 k3x2 s2x3 p1x0 d1x2 g2 op1",
)  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_torch_differentiates_twice_to_the_same_bits(text):
    import torch

    from convcheck.conformance.arguments import parameters
    from convcheck.conformance.autograd import double_backward_of
    from convcheck.core.ops import forward_of

    case = parse_case(text)
    forward = getattr(torch.nn.functional, forward_of(case.op))
    derived = double_backward_of(forward, transposed="transpose" in case.op)
    inputs = make_inputs(case)
    found = derived(*map(torch.from_numpy, inputs.values()), **parameters(case))
    for wanted, actual in zip(expected(case, inputs).outputs, found, strict=True):
        assert wanted.exact and wanted.shape == tuple(actual.shape)
        assert np.array_equal(wanted.values, actual.numpy().astype(np.float64))


def test_it_is_the_derivative_of_the_backward_by_the_defining_sums():
    case = parse_case(CASES[1])
    spec, a = case.spec, make_inputs(case)
    first, second, third = (one.values for one in expected(case, a).outputs)
    bias = a["grad_grad_b"]
    layer = direct.conv(a["grad_grad_x"], a["w"], bias, spec=spec)
    assert np.array_equal(first, layer + direct.conv(a["x"], a["grad_grad_w"], spec=spec))
    y = a["grad_output"]
    wanted = direct.input_adjoint(y, a["grad_grad_w"], spec=spec, spatial=case.spatial)
    assert np.array_equal(second, wanted)
    assert np.array_equal(third, direct.weight_adjoint(y, a["grad_grad_x"], spec=spec))
