"""The interactive page, and the figures of the report: both drawn from one geometry.

May import: oracle, core.
"""

from convcheck.visualizer.drawing import (
    draw_convolution_flip,
    draw_pooling,
    draw_receptive_fields,
    draw_receptive_squares,
    draw_size,
    draw_window,
)
from convcheck.visualizer.page import build_page
from convcheck.visualizer.page_data import PageCase, PageLayer, PageStack

__all__ = [
    "PageCase",
    "PageLayer",
    "PageStack",
    "build_page",
    "draw_convolution_flip",
    "draw_pooling",
    "draw_receptive_fields",
    "draw_receptive_squares",
    "draw_size",
    "draw_window",
]
