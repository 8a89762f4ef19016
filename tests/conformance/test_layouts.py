"""Every layout holds the same elements, in other places; every stray write is seen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.conformance.buffers import guard
from convcheck.conformance.calls import Callee, perform
from convcheck.conformance.layouts import expanded_axis, place, settle
from convcheck.conformance.outcome import MUTATED_INPUT, WROTE_OUT_OF_BOUNDS, Returned
from convcheck.core.case import LAYOUTS, parse_case
from convcheck.oracle.inputs import make_inputs

SHAPES = st.lists(st.integers(0, 4), max_size=5).map(tuple)


@given(shape=SHAPES, layout=st.sampled_from(LAYOUTS))
def test_elements_lie_inside_and_apart(shape, layout):
    axis = expanded_axis(shape) if layout == "expanded" else None
    where = place(shape, layout, axis)
    places = [
        where.offset + sum(step * at for step, at in zip(where.strides, index, strict=True))
        for index in np.ndindex(shape)
    ]
    assert all(0 <= found < where.elements for found in places)
    repeats = shape[axis] if axis is not None else 1
    assert len(set(places)) * repeats == len(places)


@given(
    shape=SHAPES, layout=st.sampled_from(LAYOUTS), torch=st.booleans(),
    dtype=st.sampled_from(["float64", "float32", "float16", "bfloat16", "int64", "uint8"]),
)  # fmt: skip
def test_the_array_holds_the_values(shape, layout, torch, dtype):
    if (torch and layout == "reversed") or (not torch and dtype == "bfloat16"):
        return
    carrier = "float32" if dtype == "bfloat16" else dtype
    values = (np.arange(np.prod(shape, dtype=int)) % 100).reshape(shape).astype(carrier)
    axis = expanded_axis(shape)
    if layout == "expanded" and axis is not None:
        values = np.ascontiguousarray(np.broadcast_to(values.take([0], axis), shape))
    made = guard("x", values, dtype, layout, torch=torch, first=True)
    assert tuple(made.array.shape) == shape
    assert str(made.array.dtype).removeprefix("torch.") == dtype
    found = (made.array.float() if dtype == "bfloat16" else made.array) if torch else made.array
    assert np.array_equal(np.asarray(found), values)
    assert made.damage() is None


def test_the_layouts_are_what_their_names_say():
    values = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)

    def made(layout, torch=False):
        return guard("x", values, "float32", layout, torch=torch).array

    import torch

    assert made("contiguous").flags.c_contiguous
    assert made("contiguous").ctypes.data % 64 == 0
    assert made("channels_last", True).is_contiguous(memory_format=torch.channels_last)
    assert not made("channels_last", True).is_contiguous()
    assert made("transposed").swapaxes(2, 3).flags.c_contiguous
    assert made("sliced").strides[3] == 8
    assert all(step < 0 for step in made("reversed").strides)
    assert made("offset").ctypes.data % 8
    repeated = np.broadcast_to(values[:1], values.shape)
    assert (
        guard("x", repeated, "float32", "expanded", torch=False, first=True).array.strides[0] == 0
    )
    assert guard("w", values, "float32", "expanded", torch=False).array.flags.c_contiguous


def test_expanded_values_must_repeat():
    values = np.arange(6.0).reshape(2, 3)
    with pytest.raises(ValueError, match="settle"):
        guard("x", values, "float64", "expanded", torch=False, first=True)
    case = replace(parse_case("conv2d n2 c3 h3 w3 f1 k1x1 s1 p0 d1 g1"), layout="expanded")
    settled = settle(case, make_inputs(case))
    assert (settled["x"] == settled["x"][:1]).all()
    assert np.array_equal(settled["w"], make_inputs(case)["w"])


@pytest.mark.parametrize(
    ("layout", "torch"),
    [(layout, torch) for layout in LAYOUTS for torch in (False, True) if layout != "reversed"]
    + [("reversed", False)],
)
def test_writes_are_seen_and_told_apart(layout, torch):
    values = np.ones((2, 3, 4), np.float32)
    made = guard("x", values, "float32", layout, torch=torch, first=True)
    # An expanded NumPy array allows no write: what is below it does.
    array = made.elements if layout == "expanded" and not torch else made.array
    array[1, 2, 3] = 5
    assert (made.damage().reason, made.damage().detail) == (MUTATED_INPUT, "x")
    array[1, 2, 3] = 1
    assert made.damage() is None
    free = np.flatnonzero(made.storage == 0xFF)
    # Before, after, and where there are gaps, between the elements.
    for byte in (free[0], free[-1], free[len(free) // 2]):
        made.storage[byte] = 0
        assert made.damage().reason == WROTE_OUT_OF_BOUNDS
        made.storage[byte] = 0xFF
    array[0, 0, 0] = np.nan
    assert made.damage().reason == MUTATED_INPUT


def kept_as_it_was(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Counts the data in its own memory, and puts back what it found there."""
    first = x.flat[0]
    x.flat[0] = 0
    x.flat[0] = first
    return np.zeros((1, 1, 3), x.dtype)


def test_a_write_that_is_undone_is_seen_where_an_array_allows_none():
    callee = Callee(function=kept_as_it_was, arrays="numpy")
    case = parse_case("conv1d n1 c1 w3 f1 k1 s1 p0 d1 g1")
    outcomes = [
        perform(callee, each, settle(each, make_inputs(each)))
        for each in (case, replace(case, layout="expanded"))
    ]
    assert isinstance(outcomes[0], Returned)
    assert (outcomes[1].reason, outcomes[1].detail) == (MUTATED_INPUT, "x")


@pytest.mark.parametrize("torch", [False, True])
def test_below_a_view_lies_an_array_without_guards(torch):
    values = np.arange(24.0).reshape(2, 3, 4)
    for layout in ("fortran", "transposed") if torch else ("fortran", "reversed"):
        array = guard("x", values, "float64", layout, torch=torch).array
        if torch:
            assert array.untyped_storage().nbytes() == values.nbytes
            assert array.storage_offset() == 0
        else:
            assert array.base.size == values.size and array.base.dtype == values.dtype
            assert not np.array_equal(array.base.reshape(values.shape), values)
