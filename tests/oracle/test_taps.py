"""Taps, readers and counts tell one story, and it is that of the sums."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.oracle import direct, fast
from convcheck.oracle.taps import Tap, output_spatial, read_counts, readers, taps


def test_taps_of_a_padded_window():
    spec = ConvSpec(kernel_size=(3,), padding=((1, 0),), dilation=(2,), stride=(2,))
    assert output_spatial(spec, (6,)) == (2,)
    assert taps(spec, (6,), (0,)) == (
        Tap(kernel=(0,), source=None),
        Tap(kernel=(1,), source=(1,)),
        Tap(kernel=(2,), source=(3,)),
    )
    assert [tap.source for tap in taps(spec, (6,), (1,))] == [(1,), (3,), (5,)]


def test_taps_through_a_boundary_read_the_input():
    spec = ConvSpec(kernel_size=(3,), padding=((2, 2),), padding_mode="reflect")
    assert [tap.source for tap in taps(spec, (4,), (0,))] == [(2,), (1,), (0,)]


def test_taps_of_a_transposed_layer_are_those_that_an_input_reaches():
    spec = ConvSpec(kernel_size=(2,), stride=(2,), transposed=True)
    assert [taps(spec, (2,), (o,)) for o in range(4)] == [
        (Tap(kernel=(0,), source=(0,)),),
        (Tap(kernel=(1,), source=(0,)),),
        (Tap(kernel=(0,), source=(1,)),),
        (Tap(kernel=(1,), source=(1,)),),
    ]


def test_taps_of_a_pooling_window_go_past_the_input():
    spec = PoolSpec(kind="max", kernel_size=(2, 2), ceil_mode=True)
    assert [tap.source for tap in taps(spec, (3, 3), (1, 1))] == [(2, 2), None, None, None]


@given(data=st.data(), kind=st.sampled_from(["conv", "transposed", "pool"]))
def test_readers_and_counts_turn_the_taps_around(
    conv_cases, conv_transpose_cases, pool_cases, data, kind
):
    strategies = {"conv": conv_cases, "transposed": conv_transpose_cases}
    case = data.draw(pool_cases("max") if kind == "pool" else strategies[kind]())
    spec, spatial = case.spec, case.spatial
    counts = np.zeros(spatial, dtype=int)
    forward = set()
    for o in np.ndindex(output_spatial(spec, spatial)):
        for tap in taps(spec, spatial, o):
            if tap.source is not None:
                counts[tap.source] += 1
                forward.add((tap.source, o, tap.kernel))
    assert np.array_equal(read_counts(spec, spatial), counts)
    backward = {(i, o, k) for i in np.ndindex(spatial) for o, k in readers(spec, spatial, i)}
    assert backward == forward


@given(data=st.data())
def test_counts_are_the_gradient_of_a_layer_of_ones(conv_cases, data):
    case = data.draw(conv_cases())
    spec = ConvSpec(
        kernel_size=case.spec.kernel_size, stride=case.spec.stride, padding=case.spec.padding,
        dilation=case.spec.dilation, padding_mode=case.spec.padding_mode,
    )  # fmt: skip
    y = np.ones((1, 1, *output_spatial(spec, case.spatial)))
    ones = np.ones(spec.weight_shape())
    counts = fast.input_adjoint(y, ones, spec=spec, spatial=case.spatial)[0, 0]
    assert np.array_equal(read_counts(spec, case.spatial), counts)
    assert counts.sum() == sum(1 for _ in direct.terms(spec, case.spatial))
