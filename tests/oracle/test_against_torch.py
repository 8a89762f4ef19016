"""Sums against torch, bit for bit: integers in float64 leave torch no room to round."""

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.verdict import Verdict
from convcheck.oracle import fast
from convcheck.oracle.boundary import index_map
from convcheck.oracle.compare import compare
from convcheck.oracle.expected import expected, expected_indices
from convcheck.oracle.inputs import make_inputs

torch.set_num_threads(1)
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
TORCH_MODE = {"zeros": "constant"}


def torch_layer(spec, x, w, b=None):
    """Returns torch's layer, which pads by itself where the padding is not symmetric zeros."""
    pads = [p for pair in reversed(spec.padding_pairs()) for p in pair]
    x = F.pad(x, pads, mode=TORCH_MODE.get(spec.padding_mode, spec.padding_mode))
    return CONV[spec.axes](x, w, b, stride=spec.stride, dilation=spec.dilation, groups=spec.groups)


def torch_transposed(spec, x, w, b=None):
    return TRANSPOSED[spec.axes](
        x, w, b, stride=spec.stride, padding=[p for p, _ in spec.padding_pairs()],
        output_padding=spec.output_padding, groups=spec.groups, dilation=spec.dilation,
    )  # fmt: skip


def _tensors(inputs):
    return {name: torch.from_numpy(array).requires_grad_() for name, array in inputs.items()}


def _same_bits(wanted, found):
    assert wanted.exact
    assert wanted.shape == tuple(found.shape)
    assert np.array_equal(wanted.values, found.detach().numpy())


@given(data=st.data())
def test_layer_equals_torch(conv_cases, data):
    case = data.draw(conv_cases())
    inputs = make_inputs(case)
    found = torch_layer(case.spec, **{k: v.detach() for k, v in _tensors(inputs).items()})
    _same_bits(expected(case, inputs).outputs[0], found)


@given(data=st.data())
def test_gradients_of_the_layer_equal_autograd(conv_cases, data):
    case = data.draw(conv_cases(suffix="_backward"))
    inputs = make_inputs(case)
    t = _tensors(inputs)
    b = torch.zeros(case.spec.out_channels, dtype=torch.float64, requires_grad=True)
    y = torch_layer(case.spec, t["x"], t["w"], b)
    gradients = torch.autograd.grad(y, (t["x"], t["w"], b), t["grad_output"])
    for wanted, found in zip(expected(case, inputs).outputs, gradients, strict=True):
        _same_bits(wanted, found)


@given(data=st.data())
def test_transposed_layer_equals_torch(conv_transpose_cases, data):
    case = data.draw(conv_transpose_cases(symmetric=True))
    inputs = make_inputs(case)
    found = torch_transposed(case.spec, **{k: v.detach() for k, v in _tensors(inputs).items()})
    _same_bits(expected(case, inputs).outputs[0], found)


@given(data=st.data())
def test_gradients_of_the_transposed_layer_equal_autograd(conv_transpose_cases, data):
    case = data.draw(conv_transpose_cases(suffix="_backward", symmetric=True))
    inputs = make_inputs(case)
    t = _tensors(inputs)
    b = torch.zeros(case.spec.out_channels, dtype=torch.float64, requires_grad=True)
    y = torch_transposed(case.spec, t["x"], t["w"], b)
    gradients = torch.autograd.grad(y, (t["x"], t["w"], b), t["grad_output"])
    for wanted, found in zip(expected(case, inputs).outputs, gradients, strict=True):
        _same_bits(wanted, found)


@given(data=st.data())
def test_double_backward_equals_autograd(conv_cases, data):
    case = data.draw(conv_cases(suffix="_backward", modes=False))
    inputs = make_inputs(case)
    t = _tensors(inputs)
    y = torch_layer(case.spec, t["x"], t["w"])
    (gx,) = torch.autograd.grad(y, t["x"], t["grad_output"], create_graph=True)
    direction = torch.from_numpy(np.flip(inputs["x"]).copy())
    gy, gw = torch.autograd.grad(gx, (t["grad_output"], t["w"]), direction)
    assert np.array_equal(fast.conv(direction.numpy(), inputs["w"], spec=case.spec), gy.numpy())
    assert np.array_equal(
        fast.weight_adjoint(inputs["grad_output"], direction.numpy(), spec=case.spec), gw.numpy()
    )


@given(
    size=st.integers(1, 7),
    padding=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
)
def test_boundary_maps_equal_torch_pad(size, padding, mode):
    most = {"reflect": size - 1, "circular": size}.get(mode, 6)
    padding = tuple(min(p, most) for p in padding)
    row = torch.arange(1.0, size + 1).reshape(1, 1, size)
    found = F.pad(row, padding, mode=TORCH_MODE.get(mode, mode)).ravel().tolist()
    assert [0 if i is None else i + 1 for i in index_map(size, padding, mode)] == found


@given(data=st.data())
def test_max_pooling_equals_torch_with_its_indices(pool_cases, data):
    families = ("integers", "nonfinite", "negative", "one_hot")
    case = data.draw(pool_cases("max", symmetric=True, values=families))
    inputs, spec = make_inputs(case), case.spec
    values, indices = MAX[spec.axes](
        torch.from_numpy(inputs["x"]), spec.kernel_size, spec.stride,
        [p for p, _ in spec.padding], spec.dilation, spec.ceil_mode, return_indices=True,
    )  # fmt: skip
    wanted = expected(case, inputs).outputs[0]
    assert np.array_equal(wanted.values, values.numpy(), equal_nan=True)
    index = expected_indices(case, inputs)
    judged = index.bound == 0
    assert np.array_equal(index.values[judged], indices.numpy()[judged])
    assert np.isneginf(wanted.values[~judged]).all()


@given(data=st.data())
def test_average_pooling_equals_torch(pool_cases, data):
    case = data.draw(pool_cases("avg", symmetric=True))
    inputs, spec = make_inputs(case), case.spec
    found = AVG[spec.axes](
        torch.from_numpy(inputs["x"]), spec.kernel_size, spec.stride,
        [p for p, _ in spec.padding], spec.ceil_mode, spec.count_include_pad,
    ).numpy()  # fmt: skip
    wanted = expected(case, inputs).outputs[0]
    assert wanted.shape == found.shape
    # torch sums exactly here and divides once, as does the oracle.
    assert np.array_equal(wanted.values, found)


FAMILIES = ("integers", "one_hot", "negative", "large", "negative_zero", "nonfinite", "real")


@given(data=st.data(), dtype=st.sampled_from(["float64", "float32", "float16", "bfloat16"]))
def test_every_float_dtype_and_family_of_torch_passes(conv_cases, data, dtype):
    case = data.draw(conv_cases(values=FAMILIES, dtypes=(dtype,)))
    inputs = make_inputs(case)
    kind = getattr(torch, dtype)
    tensors = {name: torch.from_numpy(array).to(kind) for name, array in inputs.items()}
    found = torch_layer(case.spec, **tensors)
    array = found.float().numpy() if dtype == "bfloat16" else found.numpy()
    result = compare(expected(case, inputs).outputs[0], array, dtype)
    assert result.verdict is Verdict.PASS, result
    if case.values not in ("real", "nonfinite"):
        assert result.kind == "equal"
