"""Inputs are the same everywhere, exact in every order where they claim to be, and discriminate."""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcheck.core.case import DTYPES, parse_case
from convcheck.core.errors import UsageError
from convcheck.oracle import fast
from convcheck.oracle.expected import Refusal, expected
from convcheck.oracle.formats import FORMATS, find_format, round_to
from convcheck.oracle.forms import argument_shapes, forms_of
from convcheck.oracle.inputs import make_inputs
from convcheck.oracle.taps import read_counts

FLOATS = ["float64", "float32", "float16", "bfloat16"]
EXACT = [
    "integers", "one_hot", "negative", "large", "tiny", "negative_zero",
    "all_zeros", "zero_ends", "all_ones", "near_ones", "large_ones", "balanced",
]  # fmt: skip
WIDE = "conv2d n1 c51 h8 w8 f6 k3x3 s1 p1 d1 g3 b1"


def rounded_sum(terms, dtype, rng):
    """Returns the sum of `terms` in random order, rounded to `dtype` after every addition."""
    total = np.float64(0)
    for term in rng.permutation(terms):
        total = round_to(np.float64(total) + np.float64(term), dtype).astype(np.float64)
    return total


def terms_of_element(case, inputs, index):
    """Returns the products (and the bias) that make one output of a layer."""
    x, w = inputs["x"].astype(np.float64), inputs["w"].astype(np.float64)
    # Read the terms off by linearity: one tap of w kept at a time, by the unit filters.
    found = []
    for place in np.ndindex(w.shape):
        one = np.zeros_like(w)
        one[place] = w[place]
        found.append((place, one))
    values = [fast.conv(x, one, spec=case.spec)[index] for _, one in found]
    return [value for value in values if value] + ([inputs["b"][index[1]]] if "b" in inputs else [])


@given(
    data=st.data(),
    dtype=st.sampled_from(FLOATS),
    values=st.sampled_from(EXACT),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_order_of_summation_gives_the_same_bits(conv_cases, data, dtype, values, seed):
    case = data.draw(conv_cases(values=(values,), dtypes=(dtype,)))
    inputs = make_inputs(case)
    wanted = expected(case, inputs).outputs[0]
    assert wanted.exact
    assume(wanted.values.size)
    rng = np.random.default_rng(seed)
    index = tuple(int(rng.integers(size)) for size in wanted.shape)
    terms = terms_of_element(case, inputs, index)
    assert rounded_sum(terms, dtype, rng) == wanted.values[index]


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "float64"])
@pytest.mark.parametrize("values", EXACT)
@pytest.mark.parametrize(
    "text",
    [
        WIDE,
        WIDE.replace("conv2d", "conv2d_backward"),
        "conv2d_backward n2 c3 h32 w32 f4 k3x3 s1 p1 d1 g1",
        "conv_transpose2d n2 c24 h6 w5 f4 k3x3 s2 p1 d1 g1 op1 b1",
        "conv_transpose2d_backward n2 c4 h6 w5 f24 k3x3 s2 p1 d1 g1 op1",
        "convolve h30 w20 k9x11 full",
        "conv1d n1 c600 w9 f2 k3 s1 p1 d1 g1",
    ],
)
def test_magnitudes_stay_within_what_the_dtype_counts_exactly(text, values, dtype):
    case = parse_case(f"{text} {dtype} {values}")
    inputs, chosen = make_inputs(case), find_format(dtype)
    outputs = expected(case, inputs).outputs
    assert [output.name for output in outputs if not output.exact] == []
    for output in outputs:
        assert np.array_equal(
            round_to(output.values.astype(np.float64), dtype).astype(np.float64), output.values
        )
        assert np.abs(output.values.astype(np.float64)).max() <= chosen.largest
        assert output.values.any() or values in ("all_zeros", "balanced")
    for form in forms_of(case):
        assert np.isfinite(form.product(*_absolute(inputs, form))).all()


def _absolute(inputs, form):
    right = np.ones(()) if form.right is None else inputs[form.right].astype(np.float64)
    return np.abs(inputs[form.left].astype(np.float64)), np.abs(right)


@given(data=st.data(), dtype=st.sampled_from(DTYPES), values=st.sampled_from([*EXACT, "real"]))
def test_values_are_exactly_representable(conv_cases, data, dtype, values):
    case = data.draw(conv_cases(values=(values,), dtypes=(dtype,)))
    for name, array in make_inputs(case).items():
        assert array.dtype == FORMATS[dtype].carrier, name
        assert array.flags.c_contiguous
        if FORMATS[dtype].is_float:
            wide = array.astype(np.float64)
            assert np.array_equal(round_to(wide, dtype).astype(np.float64), wide)


def test_real_values_are_not_exact_and_need_every_bit():
    for dtype in FLOATS:
        case = parse_case(f"conv2d n1 c2 h5 w5 f2 k3x3 s1 p1 d1 g1 real {dtype}")
        inputs = make_inputs(case)
        output = expected(case, inputs).outputs[0]
        assert not output.exact
        assert (output.bound > 0).all()
        narrower = {"float64": "float32", "float32": "bfloat16", "float16": "bfloat16"}.get(dtype)
        if narrower:
            wide = inputs["x"].astype(np.float64)
            assert (round_to(wide, narrower) != wide).mean() > 0.5


def test_large_values_do_not_fit_a_narrower_format():
    for dtype, narrower in (("float64", "float32"), ("float32", "bfloat16"), ("int32", "int16")):
        case = parse_case(f"conv2d n1 c2 h5 w5 f2 k3x3 s1 p1 d1 g1 large {dtype}")
        output = expected(case, make_inputs(case)).outputs[0]
        values = output.values.astype(np.float64)
        if dtype == "int32":
            assert (np.abs(values) > FORMATS[narrower].budget).mean() > 0.5
        else:
            assert (round_to(values, narrower) != values).mean() > 0.5


@given(data=st.data(), dtype=st.sampled_from(DTYPES))
def test_weights_are_distinct_and_none_is_zero(conv_cases, data, dtype):
    case = data.draw(conv_cases(dtypes=(dtype,)))
    w = make_inputs(case)["w"]
    assert (w != 0).all()
    if dtype in ("float64", "float32", "int64", "int32"):
        for kernel in w:
            assert len(np.unique(kernel)) == kernel.size
        if w.shape[0] > 1:
            assert len({kernel.tobytes() for kernel in w}) == w.shape[0]


@given(data=st.data(), argument=st.sampled_from(["x", "w"]), pick=st.integers(0, 10**6))
def test_a_change_of_any_element_that_is_read_shows(conv_cases, data, argument, pick):
    # Where the padding repeats the input, changes may cancel; with zeros they cannot.
    families = ("integers", "negative", "large", "real")
    case = data.draw(conv_cases(values=families, modes=False))
    spec, inputs = case.spec, make_inputs(case)
    y = fast.conv(inputs["x"], inputs["w"], spec=spec)
    ones_w, ones_y = np.ones_like(inputs["w"]), np.ones_like(y)
    reads = {
        "x": fast.input_adjoint(ones_y, ones_w, spec=spec, spatial=case.spatial),
        "w": fast.weight_adjoint(ones_y, np.ones_like(inputs["x"]), spec=spec),
    }[argument]
    places = np.argwhere(reads)
    assume(len(places))
    changed = dict(inputs)
    changed[argument] = inputs[argument].copy()
    changed[argument][tuple(places[pick % len(places)])] *= 2
    assert (fast.conv(changed["x"], changed["w"], spec=spec) != y).any()


@given(data=st.data(), op=st.sampled_from(["conv", "backward", "convolve"]))
def test_one_hot_reads_as_a_picture(conv_cases, convolve_cases, data, op):
    strategy = {
        "conv": conv_cases(values=("one_hot",)),
        "backward": conv_cases(values=("one_hot",), suffix="_backward"),
        "convolve": convolve_cases(values=("one_hot",)),
    }[op]
    case = data.draw(strategy)
    inputs = make_inputs(case)
    hot = next(iter(inputs.values()))
    assert sorted(hot.ravel())[-1] == 1 and hot.sum() == 1
    if op == "conv":
        assume(read_counts(case.spec, case.spatial).any())
    outputs = expected(case, inputs).outputs
    assert any(output.values.any() for output in outputs)
    rest = list(inputs.items())[1:]
    for name, array in rest:
        if name in ("w", "g", "x"):
            assert len(np.unique(array)) == array.size


def test_one_hot_lands_where_it_is_read():
    for seed in range(20):
        case = parse_case(f"conv1d n1 c1 w20 f1 k1 s7 p0 d1 g1 one_hot seed{seed}")
        assert expected(case, make_inputs(case)).outputs[0].values.any()


def test_negative_has_no_datum_above_zero():
    for op in ("conv2d n1 c2 h5 w5 f2 k3x3 s1 p1 d1 g1", "max_pool2d n1 c2 h5 w5 k3x3 s1 p1 d1"):
        inputs = make_inputs(parse_case(f"{op} negative"))
        assert (inputs["x"] < 0).all()
    assert (make_inputs(parse_case("conv1d n1 c1 w9 f1 k3 s1 p0 d1 g1 negative"))["w"] > 0).any()


def test_special_values_are_planted_and_most_results_stay_finite():
    kinds = set()
    for seed in (0, 1, 2, 3, 5, 7):
        case = parse_case(f"conv2d n2 c2 h9 w9 f2 k2x2 s1 p0 d1 g1 nonfinite seed{seed}")
        inputs = make_inputs(case)
        bad = inputs["x"][~np.isfinite(inputs["x"])]
        kinds |= {str(value) for value in bad}
        output = expected(case, inputs).outputs[0]
        finite = np.isfinite(output.values)
        assert 0.5 < finite.mean() < 1
        assert np.isfinite(inputs["w"]).all()
    assert kinds == {"nan", "inf", "-inf"}


def test_an_infinite_weight_meets_zeros_and_a_bias_is_not_finite():
    text = "conv2d n2 c2 h5 w6 f3 k2x2 s1 p0 d1 g1 b1 nonfinite"
    infinite = make_inputs(parse_case(f"{text} seed4"))
    assert np.isinf(infinite["w"]).sum() == 1
    assert 0 < (infinite["x"] == 0).sum() < infinite["x"].size // 2
    wanted = expected(parse_case(f"{text} seed4"), infinite).outputs[0].values
    assert np.isnan(wanted).any() and np.isinf(wanted).any() and np.isfinite(wanted).any()
    assert np.isinf(make_inputs(parse_case(f"{text} seed2"))["b"]).sum() == 1
    assert np.isnan(make_inputs(parse_case(f"{text} seed6"))["b"]).sum() == 1


def test_a_sample_with_a_gradient_of_zero_has_special_data():
    text = "conv2d_backward n3 c2 h5 w6 f3 k2x2 s1 p0 d1 g1 nonfinite"
    inputs = make_inputs(parse_case(f"{text} seed3"))
    assert not inputs["grad_output"][0].any() and inputs["grad_output"][1:].all()
    assert not np.isfinite(inputs["x"][0]).all()
    assert np.isfinite(make_inputs(parse_case(f"{text} seed2"))["x"]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_near_ones_are_ones_but_for_the_last_tap_by_half_of_the_bits(dtype):
    inputs = make_inputs(parse_case(f"conv2d n1 c2 h5 w6 f3 k3x2 s1 p0 d1 g1 {dtype} near_ones"))
    # One factor of each product is in units of the last bit that counts.
    w = inputs["w"].astype(np.float64)
    ratio = w[:, -1, -1, -1] / w[:, 0, 0, 0]
    half = find_format(dtype).precision // 2
    assert (ratio == 1 + 2.0**-half).all()
    assert (w.reshape(3, -1)[:, :-1] == w[0, 0, 0, 0]).all()


def test_large_ones_pass_what_is_counted_exactly_and_no_window_does():
    case = parse_case("conv1d n1 c1 w40 f1 k5 s1 p0 d1 g1 large_ones")
    inputs, budget = make_inputs(case), find_format("float32").budget
    assert (inputs["w"] == 1).all()
    assert np.abs(inputs["x"].astype(np.float64)).sum() > budget
    assert expected(case, inputs).outputs[0].exact


@pytest.mark.parametrize("text", ["conv2d n1 c2 h5 w6 f3 k3x5 s1 p0 d1 g1", "convolve w6 k5 full"])
def test_ends_of_kernels_and_sequences_are_zero(text):
    inputs = make_inputs(parse_case(f"{text} zero_ends"))
    for name in ("w",) if "w" in inputs else ("f", "g"):
        assert not inputs[name][..., [0, -1]].any() and inputs[name][..., 1:-1].any()
    assert "x" not in inputs or inputs["x"].all()


def test_negative_zero_family_has_zeros_of_both_signs():
    x = make_inputs(parse_case("max_pool2d n1 c2 h16 w16 k3x3 s1 p1 d1 negative_zero"))["x"]
    zeros = x[x == 0]
    assert np.signbit(zeros).any() and not np.signbit(zeros).all()


@pytest.mark.parametrize("op", ["conv2d", "conv2d_backward", "max_pool2d"])
def test_uniform_families_are_what_they_are_called(op):
    more = {"conv2d": ("f3", "g1 b1"), "conv2d_backward": ("f3", "g1"), "max_pool2d": ("", "")}
    filters, rest = more[op]
    text = f"{op} n2 c2 h3 w5 {filters} k2x3 s1 p1 d1 {rest}"
    zeros, ones, balanced, plain = (
        make_inputs(parse_case(f"{text} {family}"))
        for family in ("all_zeros", "all_ones", "balanced", "integers")
    )
    for place, name in enumerate(plain):
        assert zeros[name].any() == (place > 0)
        if name != "b":
            assert (ones[name] == 1).all() and plain[name].sum() != 0
            assert balanced[name].sum() == 0 and balanced[name].any()
        else:
            assert ones[name].any() and np.array_equal(balanced[name], plain[name])


def test_zeros_lie_where_code_may_look_for_them_and_nowhere_else():
    zero = make_inputs(parse_case("conv2d n1 c2 h4 w6 f3 k2x3 s1 p0 d1 g1 b1 negative_zero"))
    assert zero["b"][0] == 0 and zero["b"][1:].all() and zero["w"].all()
    for seed in range(8):
        case = parse_case(f"conv2d n1 c2 h4 w6 f3 k2x3 s1 p0 d1 g1 nonfinite seed{seed}")
        w = make_inputs(case)["w"]
        assert w.all() == (seed % 4 != 3)
        if seed % 4 == 3:
            assert not w[0].any() and not w.reshape(3, 2, 6)[..., 3].any() and w[1:].any()
    vector = make_inputs(parse_case("conv2d n1 c1 h4 w6 f3 k2x3 s1 p0 d1 g1 nonfinite seed3"))
    assert vector["w"].all()


def test_integer_dtypes_take_plain_integers_for_what_they_cannot_hold():
    base = "conv1d n1 c1 w9 f1 k3 s1 p0 d1 g1 int32"
    plain = make_inputs(parse_case(base))
    for family in ("real", "nonfinite", "negative_zero"):
        assert make_inputs(parse_case(f"{base} {family}"))["x"].tobytes() == plain["x"].tobytes()
    x = make_inputs(parse_case(base.replace("int32", "uint8") + " negative"))["x"]
    assert x.dtype == np.uint8 and (x > 0).all()


def test_seed_shape_and_name_decide_the_bytes_and_nothing_else_does():
    base = "conv2d n1 c2 h5 w6 f2 k3x3 s1 p1 d1 g1"
    first = make_inputs(parse_case(base))
    np.random.default_rng().random()
    assert all(
        array.tobytes() == first[name].tobytes()
        for name, array in make_inputs(parse_case(base)).items()
    )
    assert make_inputs(parse_case(base + " seed1"))["x"].tobytes() != first["x"].tobytes()
    longer = make_inputs(parse_case(base.replace("w6", "w7")))["x"]
    assert not np.array_equal(longer[..., :6], first["x"])


def test_bytes_are_pinned():
    # A change here changes what every stored descriptor means.
    digest = sha256()
    for op in ("conv2d n2 c4 h5 w6 f4 k3x2 s1 p1 d1 g2 b1", "max_pool2d n1 c2 h5 w6 k2x2 s2 p0 d1"):
        for family in (*EXACT[:6], "real", "nonfinite", *EXACT[6:]):
            for array in make_inputs(parse_case(f"{op} {family} seed3")).values():
                digest.update(array.astype("<f4").tobytes())
    assert digest.hexdigest()[:16] == PINNED


PINNED = "368032ffa0e6e782"


@pytest.mark.parametrize(
    "text",
    [
        "conv2d n1 c1 h4 w4 f1 k5x5 s1 p0 d1 g1",
        "conv2d n1 c3 h4 w4 f4 k3x3 s1 p0 d1 g2",
        "conv2d n1 c2 h4 w4 f2 k3x3 s0 p0 d1 g1",
        "conv2d n1 c2 h4 w4 f2 k3x3 s1 p-1 d1 g1",
        "conv2d n1 c2 h4 w4 f2 k3x3 s1 p1 d1 g0",
        "conv2d n1 c2 h4 w4 f0 k3x3 s1 p1 d1 g1",
        "conv2d n1 c2 h-4 w4 f2 k3x3 s1 p1 d1 g1",
        "conv2d n1 c2 h4 w4 f2 k0x3 s1 p1 d1 g1",
        "conv2d_backward n1 c2 h4 w4 f2 k5x5 s1 p0 d1 g1",
        "conv_transpose2d n1 c2 h4 w4 f2 k3x3 s1 p1 d1 g1 op3",
        "max_pool2d n1 c2 h4 w4 k3x3 s1 p2 d1",
        "convolve h4 w4 k5x3 valid",
        "output_size w3 k5 s1 p0 d1",
    ],
)
@pytest.mark.parametrize("values", ["integers", "one_hot", "large", "real", "nonfinite"])
def test_impossible_cases_still_have_inputs_and_must_be_refused(text, values):
    case = parse_case(f"{text} {values}")
    inputs = make_inputs(case)
    assert {name: array.shape for name, array in inputs.items()} == argument_shapes(case)
    refusal = expected(case, inputs)
    assert isinstance(refusal, Refusal)
    assert text.split()[0] in refusal.reason.where


@pytest.mark.parametrize(
    "text",
    [
        "conv2d n1 c1 h4 w4 f1 k3x3 s1 p2305843009213693952 d1 g1",
        "conv1d n1 c1 w99999999999 f1 k3 s1 p0 d1 g1",
        "conv_transpose1d n1 c1 w4 f1 k3 s99999999999 p0 d1 g1",
        "convolve h99999 w99999 k2x2",
    ],
)
def test_cases_too_large_to_evaluate_are_a_usage_error(text):
    case = parse_case(text)
    with pytest.raises(UsageError, match="elements") as caught:
        expected(case, make_inputs(case))
    assert caught.value.where == str(case)


def test_pictures_give_way_where_an_output_reads_the_one_too_often():
    case = parse_case("conv1d n1 c1 w1 f1 k200 s1 p100 d1 g1 replicate one_hot int8")
    output = expected(case, make_inputs(case)).outputs[0]
    assert output.exact and output.values.size == 2


@pytest.mark.parametrize("op", ["conv2d", "conv2d_backward"])
def test_empty_batches_have_inputs_and_empty_results(op):
    case = parse_case(f"{op} n0 c2 h4 w4 f2 k3x3 s1 p1 d1 g1")
    outputs = expected(case, make_inputs(case)).outputs
    assert outputs[0].shape == (0, 2, 4, 4)
    if op == "conv2d_backward":
        assert not outputs[1].values.any() and outputs[1].shape == (2, 2, 3, 3)
