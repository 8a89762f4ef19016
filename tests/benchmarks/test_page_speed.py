"""Time to build the page and a figure; run with `pytest tests/benchmarks --benchmark-only`."""

from convcheck.core.case import parse_case
from convcheck.visualizer.drawing import draw_size, draw_window
from convcheck.visualizer.page import build_page

CASE = "conv2d n1 c1 h9 w9 f1 k3x3 s2 p1 d1 g1"


def test_page_speed(benchmark):
    assert benchmark(build_page).startswith("<!doctype html>")


def test_size_figure_speed(benchmark):
    assert benchmark(draw_size, 32, 5, stride=2, padding=(1, 1)).startswith("<svg")


def test_window_figure_speed(benchmark):
    assert benchmark(draw_window, parse_case(CASE), (1, 1)).startswith("<svg")
