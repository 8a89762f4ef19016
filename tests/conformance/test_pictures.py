"""Faults of shape, of a gradient and of an element are drawn, in text and as SVG."""

from xml.etree import ElementTree

import numpy as np
import pytest

from convcheck.conformance.bench import Observation, inputs_of
from convcheck.conformance.judge import Contract, judge, want
from convcheck.conformance.outcome import Result, Returned
from convcheck.conformance.pictures.element import picture
from convcheck.conformance.pictures.svg import svg_picture
from convcheck.core.case import parse_case


def spoiled(text, change, output=0):
    """Returns what is seen of a function that is right but for `change` of one result."""
    case = parse_case(text)
    inputs, contract = inputs_of(case), Contract()
    wanted = want(case, inputs, contract)
    arrays = [array.values.astype(case.dtype) for array in wanted.outputs]
    arrays[output] = change(arrays[output])
    outcome = Returned(arrays=tuple(Result(values=a, dtype=case.dtype) for a in arrays))
    problem = judge(case, inputs, outcome, wanted, contract)
    return Observation(case=case, inputs=inputs, wanted=wanted, outcome=outcome, problem=problem)


def one_off(array):
    changed = array.copy()
    changed.flat[0] += 1
    return changed


CONV = "conv2d n1 c1 h5 w6 f1 k3x2 s1 p0 d1 g1"


def test_a_shape_fault_is_drawn_axis_by_axis_with_its_formula():
    short = picture(spoiled(CONV, lambda y: y[..., :-1, :]))
    assert "axis H: expected 3, got 2: 1 missing" in short
    assert "outputs: 0 1 [2]" in short and "= 3" in short and "axis W" not in short
    long = picture(spoiled(CONV, lambda y: np.pad(y, ((0, 0), (0, 0), (0, 0), (0, 2)))))
    assert "axis W: expected 5, got 7: 2 too many" in long and "|5| |6|" in long


def test_axes_that_are_exchanged_or_dropped_are_told():
    assert "exchanged" in picture(spoiled(CONV, lambda y: y.swapaxes(2, 3)))
    assert "3 axes instead of 4" in picture(spoiled(CONV, lambda y: y[0]))


@pytest.mark.parametrize("op", ["conv_transpose2d", "max_pool2d", "conv2d_backward"])
def test_every_family_has_its_shape_faults_drawn(op):
    case = f"{op} n1 c1 h5 w6 {'' if 'pool' in op else 'f1'} k3x2 s1 p0 d1"
    drawn = picture(spoiled(case, lambda y: y[..., :-1]))
    assert "1 missing" in drawn


@pytest.mark.parametrize(
    ("case", "output", "told"),
    [
        ("conv2d_backward n1 c1 h3 w3 f1 k2x2 s1 p0 d1 g1", 0, "grad_x[0, 0, 0, 0]"),
        ("conv2d_backward n1 c1 h3 w3 f1 k2x2 s1 p0 d1 g1", 1, "the sum of 4 products"),
        ("conv_transpose2d_backward n1 c1 h2 w2 f1 k2x2 s1 p0 d1 g1 op0", 0, "4 products"),
    ],
)
def test_a_wrong_gradient_lists_its_products_and_they_sum_to_it(case, output, told):
    seen = spoiled(case, one_off, output)
    text = picture(seen)
    assert told in text
    parts = [line.rpartition("= ")[2].split(" * ") for line in text.splitlines() if " * " in line]
    total = sum(float(a) * float(b) for a, b in parts if a.replace("-", "").isdigit())
    assert total == seen.problem.comparison.expected


@pytest.mark.parametrize("text", [CONV, "conv_transpose2d n1 c1 h3 w4 f1 k3x2 s2 p0 d1 g1 op0"])
def test_the_drawing_is_svg_with_what_is_read_marked(text):
    seen = spoiled(text, one_off)
    drawing = ElementTree.fromstring(svg_picture(seen))
    marked = [rect for rect in drawing.iter() if rect.get("stroke-width") == "2"]
    reads = len([c for c in picture(seen) if c == "["]) - 3  # output [], [ ], weight[]
    assert len(marked) == reads + 2
    assert any("expected, got" in (part.text or "") for part in drawing.iter())


def test_the_drawing_of_a_shape_marks_what_is_missing():
    drawing = ElementTree.fromstring(svg_picture(spoiled(CONV, lambda y: y[..., :-1, :])))
    assert [part.text for part in drawing.iter()].count("?") == 5


def test_a_fault_of_neither_sort_has_no_drawing():
    seen = spoiled("convolve w5 k2 full float64", one_off)
    assert picture(seen) == svg_picture(seen) == ""
