"""Ties, NaN, divisors and adjoints of the poolings."""

from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.case import parse_case
from convcheck.core.spec import PoolSpec
from convcheck.oracle import pooling
from convcheck.oracle.expected import expected, expected_indices
from convcheck.oracle.inputs import make_inputs
from convcheck.oracle.taps import taps

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "index"),
    [
        ([3, 3, 1, 3], 0),
        ([1, NAN, 5, 2], 1),
        ([NAN, 1, NAN, 9], 2),
        ([-np.inf] * 4, 0),
        ([0.0, -0.0, 0.0, -0.0], 0),
        ([-0.0, 0.0, -0.0, 0.0], 0),
        ([np.inf, np.inf, 1, 1], 0),
    ],
)
def test_ties_and_nan_as_torch_decides_them(row, index):
    x = np.array([[row]], dtype=np.float64)
    values, indices = pooling.max_pool(x, PoolSpec(kind="max", kernel_size=(4,)))
    found, where = F.max_pool1d(torch.from_numpy(x), 4, return_indices=True)
    assert indices.tolist() == where.tolist() == [[[index]]]
    assert np.array_equal(values, found.numpy(), equal_nan=True)


def test_a_window_that_meets_no_input_is_not_judged_by_its_index():
    case = parse_case("max_pool1d n1 c1 w1 k2 s1 p1 d2")
    inputs = make_inputs(case)
    assert expected(case, inputs).outputs[0].values.tolist() == [[[-np.inf]]]
    assert np.isposinf(expected_indices(case, inputs).bound).all()


@given(data=st.data())
def test_divisors_count_the_window_tap_by_tap(pool_cases, data):
    case = data.draw(pool_cases("avg"))
    spec, spatial = case.spec, case.spatial
    divisors = pooling.divisors(spec, spatial)
    for o in np.ndindex(divisors.shape):
        window = taps(spec, spatial, o)
        if spec.count_include_pad:
            padded = [
                range(-before, size + after)
                for size, (before, after) in zip(spatial, spec.padding, strict=True)
            ]
            count = sum(
                all(
                    i * s - before + k in inside
                    for i, s, (before, _), k, inside in zip(
                        o, spec.stride, spec.padding, tap.kernel, padded, strict=True
                    )
                )
                for tap in window
            )
        else:
            count = sum(tap.source is not None for tap in window)
        assert divisors[o] == count


@given(data=st.data())
def test_average_is_exact_in_fractions(pool_cases, data):
    case = data.draw(pool_cases("avg"))
    x = make_inputs(case)["x"].astype(np.int64)
    sums, divisors = pooling.avg_pool(x, case.spec)
    o = tuple(data.draw(st.integers(0, size - 1)) for size in divisors.shape)
    window = [tap.source for tap in taps(case.spec, case.spatial, o) if tap.source is not None]
    mean = sum((Fraction(int(x[(0, 0, *i)])) for i in window), Fraction(0)) / int(divisors[o])
    assert Fraction(int(sums[(0, 0, *o)]), int(divisors[o])) == mean


@given(data=st.data())
def test_gradient_of_max_pooling_equals_autograd(pool_cases, data):
    case = data.draw(pool_cases("max", symmetric=True))
    spec, x = case.spec, make_inputs(case)["x"]
    values, index = pooling.max_pool(x, spec)
    tensor = torch.from_numpy(x).requires_grad_()
    y = MAX[spec.axes](
        tensor, spec.kernel_size, spec.stride, [p for p, _ in spec.padding], spec.dilation,
        spec.ceil_mode,
    )  # fmt: skip
    grad = np.arange(1.0, values.size + 1).reshape(values.shape)
    if (index == pooling.OUTSIDE).any():
        return  # torch scatters such an element to an index of its own choosing.
    (found,) = torch.autograd.grad(y, tensor, torch.from_numpy(grad))
    assert np.array_equal(pooling.max_pool_adjoint(grad, index, case.spatial), found.numpy())


@given(data=st.data())
def test_adjoint_of_average_pooling_satisfies_the_identity(pool_cases, small_integers, data):
    case = data.draw(pool_cases("avg"))
    x = small_integers(data, case.input_shape())
    sums, _ = pooling.avg_pool(x, case.spec)
    y = small_integers(data, sums.shape)
    back = pooling.avg_pool_adjoint(y, case.spec, case.spatial)
    assert (sums * y).sum() == (x * back).sum()


@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8"])
def test_integer_maximum_keeps_its_dtype_and_its_sign(dtype):
    case = parse_case(f"max_pool2d n1 c2 h5 w5 k3x3 s2 p1 d1 negative {dtype}")
    inputs = make_inputs(case)
    output = expected(case, inputs).outputs[0]
    found = F.max_pool2d(torch.from_numpy(inputs["x"]), 3, 2, 1)
    assert output.dtype == dtype and output.exact
    assert np.array_equal(output.values, found.numpy().astype(np.int64))


def test_integer_average_truncates_towards_zero_as_torch_does():
    case = parse_case("avg_pool2d n2 c2 h6 w6 k3x2 s2 p1 d1 int64")
    inputs = make_inputs(case)
    found = F.avg_pool2d(torch.from_numpy(inputs["x"]), (3, 2), 2, 1)
    assert np.array_equal(expected(case, inputs).outputs[0].values, found.numpy())
