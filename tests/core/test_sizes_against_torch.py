"""Sizes and refusals agree with torch's own, over valid and invalid parameters, in 1-D to 3-D."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st

from convcheck.core.errors import GeometryError
from convcheck.core.sizes import (
    conv_output_size,
    conv_transpose_output_size,
    fold_columns,
    pool_output_size,
    unfold_output_size,
)

torch.set_num_threads(1)
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}

AXES = st.integers(1, 3)
# Per axis: size, kernel, stride, padding, dilation, output_padding. Each may be out of range.
MOST = {1: 40, 2: 16, 3: 8}


@st.composite
def windows(draw):
    axes = draw(AXES)
    most = MOST[axes]

    def each(low, high):
        value = st.integers(low, high)
        # Half of the draws are anisotropic, and out of range values are rare enough to see both.
        if draw(st.booleans()):
            return (draw(value),) * axes
        return tuple(draw(value) for _ in range(axes))

    low = -1 if draw(st.integers(0, 3)) == 0 else 1
    return {
        "size": each(1, most),
        "kernel": each(max(low, 0), 6),
        "stride": each(low, 7),
        "padding": each(min(low, 0), 4),
        "dilation": each(low, 4),
        "output_padding": each(min(low, 0), 4),
    }


def size_or_refusal(call):
    try:
        return call()
    except GeometryError as error:
        assert str(error)
        return "refused"


def torch_size_or_refusal(call):
    try:
        return tuple(call().shape[2:])
    except (RuntimeError, ValueError):
        return "refused"


@given(windows())
def test_conv_size_agrees_with_torch(w):
    axes = len(w["size"])
    found = torch_size_or_refusal(
        lambda: CONV[axes](
            torch.zeros(1, 1, *w["size"]), torch.zeros(1, 1, *w["kernel"]),
            stride=w["stride"], padding=w["padding"], dilation=w["dilation"],
        )
    )  # fmt: skip
    ours = size_or_refusal(
        lambda: conv_output_size(
            w["size"], w["kernel"],
            stride=w["stride"], padding=w["padding"], dilation=w["dilation"],
        )
    )  # fmt: skip
    assert ours == found


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(windows(), st.sampled_from(["same", "valid"]))
def test_named_padding_agrees_with_torch(w, padding):
    axes = len(w["size"])
    found = torch_size_or_refusal(
        lambda: CONV[axes](
            torch.zeros(1, 1, *w["size"]), torch.zeros(1, 1, *w["kernel"]),
            stride=w["stride"], padding=padding, dilation=w["dilation"],
        )
    )  # fmt: skip
    ours = size_or_refusal(
        lambda: conv_output_size(
            w["size"], w["kernel"], stride=w["stride"], padding=padding, dilation=w["dilation"]
        )
    )
    assert ours == found


@given(windows())
def test_conv_transpose_size_agrees_with_torch(w):
    axes = len(w["size"])
    found = torch_size_or_refusal(
        lambda: TRANSPOSED[axes](
            torch.zeros(1, 1, *w["size"]), torch.zeros(1, 1, *w["kernel"]), stride=w["stride"],
            padding=w["padding"], output_padding=w["output_padding"], dilation=w["dilation"],
        )
    )  # fmt: skip
    ours = size_or_refusal(
        lambda: conv_transpose_output_size(
            w["size"], w["kernel"], stride=w["stride"],
            padding=w["padding"], output_padding=w["output_padding"], dilation=w["dilation"],
        )
    )  # fmt: skip
    if found != "refused" and 0 in found:
        # Of torch's kernels some refuse an output of no extent and some return it.
        assert ours == "refused"
        return
    assert ours == found


@given(windows(), st.booleans())
def test_max_pool_size_agrees_with_torch(w, ceil_mode):
    axes = len(w["size"])
    found = torch_size_or_refusal(
        lambda: MAX[axes](
            torch.zeros(1, 1, *w["size"]),
            w["kernel"], w["stride"], w["padding"], w["dilation"], ceil_mode,
        )
    )  # fmt: skip
    ours = size_or_refusal(
        lambda: pool_output_size(
            w["size"], w["kernel"], stride=w["stride"],
            padding=w["padding"], dilation=w["dilation"], ceil_mode=ceil_mode,
        )
    )  # fmt: skip
    assert ours == found


@given(windows(), st.booleans())
@example({"size": (3, 3, 3), "kernel": (4, 3, 3), "stride": (1,) * 3, "padding": (2, 1, 1)}, False)
def test_avg_pool_size_agrees_with_torch(w, ceil_mode):
    axes = len(w["size"])
    found = torch_size_or_refusal(
        lambda: AVG[axes](
            torch.zeros(1, 1, *w["size"]), w["kernel"], w["stride"], w["padding"], ceil_mode
        )
    )
    ours = size_or_refusal(
        lambda: pool_output_size(
            w["size"], w["kernel"], stride=w["stride"],
            padding=w["padding"], ceil_mode=ceil_mode, kind="avg",
        )
    )  # fmt: skip
    assert ours == found


@given(windows())
def test_unfold_and_fold_columns_agree_with_torch(w):
    w = {name: (values * 2)[:2] for name, values in w.items()}
    arguments = {name: w[name] for name in ("dilation", "padding", "stride")}
    ours = size_or_refusal(lambda: unfold_output_size(w["size"], w["kernel"], **arguments))
    try:
        columns = F.unfold(torch.zeros(1, 1, *w["size"]), w["kernel"], **arguments)
        assert ours == columns.shape[2]
    except RuntimeError:
        assert ours == "refused"
        return
    assert fold_columns(w["size"], w["kernel"], **arguments) == columns.shape[2]
    assert F.fold(columns, w["size"], w["kernel"], **arguments).shape[2:] == w["size"]
    wrong = torch.zeros(1, columns.shape[1], columns.shape[2] + 1)
    with pytest.raises(RuntimeError):
        F.fold(wrong, w["size"], w["kernel"], **arguments)


@given(windows())
def test_transposed_size_inverts_the_size_it_comes_from(w):
    arguments = {name: w[name] for name in ("stride", "padding", "dilation")}
    out = size_or_refusal(lambda: conv_output_size(w["size"], w["kernel"], **arguments))
    if out == "refused":
        return
    # output_padding is the remainder that the division by the stride lost.
    lost = [
        (m + 2 * p - d * (k - 1) - 1) % s
        for m, p, d, k, s in zip(
            w["size"], w["padding"], w["dilation"], w["kernel"], w["stride"], strict=True
        )
    ]
    back = conv_transpose_output_size(out, w["kernel"], output_padding=lost, **arguments)
    assert back == w["size"]


def test_sizes_are_unbounded():
    huge = 2**61
    assert conv_output_size(4, 3, padding=huge) == 2 * huge + 2
    with pytest.raises(GeometryError, match="does not fit"):
        # torch overflows here, and returns a tensor.
        conv_output_size(4, 3, dilation=2**62)
