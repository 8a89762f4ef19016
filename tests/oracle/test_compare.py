"""Every trap of array comparison, each with the comparison that falls into it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.verdict import Verdict
from convcheck.oracle.compare import compare
from convcheck.oracle.expected import ExpectedArray


def exactly(values, dtype="float64"):
    values = np.asarray(values)
    return ExpectedArray(
        name="output", dtype=dtype, shape=values.shape, values=values,
        bound=np.zeros(values.shape), exact=True,
    )  # fmt: skip


def within(values, bound, dtype="float64"):
    values = np.asarray(values, dtype=np.float64)
    return ExpectedArray(
        name="output", dtype=dtype, shape=values.shape, values=values,
        bound=np.broadcast_to(np.asarray(bound, dtype=np.float64), values.shape), exact=False,
    )  # fmt: skip


ONES = np.ones((1, 1, 2, 2))


def test_equal_arrays_pass_and_say_how_many_elements_were_compared():
    result = compare(exactly(ONES), ONES.copy(), "float64")
    assert (result.verdict, result.kind) == (Verdict.PASS, "equal")
    assert (result.compared, result.informative, result.different) == (4, 4, 0)


@pytest.mark.parametrize("other", [np.ones((2, 2)), np.ones(()), np.ones((1, 1, 2, 1)), np.ones(0)])
def test_shapes_never_broadcast(other):
    result = compare(exactly(ONES), other, "float64")
    assert (result.verdict, result.kind) == (Verdict.FAIL, "shape")
    assert str(other.shape) in result.reason


def test_nothing_compared_is_unknown():
    empty = np.zeros((0, 3))
    assert compare(exactly(empty), empty, "float64").verdict is Verdict.UNKNOWN
    unbounded = within(ONES, np.inf)
    result = compare(unbounded, ONES * 7, "float64")
    assert (result.verdict, result.compared) == (Verdict.UNKNOWN, 0)


def test_an_empty_array_of_the_wrong_shape_fails():
    assert compare(exactly(np.zeros((0, 3))), np.zeros((1, 3)), "float64").verdict is Verdict.FAIL
    assert compare(exactly(np.zeros((0, 3))), np.zeros((0, 2)), "float64").verdict is Verdict.FAIL


@pytest.mark.parametrize("tolerance", [0.0, 1e300])
def test_nan_never_passes_for_a_number(tolerance):
    # np.max(np.abs(actual - expected)) > tolerance is False here.
    result = compare(within(ONES, tolerance), np.full_like(ONES, np.nan), "float64")
    assert (result.verdict, result.kind, result.different) == (Verdict.FAIL, "nonfinite", 4)


@pytest.mark.parametrize("wanted", [np.nan, np.inf, -np.inf])
def test_special_values_must_stand_where_they_are_expected(wanted):
    expected = np.array([1.0, wanted, 3.0])
    assert compare(within(expected, 1.0), expected.copy(), "float64").verdict is Verdict.PASS
    for other in (np.nan, np.inf, -np.inf, 0.0):
        if not np.array_equal(other, wanted, equal_nan=True):
            actual = np.array([1.0, other, 3.0])
            result = compare(within(expected, 1.0), actual, "float64")
            assert (result.kind, result.first_index) == ("nonfinite", (1,))


def test_special_positions_are_told_before_values():
    result = compare(exactly([1.0, 2.0, np.nan]), np.array([9.0, 2.0, 3.0]), "float64")
    assert (result.kind, result.first_index, result.different) == ("nonfinite", (2,), 2)


def test_unsigned_differences_do_not_wrap():
    # 200 - 201 is 255 in uint8, and 1 where one takes the absolute value of the wrong order.
    expected = exactly(np.array([200, 255]), "uint8")
    result = compare(expected, np.array([201, 0], dtype=np.uint8), "uint8")
    assert (result.verdict, result.different, result.actual) == (Verdict.FAIL, 2, 201)


def test_int64_differences_do_not_wrap_or_round():
    low, high = -(2**62), 2**62
    result = compare(exactly(np.array([low, high])), np.array([high, high + 1]), "int64")
    assert result.kind == "dtype"
    result = compare(exactly(np.array([low, high]), "int64"), np.array([high, high + 1]), "int64")
    assert (result.verdict, result.different) == (Verdict.FAIL, 2)


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (ONES.astype(np.float32), "float32"),
        (ONES.astype(np.int64), "int64"),
        (ONES.astype(np.float32), "bfloat16"),
        (ONES.astype(np.float32), "float64"),
        (ONES.astype(bool), "bool"),
        (ONES.astype(complex), "complex128"),
    ],
)
def test_dtype_is_part_of_the_answer(array, dtype):
    assert compare(exactly(ONES), array, dtype).kind == "dtype"


def test_bfloat16_is_told_from_its_carrier_by_name():
    values = np.ones(3, dtype=np.float32)
    assert compare(exactly(values, "bfloat16"), values, "bfloat16").verdict is Verdict.PASS
    assert compare(exactly(values, "bfloat16"), values, "float32").kind == "dtype"
    assert compare(exactly(values, "float32"), values, "bfloat16").kind == "dtype"


@pytest.mark.parametrize(
    "other", [None, 1.0, [1.0], (x for x in ()), np.array([None, 1.0], dtype=object)]
)
def test_what_is_no_array_of_numbers_fails(other):
    result = compare(exactly(ONES), other, "float64")
    assert (result.verdict, result.kind) == (Verdict.FAIL, "type")


def test_signed_zeros_differ_only_where_asked():
    plus, minus = np.zeros(2), np.array([0.0, -0.0])
    assert compare(exactly(plus), minus, "float64").verdict is Verdict.PASS
    result = compare(exactly(plus), minus, "float64", signed_zeros=True)
    assert (result.verdict, result.kind, result.first_index) == (Verdict.FAIL, "sign", (1,))


def test_one_bit_is_a_difference_where_bits_are_asked():
    near = np.nextafter(ONES, 2)
    assert compare(exactly(ONES), near, "float64").different == 4
    bounded = compare(within(ONES, 2.0**-52), near, "float64")
    assert (bounded.verdict, bounded.kind, bounded.largest_ratio) == (
        Verdict.PASS, "within_bound", 1.0,
    )  # fmt: skip


def test_bound_is_per_element():
    bound = np.array([1.0, 0.0, 2.0])
    expected = within([0.0, 5.0, 0.0], bound)
    assert compare(expected, np.array([1.0, 5.0, -2.0]), "float64").verdict is Verdict.PASS
    result = compare(expected, np.array([1.0, 5.5, -2.0]), "float64")
    assert (result.first_index, result.expected, result.actual) == ((1,), 5.0, 5.5)


def test_zeros_that_pass_are_told_as_uninformative():
    result = compare(exactly(np.zeros(5)), np.zeros(5), "float64")
    assert (result.verdict, result.compared, result.informative) == (Verdict.PASS, 5, 0)


@given(
    values=st.lists(st.integers(-5, 5), min_size=1, max_size=12),
    place=st.integers(0, 11),
    change=st.integers(-3, 3).filter(bool),
)
def test_any_one_changed_element_is_found(values, place, change):
    place %= len(values)
    wrong = np.array(values, dtype=np.float32)
    wrong[place] += change
    result = compare(exactly(np.array(values, dtype=np.float64), "float32"), wrong, "float32")
    assert (result.verdict, result.first_index, result.different) == (Verdict.FAIL, (place,), 1)
    assert result.actual - result.expected == change
