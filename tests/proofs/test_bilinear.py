"""Fast filters: published matrices are accepted, every single change is refused."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from convcheck.core.errors import InputError
from convcheck.core.verdict import Verdict
from convcheck.proofs.bilinear import error_amplification, nest, verify_bilinear, winograd_matrices

# Lavin and Gray, F(2, 3): B^T, G, A^T
LAVIN_BT = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]
LAVIN_G = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]
LAVIN_AT = [[1, 1, 1, 0], [0, 1, -1, -1]]
# wincnn, F(4, 3) at 0, 1, -1, 2, -2
WINCNN_BT = [
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1],
]  # fmt: skip
WINCNN_G = [
    ["1/4", 0, 0], ["-1/6", "-1/6", "-1/6"], ["-1/6", "1/6", "-1/6"],
    ["1/24", "1/12", "1/6"], ["1/24", "-1/12", "1/6"], [0, 0, 1],
]  # fmt: skip
WINCNN_AT = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
POINTS = {
    (2, 3): (0, 1, -1),
    (4, 3): (0, 1, -1, 2, -2),
    (6, 3): (0, 1, -1, 2, -2, "1/2", "-1/2"),
}


def _transposed(rows):
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("a", "b", "g"),
    [
        (_transposed(LAVIN_AT), _transposed(LAVIN_BT), LAVIN_G),
        (_transposed(WINCNN_AT), _transposed(WINCNN_BT), WINCNN_G),
    ],
)
def test_published_matrices_are_accepted(a, b, g):
    check = verify_bilinear(a, b, g)
    assert check and check.verdict is Verdict.PASS and not check.reading


def test_published_transposes_are_accepted_and_said():
    check = verify_bilinear(LAVIN_AT, LAVIN_BT, LAVIN_G)
    assert check.holds and check.reading == "A as A^T, B as B^T"


def test_floats_are_read_as_the_fractions_that_they_round():
    floats = [[float(Fraction(entry)) for entry in row] for row in WINCNN_G]
    assert verify_bilinear(WINCNN_AT, WINCNN_BT, floats).holds


def test_single_precision_is_read_as_what_it_rounds():
    single = np.array([[float(Fraction(x)) for x in row] for row in WINCNN_G], dtype=np.float32)
    assert verify_bilinear(WINCNN_AT, WINCNN_BT, single)
    # in double precision the same numbers are other fractions, and that is said
    check = verify_bilinear(WINCNN_AT, WINCNN_BT, single.astype(float))
    assert not check and "give it as text" in check.shows
    single[3, 2] += 2e-8
    assert not verify_bilinear(WINCNN_AT, WINCNN_BT, single)


@pytest.mark.parametrize(("size", "points"), list(POINTS.items()))
def test_constructed_matrices_are_accepted(size, points):
    check = verify_bilinear(*winograd_matrices(*size, points))
    m, r = size
    assert check.holds
    assert (check.outputs, check.taps, check.axes) == (m, r, 1)
    assert (check.multiplications, check.direct) == (m + r - 1, m * r)


def test_amplification_is_that_of_the_literature():
    assert verify_bilinear(*winograd_matrices(2, 3, POINTS[2, 3])).amplification == Fraction(8, 3)
    assert verify_bilinear(*winograd_matrices(4, 3, POINTS[4, 3])).amplification == 16
    assert verify_bilinear(WINCNN_AT, WINCNN_BT, WINCNN_G).amplification == 16


def test_direct_computation_amplifies_nothing():
    # F(2, 3) by its six products: A picks the output, G the tap, B the input
    places = list(product(range(2), range(3)))
    a = [[int(i == output) for output in range(2)] for i, _ in places]
    g = [[int(k == tap) for tap in range(3)] for _, k in places]
    b = [[int(x == i + k) for i, k in places] for x in range(4)]
    check = verify_bilinear(a, b, g)
    assert check.holds and check.amplification == 1
    assert check.multiplications == check.direct == 6


@pytest.mark.parametrize(
    ("m", "r"), [(m, r) for m in range(1, 6) for r in range(1, 5)]
)  # fmt: skip
def test_winograd_is_exact_at_distinct_points(m, r):
    for points in ((0, 1, -1, 2, -2, 3, -3, 4), ("1/2", -3, "7/5", 0, 9, "-1/3", 2, 5)):
        assert verify_bilinear(*winograd_matrices(m, r, points[: m + r - 2])).holds


@pytest.mark.parametrize(
    ("size", "nested"), [((2, 3), 1), ((4, 3), 1), ((6, 3), 1), ((2, 3), 2)]
)  # fmt: skip
def test_any_single_changed_entry_is_refused(size, nested):
    matrices = winograd_matrices(*size, POINTS[size])
    assert verify_bilinear(*matrices, nested=nested).holds
    for which, matrix in enumerate(matrices):
        for i, j in product(range(len(matrix)), range(len(matrix[0]))):
            for change in (Fraction(1), Fraction(-1, 10**9)):
                rows = [list(row) for row in matrix]
                rows[i][j] += change
                changed = [*matrices[:which], rows, *matrices[which + 1 :]]
                check = verify_bilinear(*changed, nested=nested)
                assert check.verdict is Verdict.FAIL
                assert "where the filter has" in check.shows


def test_two_axes_by_nesting_and_by_kronecker_products():
    a, b, g = winograd_matrices(2, 3, POINTS[2, 3])
    nested = verify_bilinear(a, b, g, nested=2)
    flat = verify_bilinear(nest(a), nest(b), nest(g))
    assert nested.holds and flat.holds
    assert nested.axes == flat.axes == 2
    assert nested.multiplications == flat.multiplications == 16
    assert nested.direct == flat.direct == 36
    assert nested.amplification == flat.amplification == Fraction(64, 9)
    assert (flat.outputs, flat.taps) == (2, 3)


def test_changed_kronecker_products_are_refused():
    matrices = [nest(matrix) for matrix in winograd_matrices(2, 3, POINTS[2, 3])]
    for which, matrix in enumerate(matrices):
        for i in range(len(matrix)):
            rows = [list(row) for row in matrix]
            rows[i][i % len(rows[0])] += 1
            changed = [*matrices[:which], rows, *matrices[which + 1 :]]
            assert not verify_bilinear(*changed)


def test_the_negative_of_an_algorithm_is_refused_on_one_axis_and_right_on_two():
    a, b, g = winograd_matrices(2, 3, POINTS[2, 3])
    negative = [[-entry for entry in row] for row in g]
    assert not verify_bilinear(a, b, negative)
    assert verify_bilinear(a, b, negative, nested=2)
    assert verify_bilinear(nest(a), nest(b), nest(tuple(map(tuple, negative))))


@pytest.mark.parametrize(("size", "points"), list(POINTS.items()))
def test_the_convolution_is_refused_and_named(size, points):
    # the flipped filter is another function
    a, b, g = winograd_matrices(*size, points)
    backwards = [row[::-1] for row in g]
    check = verify_bilinear(a, b, backwards)
    assert not check and check.computes == "convolution"
    assert "reverse each row of G" in check.shows
    assert verify_bilinear(a, b, [row[::-1] for row in backwards]).computes == "filter"
    nested = verify_bilinear(nest(a), nest(b), nest(tuple(map(tuple, backwards))))
    assert not nested and nested.computes == "convolution"


def test_what_is_neither_filter_nor_convolution_is_not_named():
    a, b, g = winograd_matrices(2, 3, POINTS[2, 3])
    check = verify_bilinear(a, b, [[row[1], row[0], row[2]] for row in g])
    assert not check and not check.computes and "reverse" not in check.shows


def test_a_full_convolution_is_named_and_its_transpose_is_the_filter():
    # Toom-Cook's product of 2 inputs and 3 taps: the outputs of F(2, 3) are its inputs
    a, b, g = winograd_matrices(2, 3, POINTS[2, 3])
    with pytest.raises(InputError) as refusal:
        verify_bilinear(_transposed(b), _transposed(a), g)
    assert "full convolution of 2 inputs and 3 taps" in str(refusal.value)
    assert "exchange A and B" in str(refusal.value)


def test_amplification_does_not_depend_on_the_scale_of_a_product():
    a, b, g = winograd_matrices(2, 3, POINTS[2, 3])
    scaled = tuple(tuple(entry * 7 for entry in row) for row in g)
    smaller = tuple(tuple(entry / 7 for entry in row) for row in a)
    assert error_amplification(smaller, b, scaled) == error_amplification(a, b, g)


@pytest.mark.parametrize(
    ("matrices", "says"),
    [
        (([], [[1]], [[1]]), "empty"),
        (([[1], [1, 2]], [[1]], [[1]]), "differ in length"),
        ((3, [[1]], [[1]]), "no matrix"),
        (([[1]], [["x"]], [[1]]), "no number"),
        (([[1]], [[float("nan")]], [[1]]), "no number"),
        (([[1]], [[float("inf")]], [[1]]), "no number"),
        (([[1]], [["1e999999999"]], [[1]]), "no number"),
        (([[1]], [["1/0"]], [[1]]), "no number"),
        (([[1]], [[None]], [[1]]), "no number"),
        (([[1, 1, 1]], [[1]], [[1], [1]]), "neither side of A"),
        (([[1], [1]], [[1, 1, 1]], [[1], [1]]), "neither side of B"),
        (([[1], [1]], [[1, 1], [1, 1], [1, 1]], [[1], [1]]), "fit no filter"),
        (([[1] * 200] * 200, [[1]], [[1]]), "more than"),
    ],
)
def test_malformed_matrices_are_one_input_error(matrices, says):
    with pytest.raises(InputError) as refusal:
        verify_bilinear(*matrices)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((2, 3, (0, 1)), "takes m + r - 2 = 3"),
        ((2, 3, (0, 1, 1)), "stands twice"),
        ((0, 3, (0, 1)), "at least 1"),
        ((2, 3, (0, 1, "a")), "no number"),
    ],
)
def test_bad_points_are_one_input_error(arguments, says):
    with pytest.raises(InputError) as refusal:
        winograd_matrices(*arguments)
    assert says in str(refusal.value)


def test_nesting_outside_of_one_to_three_is_refused():
    with pytest.raises(InputError):
        verify_bilinear(*winograd_matrices(2, 3, POINTS[2, 3]), nested=0)
