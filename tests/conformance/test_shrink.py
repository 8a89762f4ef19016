"""A shrunk case fails, and no single move makes it smaller and still failing."""

import pytest

from convcheck.conformance.invalid import must_refuse
from convcheck.conformance.shrink import shrink, smaller
from convcheck.core.case import parse_case

LARGE = parse_case(
    "conv2d n3 c34 h19 w23 f51 k3x5 s2x3 p2x1 d2x1 g17 b1 float64 transposed real seed9"
)

# What fails, and the smallest case that does.
FAULTS = {
    "always": (
        lambda c: True,
        "conv2d n1 c1 h1 w1 f1 k1x1 s1 p0 d1 g1 one_hot int_arguments",
    ),
    "stride along W": (
        lambda c: c.spec.stride[1] > 1,
        "conv2d n1 c1 h1 w1 f1 k1x1 s1x2 p0 d1 g1 one_hot int_arguments",
    ),
    "many channels in a group, bias, batch": (
        lambda c: c.spec.out_channels // c.spec.groups >= 3 and c.spec.bias and c.batch > 1,
        "conv2d n2 c1 h1 w1 f3 k1x1 s1 p0 d1 g1 b1 one_hot int_arguments",
    ),
    "padding with dilation": (
        lambda c: c.spec.padding_pairs()[0][0] > 0 and c.spec.dilation[0] > 1,
        "conv2d n1 c1 h1 w1 f1 k1x1 s1 p1x0 d2x1 g1 one_hot int_arguments",
    ),
    "double precision, wide": (
        lambda c: c.dtype == "float64" and c.spatial[1] > 7,
        "conv2d n1 c1 h1 w8 f1 k1x1 s1 p0 d1 g1 float64 one_hot int_arguments",
    ),
}


def possible(condition):
    return lambda case: not must_refuse(case) and condition(case)


@pytest.mark.parametrize("name", FAULTS)
def test_the_smallest_case_is_found(name):
    condition, smallest = FAULTS[name]
    found = shrink(LARGE, possible(condition))
    assert str(found.case) == smallest
    assert found.minimal


@pytest.mark.parametrize("name", FAULTS)
def test_no_single_step_is_left(name):
    fails = possible(FAULTS[name][0])
    found = shrink(LARGE, fails)
    assert fails(found.case)
    assert not [case for case in smaller(found.case) if fails(case)]


def test_every_move_makes_a_case_smaller_or_simpler():
    for case in smaller(LARGE):
        assert case != LARGE
        assert LARGE not in list(smaller(case))


def test_a_spent_budget_is_told():
    found = shrink(LARGE, possible(lambda c: True), most=3)
    assert not found.minimal
    assert found.tried <= 3


def test_an_impossible_call_stays_impossible():
    case = parse_case("conv2d n2 c4 h6 w6 f4 k3x3 s1 p-2x1 d1 g2 seed3")
    found = shrink(case, lambda c: must_refuse(c) and c.spec.padding[0][0] < 0)
    assert str(found.case) == "conv2d n1 c1 h1 w1 f1 k1x1 s1 p-1x0 d1 g1 one_hot int_arguments"
