"""Faults of a library's fast paths are found among the corners, and would not be without them."""

import pytest
from torch.nn.functional import conv2d

from convcheck.conformance import corners as tables
from convcheck.conformance.check import check_implementation
from convcheck.conformance.corners import corners
from convcheck.conformance.invalid import invalid_cases
from convcheck.core.ops import OPS

OP = OPS["conv2d"]


def two(value):
    return value if isinstance(value, tuple) else (value, value)


def wrong_where(holds):
    """A convolution whose last output is 1 too much where a condition on the call holds."""

    def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        y = conv2d(x, w, b, stride, padding, dilation, groups)
        if isinstance(padding, str) or not y.numel():
            return y
        told = {"k": tuple(w.shape[2:]), "s": two(stride), "p": two(padding), "d": two(dilation)}
        if holds(x=x, w=w, y=y, g=groups, **told):
            y[-1, -1, -1, -1] += 1
        return y

    return function


PATHS = {
    "winograd with groups": lambda k, s, d, g, **_: (k, s, d, g) == ((3, 3), (1, 1), (1, 1), 2),
    "winograd of odd rows": lambda k, s, d, y, **_: (
        (k, s, d) == ((3, 3), (1, 1), (1, 1)) and y.shape[2] % 2 and y.shape[3] % 2
    ),
    "winograd of a wide image": lambda k, s, d, y, w, **_: (
        (k, s, d) == ((3, 3), (1, 1), (1, 1))
        and y.shape[3] >= 2 * y.shape[2] > 2
        and w.shape[1] > 1
    ),
    "3x3 with a stride along one axis": lambda k, s, d, **_: (k, s, d) == ((3, 3), (2, 1), (1, 1)),
    "1x1 with stride and padding": lambda k, s, p, **_: (k, s, p) == ((1, 1), (2, 2), (1, 1)),
    "depthwise and dilated": lambda k, d, g, w, **_: (
        k == (3, 3) and d == (2, 2) and w.shape[1] == 1 and g == len(w) > 1
    ),
    "5x5 with stride": lambda k, s, p, **_: (k, s, p) == ((5, 5), (2, 2), (2, 2)),
}


def found(function):
    most = len(corners(OP)) + len(invalid_cases(OP))
    report = check_implementation(
        function, "conv2d", isolated=False, keep=False, arrays="torch", max_cases=most, seconds=60
    )
    return bool(report.findings)


@pytest.mark.parametrize("path", PATHS)
def test_a_fault_of_one_path_is_found_among_the_corners(path, monkeypatch):
    assert found(wrong_where(PATHS[path]))
    monkeypatch.setattr(tables, "fast_paths", lambda op: ())
    assert not found(wrong_where(PATHS[path]))


def test_an_axis_is_told_from_another_where_all_are_as_long():
    def confused(x, **_):
        n, c, h, w = x.shape
        return n == c == h == w and not x.is_contiguous()

    assert found(wrong_where(confused))


@pytest.mark.parametrize("width", [16, 32, 64])
def test_an_output_exactly_as_wide_as_a_tile_is_tried(width):
    assert found(wrong_where(lambda y, **_: y.shape[3] == width))
