"""Descriptors: every case prints as one line that reads back as the same case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.case import DTYPES, LAYOUTS, MISFITS, VALUES, Case, parse_case
from convcheck.core.errors import ConvcheckError, GeometryError, UsageError
from convcheck.core.ops import OPS
from convcheck.core.shapes import output_shape
from convcheck.core.spec import (
    PADDING_MODES,
    TARGETS,
    ConvSpec,
    LossSpec,
    PoolSpec,
    SequenceSpec,
)

# Also what no layer can have: a descriptor says what was asked, possible or not.
NUMBER = st.integers(-3, 2**70)


def axes_of(draw, axes, number):
    if draw(st.booleans()):
        return (draw(number),) * axes
    return tuple(draw(number) for _ in range(axes))


@st.composite
def cases(draw):
    op = OPS[draw(st.sampled_from(sorted(OPS)))]
    axes = op.axes or draw(st.integers(0 if op.family != "convolve" else 1, 3))
    arrays = {
        "dtype": draw(st.sampled_from(DTYPES)),
        "layout": draw(st.sampled_from(LAYOUTS)),
        "values": draw(st.sampled_from(VALUES)),
        "seed": draw(st.integers(0, 2**64)),
        "int_arguments": draw(st.booleans()),
        "defaults": draw(st.booleans()),
        "spatial": axes_of(draw, axes, NUMBER),
    }
    pair = st.tuples(NUMBER, NUMBER)
    window = {"kernel_size": axes_of(draw, axes, NUMBER)}
    if op.family == "convolve":
        mode = draw(st.sampled_from(["full", "same", "valid"]))
        return Case(op=op.name, spec=SequenceSpec(**window, mode=mode), **arrays)
    if op.family in ("cross_entropy", "kl_div"):
        kl = op.family == "kl_div"
        log_target = kl and draw(st.booleans())
        spec = LossSpec(
            classes=draw(NUMBER),
            reduction=draw(st.sampled_from(["mean", "sum", "none", *["batchmean"] * kl])),
            target="index" if log_target else draw(st.sampled_from(TARGETS)),
            log_target=log_target,
            label_smoothing=draw(st.integers(0, 100)),
            weighted=draw(st.booleans()),
            ignore_index=draw(st.none() | NUMBER),
        )
        return Case(op=op.name, spec=spec, batch=draw(NUMBER), **arrays)
    window["stride"] = axes_of(draw, axes, NUMBER)
    window["dilation"] = axes_of(draw, axes, NUMBER)
    window["padding"] = axes_of(draw, axes, pair)
    if op.family in ("max_pool", "avg_pool"):
        spec = PoolSpec(
            kind=op.family[:3], **window,
            ceil_mode=draw(st.booleans()), count_include_pad=draw(st.booleans()),
        )  # fmt: skip
        return Case(op=op.name, spec=spec, batch=draw(NUMBER), channels=draw(NUMBER), **arrays)
    if draw(st.booleans()):
        window["padding"] = draw(st.sampled_from(["same", "valid"]))
    if op.family == "output_size":
        return Case(op=op.name, spec=ConvSpec(**window), **arrays)
    transposed = op.family.startswith("conv_transpose")
    spec = ConvSpec(
        **window,
        groups=draw(NUMBER),
        in_channels=draw(NUMBER),
        out_channels=draw(NUMBER),
        padding_mode=draw(st.sampled_from(PADDING_MODES)),
        bias=draw(st.booleans()),
        transposed=transposed,
        output_padding=axes_of(draw, axes, NUMBER) if transposed else (0,),
    )
    misfit = "none" if op.family.endswith("backward") else draw(st.sampled_from(MISFITS))
    return Case(op=op.name, spec=spec, batch=draw(NUMBER), misfit=misfit, **arrays)


@given(cases())
def test_descriptors_round_trip(case):
    text = str(case)
    assert "\n" not in text
    assert parse_case(text) == case
    assert str(parse_case(text)) == text


@given(cases())
def test_every_case_has_a_shape_or_a_refusal(case):
    try:
        shape = output_shape(case)
        assert all(isinstance(size, int) and size >= 0 for size in shape)
    except GeometryError as error:
        assert error.where == str(case)


@given(cases(), st.randoms())
def test_order_of_tokens_does_not_matter(case, random):
    op, *tokens = str(case).split()
    random.shuffle(tokens)
    assert parse_case(" ".join([op, *tokens])) == case


@pytest.mark.parametrize(
    "text",
    [
        "conv2d n1 c3 h4 w9 f8 k3x3 s1 p1 d3 g1",
        "conv2d n2 c4 h5 w7 f6 k3x2 s2x1 p1:0x0:2 d1 g2 b1 float64 channels_last one_hot seed7",
        "conv_transpose2d n1 c2 h3 w3 f2 k2x2 s2 p0 d1 g1 op1",
        "max_pool2d n1 c1 h4 w4 k2x2 s2 p0 d1 ceil",
        "avg_pool1d n1 c1 w5 k3 s1 p1 d1 exclude_pad",
        "cross_entropy n2 c3 mean index",
        "cross_entropy n2 c3 sum ignored ignore-1",
        "kl_div n2 c3 batchmean log_target",
        "convolve h5 w4 k2x2 full",
        "output_size w32 k5 s1 p0 d1",
    ],
)
def test_the_documented_descriptors_print_as_they_are_written(text):
    assert str(parse_case(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the case is empty"),
        ("conv4d n1", "op 'conv4d' is unknown"),
        ("conv2d n1 c1 h5 w5 f1 k3x3 s1 p0 d1 g1 flaot64", "did you mean float"),
        ("conv2d n1 n1 c1 h5 w5 f1 k3x3", "n stands twice"),
        ("conv2d n1 c1 h5 f1 k3x3", "w is missing"),
        ("conv2d n1 c1 h5 w5 f1", "k is missing"),
        ("conv2d n1 c1 h5 w5 f1 k3x3 float32 float64", "dtype stands twice"),
        ("conv2d n1 c1 h5 w5 f1 k3x3 pfull", "token 'pfull' is unknown"),
        ("conv2d n1 c1 h5 w5 f1 k3x", "token 'k3x' is unknown"),
        ("conv2d n1 c1 h5 w5 f1 k" + "9" * 40, "is unknown"),
        ("kl_div n2", "c is missing"),
        ("convolve w4", "k is missing"),
    ],
)
def test_a_wrong_descriptor_is_refused_with_what_is_wrong(text, says):
    with pytest.raises(UsageError, match=says):
        parse_case(text)


def test_the_wrong_number_of_axes_is_refused():
    with pytest.raises(ConvcheckError, match="stride has 3 values"):
        parse_case("conv2d n1 c1 h5 w5 f1 k3x3 s1x1x1")
    for text in ("conv2d n1 c1 h5 w5 f1 k3x3x3 s1 p0 d1 g1", "max_pool2d n1 c1 h5 w5 k3x3x3 s1"):
        with pytest.raises(GeometryError, match="3 axes"):
            output_shape(parse_case(text))


def test_channels_follow_the_spec():
    case = Case(
        op="conv1d", spec=ConvSpec(kernel_size=(3,), in_channels=5), spatial=(9,), channels=2
    )
    assert case.channels == 5 and case.input_shape() == (1, 5, 9)
    assert Case(op="kl_div", spec=LossSpec(classes=4)).input_shape() == (1, 4)
