"""The fast forms equal the defining sums, the adjoints are adjoint, over several rings."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.spec import ConvSpec
from convcheck.oracle import direct, fast
from convcheck.oracle.taps import output_spatial

CARRIERS = [object, np.int64, np.float64]


def _draw_layer(data, cases, small_integers):
    case = data.draw(cases)
    spec, spatial = case.spec, case.spatial
    x = small_integers(data, case.input_shape())
    w = small_integers(data, spec.weight_shape())
    y = small_integers(data, (case.batch, spec.out_channels, *output_spatial(spec, spatial)))
    return spec, spatial, x, w, y


def _inner(a, b):
    return (a * b).sum()


@given(data=st.data(), carrier=st.sampled_from(CARRIERS))
def test_fast_layer_and_its_adjoints_equal_the_defining_sums(
    conv_cases, small_integers, data, carrier
):
    spec, spatial, x, w, y = _draw_layer(data, conv_cases(), small_integers)
    fx, fw, fy = (array.astype(carrier) for array in (x, w, y))
    assert np.array_equal(fast.conv(fx, fw, spec=spec), direct.conv(x, w, spec=spec))
    assert np.array_equal(
        fast.input_adjoint(fy, fw, spec=spec, spatial=spatial),
        direct.input_adjoint(y, w, spec=spec, spatial=spatial),
    )
    assert np.array_equal(
        fast.weight_adjoint(fy, fx, spec=spec), direct.weight_adjoint(y, x, spec=spec)
    )


@given(data=st.data(), carrier=st.sampled_from(CARRIERS))
def test_fast_transposed_layer_equals_the_defining_sum(
    conv_transpose_cases, small_integers, data, carrier
):
    spec, _, x, w, _ = _draw_layer(data, conv_transpose_cases(), small_integers)
    fx, fw = x.astype(carrier), w.astype(carrier)
    assert np.array_equal(
        fast.conv_transpose(fx, fw, spec=spec), direct.conv_transpose(x, w, spec=spec)
    )


@given(data=st.data())
def test_adjoints_satisfy_the_adjoint_identity(conv_cases, small_integers, data):
    spec, spatial, x, w, y = _draw_layer(data, conv_cases(), small_integers)
    pairing = _inner(y, fast.conv(x, w, spec=spec))
    assert pairing == _inner(fast.input_adjoint(y, w, spec=spec, spatial=spatial), x)
    assert pairing == _inner(fast.weight_adjoint(y, x, spec=spec), w)


@given(data=st.data())
def test_transposed_layer_is_the_adjoint_of_its_layer(conv_transpose_cases, small_integers, data):
    spec, _, x, w, y = _draw_layer(data, conv_transpose_cases(), small_integers)
    # Where output_padding >= stride the layer has more outputs than the adjoint has inputs.
    inside = (..., *map(slice, x.shape[2:]))
    back = fast.conv(y, w, spec=fast.adjoint_spec(spec))[inside]
    assert _inner(y, fast.conv_transpose(x, w, spec=spec)) == _inner(back, x)


@given(data=st.data())
def test_fast_convolution_equals_the_defining_sum(convolve_cases, small_integers, data):
    case = data.draw(convolve_cases())
    f = small_integers(data, case.spatial)
    g = small_integers(data, case.spec.kernel_size)
    assert np.array_equal(fast.convolve(f, g), direct.convolve(f, g))
    assert np.array_equal(direct.convolve(f, g), direct.convolve(g, f))


def test_direct_sum_works_on_fractions_without_rounding():
    third = [[[Fraction(1, 3), Fraction(1, 7), Fraction(2, 5)]]]
    y = direct.conv(third, [[[Fraction(3), Fraction(7)]]], spec=ConvSpec(kernel_size=(2,)))
    assert y.tolist() == [[[Fraction(2), Fraction(113, 35)]]]


def test_direct_sum_works_on_symbols():
    a, b, c, u, v, w = sympy.symbols("a b c u v w")
    spec = ConvSpec(kernel_size=(3,), padding=((1, 1),))
    y = direct.conv([[[a, b, c]]], [[[u, v, w]]], spec=spec)
    assert y[0, 0].tolist() == [a * v + b * w, a * u + b * v + c * w, b * u + c * v]
    assert direct.convolve([a, b], [u, v]).tolist() == [a * u, a * v + b * u, b * v]


def test_layer_adds_its_bias_once_per_output():
    y = direct.conv([[[1, 2]], [[3, 4]]], [[[5]], [[6]]], [100, 200],
                    spec=ConvSpec(kernel_size=(1,), out_channels=2))  # fmt: skip
    assert y.tolist() == [[[105, 110], [206, 212]], [[115, 120], [218, 224]]]
    up = ConvSpec(kernel_size=(1,), out_channels=1, in_channels=1, transposed=True)
    assert direct.conv_transpose([[[1, 2]]], [[[5]]], [7], spec=up).tolist() == [[[12, 17]]]


def test_layer_does_not_flip_and_convolution_does():
    x, w = [1, 2, 3], [10, 1]
    assert direct.conv([[x]], [[w]], spec=ConvSpec(kernel_size=(2,))).tolist() == [[[12, 23]]]
    assert direct.convolve(x, w).tolist() == [10, 21, 32, 3]


@given(data=st.data())
def test_second_derivatives_of_the_layer_are_the_same_three_forms(conv_cases, small_integers, data):
    # T(y, w, x) is linear in each argument: the gradient of <gx, input_adjoint(y, w)> in y is
    # conv(gx, w) and in w it is weight_adjoint(y, gx). The double backward needs no new oracle.
    spec, spatial, gx, w, y = _draw_layer(data, conv_cases(modes=False), small_integers)
    pairing = _inner(gx, fast.input_adjoint(y, w, spec=spec, spatial=spatial))
    assert pairing == _inner(y, fast.conv(gx, w, spec=spec))
    assert pairing == _inner(w, fast.weight_adjoint(y, gx, spec=spec))


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_layer_of_ones_counts_its_terms(n):
    ones = np.ones((1, 1, n), dtype=object)
    y = direct.conv(ones, ones, spec=ConvSpec(kernel_size=(n,)))
    assert y.tolist() == [[[n]]]
