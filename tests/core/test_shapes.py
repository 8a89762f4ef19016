"""The shape of a case's result, and the cases that have none."""

import pytest

from convcheck.core.case import parse_case
from convcheck.core.errors import GeometryError
from convcheck.core.shapes import output_shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("conv2d n2 c3 h32 w32 f6 k5x5 s1 p0 d1 g1", (2, 6, 28, 28)),
        ("conv1d n0 c3 w9 f6 k3 s1 psame d2 g3", (0, 6, 9)),
        ("conv2d_backward n1 c1 h5 w4 f2 k3x2 s2x1 p1 d1 g1", (1, 2, 3, 5)),
        ("conv2d n1 c1 h5 w4 f2 k3x2 s1 p0:1x2:0 d1 g1", (1, 2, 4, 5)),
        ("conv_transpose3d n1 c2 z2 h3 w4 f2 k2x2x2 s2 p0 d1 g1 op1", (1, 2, 5, 7, 9)),
        ("max_pool2d n1 c2 h5 w5 k2x2 s2 p0 d1 ceil", (1, 2, 3, 3)),
        ("avg_pool3d n1 c2 z4 h5 w5 k2x2x2 s2 p0 d1", (1, 2, 2, 2, 2)),
        ("cross_entropy n2 c3 mean index", ()),
        ("cross_entropy n2 c3 w4 none index", (2, 4)),
        ("kl_div n2 c3 w4 none", (2, 3, 4)),
        ("convolve h5 w4 k2x3 full", (6, 6)),
        ("convolve h5 w4 k2x3 same", (5, 4)),
        ("convolve h2 w3 k5x4 valid", (4, 2)),
        ("output_size w32 k5 s1 p0 d1", (28,)),
    ],
)
def test_shape_of_a_possible_case(text, shape):
    assert output_shape(parse_case(text)) == shape


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("conv2d n1 c3 h4 w9 f8 k3x3 s1 p1 d3 g1", "kernel does not fit"),
        ("conv2d n1 c3 h4 w4 f4 k3x3 s1 p1 d1 g2", "in_channels 3 is not divisible by groups 2"),
        ("conv2d n1 c2 h4 w4 f3 k3x3 s1 p1 d1 g2", "out_channels 3 is not divisible"),
        ("conv2d n1 c2 h4 w4 f2 k3x3 s1 p1 d1 g0", "groups 0"),
        ("conv2d n1 c0 h4 w4 f2 k3x3 s1 p1 d1 g1", "in_channels 0"),
        ("conv2d n1 c2 h4 w4 f0 k3x3 s1 p1 d1 g1", "out_channels 0"),
        ("conv2d n-1 c2 h4 w4 f2 k3x3 s1 p1 d1 g1", "batch -1"),
        ("conv2d n1 c2 h0 w4 f2 k3x3 s1 p2 d1 g1", "input_size 0"),
        ("conv2d n1 c2 h4 w4 f2 k3x3 s0 p1 d1 g1", "stride 0"),
        ("conv2d n1 c2 h4 w4 f2 k3x3 s1 p-1 d1 g1", "padding -1"),
        ("conv2d n1 c2 h4 w4 f2 k3x3 s1 p1 d0 g1", "dilation 0"),
        ("conv2d n1 c2 h4 w4 f2 k0x3 s1 p1 d1 g1", "kernel_size 0"),
        ("conv2d n1 c2 h4 w4 f2 k3x3 s2 psame d1 g1", 'padding "same" with stride'),
        ("conv2d n1 c2 h4 w4 f2 k3x3 s1 p4 d1 g1 reflect", "reflect padding 4"),
        ("conv2d n1 c2 h4 w4 f2 k3x3 s1 p5 d1 g1 circular", "circular padding 5"),
        ("conv_transpose2d n1 c2 h4 w4 f2 k3x3 s1 p1 d1 g1 op1", "output_padding 1"),
        ("conv_transpose2d n1 c2 h4 w4 f2 k3x3 s1 psame d1 g1", "padding 'same'"),
        ("conv_transpose2d n1 c2 h4 w4 f2 k3x3 s1 p1 d1 g1 circular", "padding_mode 'circular'"),
        ("conv_transpose1d n1 c2 w1 f2 k1 s1 p1 d1 g1", "nothing is left"),
        ("max_pool2d n1 c2 h4 w4 k3x3 s1 p2 d1", "more than half the kernel"),
        ("max_pool2d n1 c0 h4 w4 k3x3 s1 p1 d1", "channels 0"),
        ("avg_pool2d n1 c2 h9 w9 k3x3 s1 p0 d2", "average pooling has no dilation"),
        ("avg_pool3d n1 c2 z2 h9 w9 k3x3x3 s1 p1 d1", "smaller than the kernel"),
        ("cross_entropy n1 c0 mean index", "classes 0"),
        ("convolve h4 w4 k5x3 valid", "neither sequence contains the other"),
        ("convolve h0 w4 k1x3 full", "empty sequence"),
        ("output_size w3 k5 s1 p0 d1", "kernel does not fit"),
    ],
)
def test_an_impossible_case_says_why_and_where(text, says):
    with pytest.raises(GeometryError, match=says) as caught:
        output_shape(parse_case(text))
    assert caught.value.where == str(parse_case(text))
    assert f"in:  {caught.value.where}" in str(caught.value)
