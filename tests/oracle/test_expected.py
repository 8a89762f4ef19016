"""What is expected of each arithmetic, and that wrong results are outside of it."""

import numpy as np
import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.case import parse_case
from convcheck.core.verdict import Verdict
from convcheck.oracle.bounds import direct_bound
from convcheck.oracle.compare import compare
from convcheck.oracle.expected import expected
from convcheck.oracle.formats import find_format, round_to
from convcheck.oracle.inputs import make_inputs
from convcheck.oracle.transform_bounds import winograd_amplification

LAYER = "conv2d n1 c3 h9 w8 f4 k3x3 s1 p1 d1 g1 b1"
FLOATS = ["float64", "float32", "float16", "bfloat16"]


def summed_one_by_one(inputs, dtype, accumulate):
    """Returns the 3x3 layer, padded by 1, rounded to `accumulate` after every operation."""
    x, w, b = (inputs[name].astype(np.float64) for name in ("x", "w", "b"))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = x.shape[2:]
    total = np.zeros((1, w.shape[0], height, width))
    for c, i, j in np.ndindex(w.shape[1:]):
        window = padded[:, c : c + 1, i : i + height, j : j + width]
        product = round_to(window * w[None, :, c, i, j, None, None], accumulate)
        total = round_to(total + product.astype(np.float64), accumulate).astype(np.float64)
    total = round_to(total + b[None, :, None, None], accumulate).astype(np.float64)
    return round_to(total, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_rounded_sums_stay_within_the_bound_of_their_arithmetic(dtype):
    for seed in range(5):
        case = parse_case(f"{LAYER} real {dtype} seed{seed}")
        inputs = make_inputs(case)
        found = summed_one_by_one(inputs, dtype, dtype)
        assert compare(expected(case, inputs).outputs[0], found, dtype).verdict is Verdict.PASS
        wide = summed_one_by_one(inputs, dtype, "float64")
        claim = expected(case, inputs, accumulate="float64").outputs[0]
        assert compare(claim, wide, dtype).verdict is Verdict.PASS


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_narrow_sum_does_not_pass_for_a_wide_one(dtype):
    case = parse_case(f"{LAYER} real {dtype}")
    inputs = make_inputs(case)
    narrow = summed_one_by_one(inputs, dtype, dtype)
    claim = expected(case, inputs, accumulate="float32").outputs[0]
    assert compare(claim, narrow, dtype).verdict is Verdict.FAIL


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("family", ["integers", "large", "negative", "one_hot"])
def test_exact_families_leave_no_room_for_one_bit(dtype, family):
    case = parse_case(f"{LAYER} {family} {dtype}")
    inputs = make_inputs(case)
    wanted = expected(case, inputs).outputs[0]
    assert wanted.exact and not wanted.bound.any()
    found = summed_one_by_one(inputs, dtype, dtype)
    assert compare(wanted, found, dtype).kind == "equal"
    off = found.copy()
    place = tuple(np.argwhere(off)[0])
    off.view(np.int64 if dtype == "float64" else f"i{off.itemsize}")[place] ^= (
        1 << 16 if dtype == "bfloat16" else 1
    )
    assert compare(wanted, off, dtype).verdict is Verdict.FAIL


def test_a_bias_dropped_doubled_or_misplaced_is_seen():
    case = parse_case(LAYER)
    inputs = make_inputs(case)
    wanted = expected(case, inputs).outputs[0]
    x, w, b = (torch.from_numpy(inputs[name]) for name in ("x", "w", "b"))
    assert compare(wanted, F.conv2d(x, w, b, padding=1).numpy(), "float32").kind == "equal"
    for wrong in (None, 2 * b, b.roll(1)):
        found = F.conv2d(x, w, wrong, padding=1).numpy()
        assert compare(wanted, found, "float32").verdict is Verdict.FAIL


def test_infinities_that_meet_padding_are_not_judged_and_the_rest_is():
    for seed in range(9):
        case = parse_case(
            f"conv1d_backward n1 c1 w6 f1 k3 s1 p1 d1 g1 nonfinite float64 seed{seed}"
        )
        inputs = make_inputs(case)
        grad = inputs["grad_output"][0, 0]
        grad_x, grad_w, grad_b = expected(case, inputs).outputs
        open_taps = [not np.isfinite(grad[0]), False, not np.isfinite(grad[-1])]
        for tap in range(3):
            skipped = [
                grad[o] * inputs["x"][0, 0, o + tap - 1] for o in range(6) if 0 <= o + tap - 1 < 6
            ]
            with np.errstate(invalid="ignore"):
                value = np.sum(skipped)
            if np.isposinf(grad_w.bound[0, 0, tap]):
                assert open_taps[tap]
            else:
                assert np.array_equal(grad_w.values[0, 0, tap], value, equal_nan=True)
        assert not np.isfinite(grad_b.values).any()
        assert not np.isposinf(grad_x.bound).any()


@given(data=st.data())
def test_special_values_agree_with_torch(conv_cases, data):
    case = data.draw(conv_cases(values=("nonfinite",), symmetric=True))
    inputs, spec = make_inputs(case), case.spec
    pads = [p for pair in reversed(spec.padding_pairs()) for p in pair]
    mode = "constant" if spec.padding_mode == "zeros" else spec.padding_mode
    x = F.pad(torch.from_numpy(inputs["x"]), pads, mode=mode)
    b = torch.from_numpy(inputs["b"]) if "b" in inputs else None
    layer = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[spec.axes]
    found = layer(x, torch.from_numpy(inputs["w"]), b, spec.stride, 0, spec.dilation, spec.groups)
    wanted = expected(case, inputs).outputs[0]
    assert not np.isposinf(wanted.bound).any()
    assert np.array_equal(wanted.values, found.numpy(), equal_nan=True)


@given(data=st.data(), dtype=st.sampled_from(["float64", "int64"]))
def test_convolution_equals_numpy_and_scipy(convolve_cases, data, dtype):
    case = data.draw(convolve_cases(dtypes=(dtype,)))
    inputs, mode = make_inputs(case), case.spec.mode
    f, g = inputs["f"], inputs["g"]
    wanted = expected(case, inputs).outputs[0].values
    assert np.array_equal(wanted, scipy.signal.convolve(f, g, mode=mode, method="direct"))
    if f.ndim == 1 and mode != "same":
        # numpy's "same" has the extent of the longer argument.
        assert np.array_equal(wanted, np.convolve(f, g, mode))
    correlated = scipy.signal.correlate(f, np.flip(g), mode=mode, method="direct")
    if mode != "valid" or f.size >= g.size:
        assert np.array_equal(wanted, correlated)
    if f.ndim == 2:
        assert np.array_equal(wanted, scipy.signal.convolve2d(f, g, mode=mode))


@given(data=st.data(), values=st.sampled_from(["integers", "real", "large"]))
def test_fft_convolution_is_within_its_bound_and_a_wrong_one_is_not(convolve_cases, data, values):
    case = data.draw(convolve_cases(values=(values,)))
    inputs = make_inputs(case)
    wanted = expected(case, inputs, algorithm="fft").outputs[0]
    assert not wanted.exact
    found = np.asarray(scipy.signal.fftconvolve(inputs["f"], inputs["g"], mode=case.spec.mode))
    assert compare(wanted, found, "float64").verdict is Verdict.PASS
    found.flat[0] += 2.0**-30 * np.abs(inputs["f"]).max() * np.abs(inputs["g"]).max()
    assert compare(wanted, found, "float64").verdict is Verdict.FAIL


def winograd_f43(x, g):
    """Returns the correlation of 6 inputs with 3 taps by the matrices of Lavin and Gray."""
    kind = x.dtype
    b = np.array(
        [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
         [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]], dtype=kind,
    )  # fmt: skip
    gg = np.array(
        [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
         [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]], dtype=kind,
    )  # fmt: skip
    a = np.array(
        [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
        dtype=kind,
    )
    return a @ ((gg @ g) * (b @ x))


def test_winograd_is_not_exact_but_within_its_bound():
    differs = False
    for seed in range(20):
        case = parse_case(f"conv1d n1 c1 w6 f1 k3 s1 p0 d1 g1 seed{seed}")
        inputs = make_inputs(case)
        found = winograd_f43(inputs["x"][0, 0], inputs["w"][0, 0])[None, None]
        exact = expected(case, inputs).outputs[0]
        bounded = expected(case, inputs, algorithm="winograd").outputs[0]
        differs |= compare(exact, found, "float32").verdict is Verdict.FAIL
        assert compare(bounded, found, "float32").verdict is Verdict.PASS
        assert (bounded.bound < 1).all()
        found[0, 0, 3] += 1
        assert compare(bounded, found, "float32").verdict is Verdict.FAIL
    assert differs


def test_amplification_is_that_of_the_published_matrices():
    # The last row of A' of F(4, 3) with the row sums of G and B': 5 + 5 + 14 + 14 + 10.
    assert winograd_amplification(3) == 48
    assert winograd_amplification(1) == winograd_amplification(9) == 1


@pytest.mark.parametrize("algorithm", ["winograd", "fft"])
def test_a_transform_may_spread_a_nan_and_may_not_lose_it(algorithm):
    case = parse_case("conv2d n1 c1 h9 w9 f1 k3x3 s1 p1 d1 g1 nonfinite")
    wanted = expected(case, make_inputs(case), algorithm=algorithm).outputs[0]
    spread = np.where(np.isfinite(wanted.values), np.nan, wanted.values).astype(np.float32)
    assert compare(wanted, spread, "float32").verdict is Verdict.PASS
    lost = np.zeros(wanted.shape, dtype=np.float32)
    assert compare(wanted, lost, "float32").verdict is Verdict.FAIL


def test_bound_is_infinite_where_a_sum_may_overflow():
    half = find_format("float16")
    bound = direct_bound(np.zeros(2), np.array([100.0, 70000.0]), 4, accumulate=half, result=half)
    assert np.isfinite(bound[0]) and np.isinf(bound[1])


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
@pytest.mark.parametrize("family", ["integers", "large", "one_hot", "negative"])
def test_integer_layers_equal_torch(dtype, family):
    case = parse_case(f"conv2d n2 c3 h6 w5 f4 k3x2 s2x1 p1 d1 g1 {dtype} {family}")
    inputs = make_inputs(case)
    x, w = (torch.from_numpy(inputs[name]) for name in ("x", "w"))
    wanted = expected(case, inputs).outputs[0]
    assert wanted.exact and wanted.values.dtype == np.int64
    found = F.conv2d(x, w, stride=(2, 1), padding=1).numpy()
    assert compare(wanted, found, dtype).kind == "equal"


def test_output_size_is_an_integer():
    case = parse_case("output_size w32 k5 s1 p0 d1")
    wanted = expected(case, make_inputs(case)).outputs[0]
    assert compare(wanted, np.array(28), "int64").verdict is Verdict.PASS
    assert compare(wanted, np.array(27), "int64").verdict is Verdict.FAIL


def test_an_infinite_bias_makes_its_channel_infinite():
    case = parse_case("conv2d n2 c2 h6 w6 f3 k2x2 s1 p0 d1 g1 b1 float64 nonfinite seed2")
    inputs = make_inputs(case)
    assert np.isposinf(inputs["b"][-1]) and np.isfinite(inputs["b"][:-1]).all()
    wanted = expected(case, inputs).outputs[0]
    plain = {**inputs, "b": np.where(np.isfinite(inputs["b"]), inputs["b"], 0)}
    without = expected(case, plain).outputs[0]
    with np.errstate(invalid="ignore"):
        shifted = without.values + np.where(np.isfinite(inputs["b"]), 0, np.inf)[:, None, None]
    assert np.array_equal(wanted.values, shifted, equal_nan=True)
    assert compare(wanted, shifted, "float64").verdict is Verdict.PASS
    assert compare(wanted, without.values, "float64").verdict is Verdict.FAIL
