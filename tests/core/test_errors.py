"""Errors tell what, why, where and how to fix it."""

import re

import pytest

from convcheck.core.case import parse_case
from convcheck.core.errors import ConvcheckError, GeometryError, UsageError, nearest
from convcheck.core.ops import find_op
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import conv_output_size, conv_transpose_output_size, pool_output_size


def test_the_four_parts_stand_on_three_lines():
    with pytest.raises(GeometryError) as caught:
        output_shape(parse_case("conv2d n1 c3 h4 w9 f8 k3x3 s1 p1 d3 g1"))
    assert str(caught.value).splitlines() == [
        "kernel does not fit: effective kernel 7 (dilation 3 x (kernel 3 - 1) + 1) is larger than "
        "the padded input 6 (4 + 2 x 1)",
        "  in:  conv2d n1 c3 h4 w9 f8 k3x3 s1 p1 d3 g1",
        "  fix: use padding >= 2, or dilation <= 2, or an input of at least 5",
    ]


@pytest.mark.parametrize(
    ("size", "kernel", "padding", "dilation"),
    [(4, 3, 1, 3), (1, 5, 0, 1), (2, 9, 1, 2), (3, 4, 0, 1)],
)
def test_every_fix_that_is_proposed_works(size, kernel, padding, dilation):
    with pytest.raises(GeometryError) as caught:
        conv_output_size(size, kernel, padding=padding, dilation=dilation)
    proposed = dict(re.findall(r"(padding|dilation|input)\D*(\d+)", caught.value.fix))
    assert "padding" in proposed and "input" in proposed
    tried = {"size": size, "padding": padding, "dilation": dilation}
    for name, value in proposed.items():
        name = "size" if name == "input" else name
        changed = {**tried, name: int(value)}
        assert conv_output_size(changed.pop("size"), kernel, **changed) >= 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: conv_output_size(5, 3, stride=1.5),
        lambda: conv_output_size(5, 3, stride=True),
        lambda: conv_output_size(5, "3"),
        lambda: conv_output_size(5, None),
        lambda: conv_output_size((5, 5), (3, 3, 3)),
        lambda: conv_output_size((), 3),
        lambda: conv_output_size(5, 3, padding="full"),
        lambda: conv_output_size((5, 5), 3, padding=((1, 1), (1, 1), (1, 1))),
        lambda: conv_transpose_output_size(5, 3, padding="same"),
        lambda: pool_output_size(5, 3, padding="same"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused_with_their_value(call):
    with pytest.raises(GeometryError) as caught:
        call()
    assert caught.value.what


def test_errors_are_of_one_family_and_geometry_is_a_value_error():
    assert issubclass(GeometryError, ValueError) and issubclass(GeometryError, ConvcheckError)
    assert str(ConvcheckError("only what")) == "only what"


def test_unknown_names_come_with_the_nearest_known_ones():
    with pytest.raises(UsageError, match="did you mean conv2d"):
        find_op("conv2")
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert nearest("zzz", []) == "nothing is known here"
