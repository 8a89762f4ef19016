"""Formats agree with NumPy and torch; rounding and distance are theirs."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.case import DTYPES
from convcheck.core.errors import UsageError
from convcheck.oracle.formats import FORMATS, find_format, round_to, ulp_distance

FLOATS = ["float64", "float32", "float16", "bfloat16"]


def test_every_dtype_of_a_case_has_a_format():
    assert tuple(FORMATS) == DTYPES
    with pytest.raises(UsageError, match="did you mean float32"):
        find_format("float23")


@pytest.mark.parametrize("name", FLOATS)
def test_parameters_are_those_of_torch(name):
    info, chosen = torch.finfo(getattr(torch, name)), find_format(name)
    assert chosen.unit_roundoff == info.eps / 2
    assert chosen.largest == info.max
    assert chosen.smallest == info.smallest_normal * info.eps
    # The first integer that is not a value lies midway between two, and goes to the even one.
    assert int(round_to(np.array(float(chosen.budget)), name)) == chosen.budget
    if name != "float64":
        assert int(round_to(np.array(float(chosen.budget + 1)), name)) == chosen.budget


@pytest.mark.parametrize("name", ["int64", "int32", "int16", "int8", "uint8"])
def test_integer_formats_never_round(name):
    chosen = find_format(name)
    assert chosen.budget == torch.iinfo(getattr(torch, name)).max
    assert not chosen.is_float and chosen.unit_roundoff == chosen.smallest == 0
    assert chosen.largest == float(chosen.budget)


@given(st.lists(st.floats(width=64), min_size=1), st.sampled_from(FLOATS))
def test_rounding_is_to_nearest_even_and_once(values, name):
    array = np.array(values)
    dtype = getattr(torch, name)
    if name == "bfloat16":
        # torch rounds float64 to bfloat16 by way of float32, twice; give it what float32 holds.
        with np.errstate(over="ignore", under="ignore"):
            array = array.astype(np.float32).astype(np.float64)
    found = torch.from_numpy(array).to(dtype).to(torch.float64).numpy()
    assert np.array_equal(round_to(array, name).astype(np.float64), found, equal_nan=True)


def test_rounding_to_bfloat16_does_not_round_twice():
    # Just above the tie between 1 and 1 + 2**-7; through float32 it would land on the tie.
    value = np.array([1 + 2.0**-8 + 2.0**-40, -1 - 2.0**-8 - 2.0**-40])
    assert round_to(value, "bfloat16").tolist() == [1 + 2.0**-7, -1 - 2.0**-7]
    assert round_to(np.array([1 + 2.0**-8]), "bfloat16").tolist() == [1.0]
    # Just below the tie, where float32 lands on it from the other side.
    assert round_to(np.array([1 + 2.0**-8 - 2.0**-40]), "bfloat16").tolist() == [1.0]
    assert round_to(np.array([1 + 3 * 2.0**-8 - 2.0**-40]), "bfloat16").tolist() == [1 + 2.0**-7]


@pytest.mark.parametrize(
    ("first", "second", "name", "distance"),
    [
        (1.0, 1 + 2.0**-52, "float64", 1),
        (1.0, 1 + 2.0**-7, "bfloat16", 1),
        (1.0, 1 - 2.0**-8, "bfloat16", 1),
        (0.0, -0.0, "float32", 0),
        (2.0**-149, -(2.0**-149), "float32", 2),
        (1.0, 2.0, "float16", 1024),
        (65504.0, np.inf, "float16", 1),
        (np.nan, 1.0, "float32", np.nan),
        (200, 201, "uint8", 1),
    ],
)
def test_distance_counts_the_values_between(first, second, name, distance):
    carrier = find_format(name).carrier
    pair = np.array([first], dtype=carrier), np.array([second], dtype=carrier)
    assert np.array_equal(ulp_distance(*pair, name), [distance], equal_nan=True)
    assert np.array_equal(ulp_distance(*pair[::-1], name), [distance], equal_nan=True)
