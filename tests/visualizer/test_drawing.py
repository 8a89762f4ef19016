"""The figures are well-formed, say the right numbers, and draw what the arithmetic says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import product

import pytest

from convcheck.core.case import parse_case
from convcheck.core.errors import GeometryError
from convcheck.core.shapes import output_shape
from convcheck.visualizer import svg
from convcheck.visualizer.drawing import (
    draw_convolution_flip,
    draw_pooling,
    draw_receptive_fields,
    draw_receptive_squares,
    draw_size,
    draw_window,
)
from convcheck.visualizer.geometry import fed_by, reads

NAMESPACE = "{http://www.w3.org/2000/svg}"


def shapes(figure: str, tag: str, **wanted: str) -> list[ElementTree.Element]:
    """The figure's elements of that tag with those attributes; parsing proves it well-formed."""
    root = ElementTree.fromstring(figure)
    return [
        found
        for found in root.iter(NAMESPACE + tag)
        if all(found.get(name) == value for name, value in wanted.items())
    ]


def texts(figure: str) -> list[str]:
    return [found.text or "" for found in shapes(figure, "text")]


def all_figures() -> list[str]:
    return [
        draw_size(32, 5),
        draw_size(4, 3, dilation=3),
        draw_size(4, 3, op="conv_transpose", stride=2, padding=(1, 1), output_padding=1),
        draw_window(parse_case("conv2d n1 c1 h5 w5 f1 k3x3 s1 p1 d1 g1"), (0, 4)),
        draw_pooling(),
        draw_receptive_fields(),
        draw_receptive_squares(),
        draw_convolution_flip(),
    ]


def test_every_figure_has_a_title_a_description_and_its_own_background():
    for figure in all_figures():
        assert shapes(figure, "title")[0].text
        assert shapes(figure, "desc")[0].text
        assert shapes(figure, "rect")[0].get("fill") == svg.PAPER
        assert "style" not in figure and "<script" not in figure


def test_no_figure_draws_outside_its_card():
    for figure in all_figures():
        root = ElementTree.fromstring(figure)
        width, height = (float(root.get(name, "nan")) for name in ("width", "height"))
        for box in shapes(figure, "rect"):
            x, y, w, h = (float(box.get(name, "nan")) for name in ("x", "y", "width", "height"))
            assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for text in shapes(figure, "text", **{"text-anchor": "start"}):
            length = len(text.text or "") * float(text.get("font-size", "nan")) * 0.5
            assert float(text.get("x", "nan")) + length <= width


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation"),
    [(32, 5, 1, (0, 0), 1), (7, 3, 2, (1, 1), 1), (8, 3, 2, (0, 1), 2), (6, 1, 4, (0, 0), 3)],
)
def test_size_figure_has_one_output_cell_per_window(size, kernel, stride, padding, dilation):
    figure = draw_size(size, kernel, stride=stride, padding=padding, dilation=dilation)
    span = dilation * (kernel - 1) + 1
    expected = (size + sum(padding) - span) // stride + 1
    unread = (size + sum(padding) - span) % stride
    assert len(shapes(figure, "rect", fill=svg.OUTPUT_TINT)) == expected
    assert len(shapes(figure, "rect", fill=svg.INPUT_TINT)) == size
    assert len(shapes(figure, "rect", fill=svg.UNREAD)) == unread
    assert f"size {expected}" in texts(figure)
    assert f"l2 = {span}" in texts(figure)


def test_size_figure_of_an_impossible_setting_shows_no_output_and_says_why():
    figure = draw_size(4, 3, dilation=3)
    assert not shapes(figure, "rect", fill=svg.OUTPUT_TINT)
    assert any(text.startswith("kernel does not fit") for text in texts(figure))
    assert any("dilation <= 1" in text for text in texts(figure))


@pytest.mark.parametrize("setting", [{"stride": 0}, {"kernel": 0}, {"dilation": 0}])
def test_size_figure_of_nonsense_is_a_figure_with_the_refusal(setting):
    figure = draw_size(**({"size": 4, "kernel": 3} | setting))
    assert any(text.startswith(next(iter(setting))) for text in texts(figure))


def test_size_figure_refuses_more_than_it_can_draw():
    with pytest.raises(GeometryError, match="too many to draw"):
        draw_size(10**6, 3)


def test_transposed_taps_are_the_adjoint_of_the_window():
    settings = product(range(1, 6), range(1, 4), range(1, 4), range(3), range(1, 3))
    for out, kernel, stride, before, dilation in settings:
        read = {
            (index, tap, position)
            for position in range(out)
            for tap, index in enumerate(reads(position, kernel, stride, before, dilation))
            if 0 <= index < 12
        }
        fed = {
            (index, tap, position)
            for index in range(12)
            for position, tap in fed_by(index, out, kernel, stride, before, dilation)
        }
        assert read == fed


def test_transposed_figure_counts_the_products_of_every_output():
    figure = draw_size(3, 3, op="conv_transpose", stride=2)
    assert [text for text in texts(figure) if text.isdigit()] == [
        "0", "1", "2", "1", "1", "2", "1", "2", "1", "1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "descriptor",
    [
        "conv2d n1 c1 h5 w6 f1 k3x2 s2x1 p1:0x1 d1x2 g1",
        "max_pool2d n1 c1 h6 w6 k3x3 s2 p1 d1 ceil",
        "conv1d n1 c1 w9 f1 k3 s2 p1 d2 g1",
        "conv_transpose2d n1 c1 h3 w3 f1 k2x2 s2 p0 d1 g1 op1",
    ],
)
def test_window_figure_has_the_output_of_the_size_formula(descriptor):
    case = parse_case(descriptor)
    out = output_shape(case)[2:]
    last = ((0,) * (2 - len(out)) + tuple(extent - 1 for extent in out))[-2:]
    figure = draw_window(case, last)
    cells = 1
    for extent in out:
        cells *= extent
    assert len(shapes(figure, "rect", fill=svg.OUTPUT_TINT)) == cells
    assert len(shapes(figure, "rect", fill="none", stroke=svg.OUTPUT)) == 1


def test_window_figure_marks_the_taps_in_the_padding_too():
    figure = draw_window(parse_case("conv2d n1 c1 h4 w4 f1 k3x3 s1 p1 d1 g1"), (0, 0))
    assert len(shapes(figure, "rect", fill="none", stroke=svg.KERNEL)) == 9 + 9
    assert "[(-1, -1), (-1, 0)" in shapes(figure, "desc")[0].text


@pytest.mark.parametrize(
    ("descriptor", "position", "says"),
    [
        ("conv3d n1 c1 z3 h3 w3 f1 k2x2x2 s1 p0 d1 g1", (0, 0), "no window picture"),
        ("cross_entropy n2 c3 mean index", (0, 0), "no window picture"),
        ("conv2d n1 c1 h4 w4 f1 k3x3 s1 p0 d1 g1", (2, 0), "outside the output"),
        ("conv2d n1 c1 h99 w4 f1 k3x3 s1 p0 d1 g1", (0, 0), "too many"),
        ("conv2d n1 c1 h2 w2 f1 k3x3 s1 p0 d1 g1", (0, 0), "does not fit"),
    ],
)
def test_window_figure_refuses_what_it_cannot_draw(descriptor, position, says):
    with pytest.raises(GeometryError, match=says):
        draw_window(parse_case(descriptor), position)


def test_pooling_figure_shows_the_maximum_and_the_mean():
    assert texts(draw_pooling(((1, 2), (3, 5))))[-1] == "2.75"
    assert "5" in texts(draw_pooling(((1, 2), (3, 5))))


def test_receptive_field_of_doubling_dilations_is_3_7_15_without_holes():
    said = shapes(draw_receptive_fields((1, 2, 4)), "desc")[0].text or ""
    assert "3, 7, 15" in said and "no holes" in said
    counted = shapes(draw_receptive_squares((1, 2, 4)), "desc")[0].text or ""
    assert "3 x 3, 9 read; 7 x 7, 49 read; 15 x 15, 225 read" in counted


def test_receptive_field_of_equal_dilations_has_holes():
    figure = draw_receptive_fields((2, 2, 2))
    assert "never reads 6 of its elements" in (shapes(figure, "desc")[0].text or "")
    assert "input: 7 of 13 are read" in texts(figure)


@pytest.mark.parametrize("dilations", [(), (0,), (1, -1), (100, 100)])
def test_receptive_field_figures_refuse_nonsense(dilations):
    for draw in (draw_receptive_fields, draw_receptive_squares):
        with pytest.raises(GeometryError):
            draw(dilations)


@pytest.mark.parametrize("at", range(6))
def test_flip_figure_has_equal_sums_on_both_sides(at):
    f, g = (1, 2, 3, 2), (1, 0, -1)
    sums = [text for text in texts(draw_convolution_flip(f, g, at=at)) if "=" in text][1:]
    left, right = (text.rsplit("= ", 1)[1] for text in sums)
    expected = sum(f[i] * g[at - i] for i in range(4) if 0 <= at - i < 3)
    assert int(left) == int(right) == expected


def test_flip_figure_refuses_a_t_outside_the_result():
    with pytest.raises(GeometryError, match="t must lie in"):
        draw_convolution_flip((1,), (1,), at=1)


def test_figure_text_is_escaped():
    figure = svg.card(100, 50, "<img src=x onerror=alert(1)>", "&", [svg.label(0, 0, "<b>")])
    assert "<img" not in figure and "<b>" not in figure
    assert shapes(figure, "text")[0].text == "<img src=x onerror=alert(1)>"
