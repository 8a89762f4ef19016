"""Evaluation by limbs is the sum in Fractions, rounded once, for floats of any exponents."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck.core.spec import ConvSpec
from convcheck.oracle import direct, fast
from convcheck.oracle.exact import evaluate, sum_of_small_integers
from convcheck.oracle.formats import find_format
from convcheck.oracle.limbs import bit_length, unit_exponent, whole_numbers

SPEC = ConvSpec(kernel_size=(3,), padding=((1, 1),), in_channels=2, out_channels=2)
# Every exponent whose products stay finite and normal, zeros, and neighbours of powers of two.
NUMBERS = st.floats(-1e100, 1e100, allow_subnormal=False).filter(
    lambda x: x == 0 or abs(x) > 1e-100
) | st.integers(-(2**53), 2**53).map(float)


def fractions(array):
    return np.vectorize(Fraction, otypes=[object])(array)


def lists(size):
    return st.lists(NUMBERS, min_size=size, max_size=size)


@settings(max_examples=20)  # each spans hundreds of bits, and so hundreds of products of limbs
@given(x=lists(8), w=lists(12), b=lists(2) | st.none())
def test_evaluation_is_the_exact_sum_rounded_once(x, w, b):
    x, w = np.array(x).reshape(1, 2, 4), np.array(w).reshape(2, 2, 3)
    b = None if b is None else np.array(b)
    found = evaluate(lambda a, c: fast.conv(a, c, spec=SPEC), x, w, b, terms=6)
    wanted = direct.conv(fractions(x), fractions(w), None if b is None else fractions(b), spec=SPEC)
    assert np.array_equal(found.values, wanted.astype(np.float64))
    sizes = direct.conv(
        abs(fractions(x)), abs(fractions(w)), None if b is None else abs(fractions(b)), spec=SPEC
    )
    assert (found.magnitude >= sizes.astype(np.float64) * (1 - 2.0**-52)).all()
    assert (found.magnitude <= sizes.astype(np.float64) * (1 + 2.0**-48)).all()


SMALL = st.lists(st.integers(-9, 9), min_size=22, max_size=22)


@given(data=SMALL, kind=st.sampled_from([np.int32, np.float32]), biased=st.booleans())
def test_small_integers_give_the_same_sum_at_a_glance(data, kind, biased):
    numbers = np.array(data, dtype=kind)
    x, w = numbers[:8].reshape(1, 2, 4), numbers[8:20].reshape(2, 2, 3)
    b = numbers[20:] if biased else None
    form = {"product": lambda a, c: fast.conv(a, c, spec=SPEC), "terms": 6}
    whole = evaluate(left=x, right=w, bias=b, **form)
    glance = sum_of_small_integers(left=x, right=w, bias=b, budget=6 * 81 + 9, **form)
    assert np.array_equal(glance.values, whole.values)
    assert glance.values.dtype == whole.values.dtype
    assert (glance.magnitude >= whole.magnitude).all()


@pytest.mark.parametrize("spoiled", [0.5, 100.0, np.nan, np.inf])
def test_a_glance_is_not_enough_for_fractions_large_numbers_and_nan(spoiled):
    x, w = np.ones((1, 2, 4)), np.ones((2, 2, 3))
    form = {"product": lambda a, c: fast.conv(a, c, spec=SPEC), "terms": 6, "budget": 256}
    assert sum_of_small_integers(left=x, right=w, bias=None, **form) is not None
    for array in (x, w):
        kept, array[0, 0, 0] = array[0, 0, 0], spoiled
        assert sum_of_small_integers(left=x, right=w, bias=None, **form) is None
        array[0, 0, 0] = kept


@given(x=st.lists(st.integers(-(2**62), 2**62), min_size=8, max_size=8))
def test_evaluation_of_int64_is_exact_beyond_what_float64_holds(x):
    x = np.array(x, dtype=np.int64).reshape(1, 2, 4)
    w = np.array([[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, -1, 0]]], dtype=np.int64)
    found = evaluate(lambda a, c: fast.conv(a, c, spec=SPEC), x, w, None, terms=6)
    assert found.values.dtype == np.int64
    assert np.array_equal(found.values, np.stack([x[:, 0], -x[:, 1]], axis=1))


@given(lists(5))
def test_whole_numbers_reassemble(values):
    array = np.array(values)
    unit = unit_exponent(array)
    whole = whole_numbers(array, unit)
    assert [m * Fraction(2) ** unit for m in whole] == [Fraction(value) for value in values]
    assert max(abs(m) for m in whole).bit_length() == bit_length(array, unit)
    assert not any(values) or any(m % 2 for m in whole)


@pytest.mark.parametrize(
    ("x", "w", "dtype", "exact"),
    [
        ([1.0, 2.0], [3.0, 4.0], "bfloat16", True),
        ([128.0, 128.0], [1.0, 1.0], "bfloat16", True),
        ([129.0, 128.0], [1.0, 1.0], "bfloat16", False),
        ([256.0, 2.0], [1.0, 1.0], "bfloat16", True),
        ([256.0, -1.0], [1.0, 1.0], "bfloat16", False),
        ([2.0**20, 2.0**-4], [1.0, 1.0], "float32", False),
        ([2.0**19, 2.0**-4], [1.0, 1.0], "float32", True),
        ([60000.0, 60000.0], [1.0, -1.0], "float16", False),
        ([2.0**-14, 2.0**-14], [2.0**-11, 1.0], "float16", False),
        ([2.0**-14, 2.0**-14], [2.0**-10, 1.0], "float16", True),
    ],
)
def test_exactness_is_claimed_only_where_every_order_is_exact(x, w, dtype, exact):
    x, w = np.array([[x]]), np.array([[w]])
    spec = ConvSpec(kernel_size=(2,))
    found = evaluate(lambda a, c: fast.conv(a, c, spec=spec), x, w, None, terms=2)
    assert found.is_exact_in(find_format(dtype)) is exact


def test_sums_beyond_every_format_claim_nothing():
    x = np.full((1, 2, 4), 1e308)
    found = evaluate(
        lambda a, c: fast.conv(a, c, spec=SPEC), x, np.ones((2, 2, 3)) / 4, None, terms=6
    )
    assert np.isfinite(found.values).all()
    assert not found.is_exact_in(find_format("float32"))
    big = np.full((1, 2, 4), 2**62, dtype=np.int64)
    found = evaluate(
        lambda a, c: fast.conv(a, c, spec=SPEC), big, np.full((2, 2, 3), 4), None, terms=6
    )
    assert not found.is_exact_in(find_format("int64"))
