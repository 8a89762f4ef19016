"""Side by side, hostile names in every form, sizes as a strategy, formulas against torch."""

import subprocess
import sys

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import convcheck
from convcheck.core.verdict import Verdict
from convcheck.models.compare import side_by_side
from convcheck.models.formats import FORMATS, as_json
from convcheck.models.strategies import valid_input_sizes
from convcheck.models.windows import is_geometry


def notes(kernel):
    return nn.Sequential(
        nn.Conv2d(3, 6, kernel), nn.MaxPool2d(2, 2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2, 2)
    )


def test_a_kernel_of_3_and_one_of_5_end_alike_and_differ_in_parameters():
    pair = side_by_side(
        *(convcheck.check_model(lambda k=k: notes(k), (1, 3, 32, 32)) for k in (3, 5)),
        names=("kernel 3", "kernel 5"),
    )
    assert pair.same_end
    assert [layer.parameters for layer in pair.rows[0]] == [168, 456]
    assert "| 168 |" in pair.markdown()
    assert "| 456 |" in pair.markdown()


def test_models_that_end_differently_are_not_called_alike():
    pair = side_by_side(
        *(convcheck.check_model(lambda k=k: notes(k), (1, 3, 32, 32)) for k in (5, 9))
    )
    assert not pair.same_end


def test_a_hostile_module_name_stays_in_its_cell():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module("<b>|`x`\x1b[31m\n", nn.Conv2d(3, 4, 3))

        def forward(self, x):
            return next(self.children())(x)

    report = convcheck.check_model(Net, (1, 3, 8, 8))
    for form in FORMATS.values():
        assert "\x1b" not in form(report)
    table = FORMATS["markdown"](report).splitlines()
    assert table[2].replace("\\|", "").count("|") == 9


def test_nothing_checked_is_no_pass():
    report = convcheck.check_model(lambda: nn.ReLU(), (1, 3))
    assert report.verdict is Verdict.UNKNOWN
    assert not report.passed


def test_json_has_every_layer():
    values = as_json(convcheck.check_model(lambda: notes(5), (1, 3, 32, 32)))
    assert [layer["op"] for layer in values["layers"]] == ["conv2d", "max_pool2d"] * 2


def test_the_strategy_yields_shapes_that_run():
    net = nn.Sequential(notes(5), nn.Flatten(), nn.Linear(400, 10))
    shapes = valid_input_sizes(convcheck.check_model(net, (2, 3, 32, 32)))

    @settings(max_examples=10, deadline=None)
    @given(shapes)
    def runs(shape):
        assert shape[:2] == (2, 3)
        assert net(torch.zeros(shape)).shape == (2, 10)

    runs()


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["conv", "transposed", "max", "avg"]),
    axes=st.integers(1, 3),
    size=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
    extra=st.integers(0, 3),
    ceil_mode=st.booleans(),
)
def test_the_formula_agrees_with_torch_or_both_refuse(
    kind, axes, size, kernel, stride, padding, dilation, extra, ceil_mode
):
    conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[axes - 1]
    maximum = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[axes - 1]
    average = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[axes - 1]
    module = {
        "conv": lambda: conv(2, 2, kernel, stride, padding, dilation),
        "transposed": lambda: transposed(2, 2, kernel, stride, padding, extra, dilation=dilation),
        "max": lambda: maximum(kernel, stride, padding, dilation, ceil_mode=ceil_mode),
        "avg": lambda: average(kernel, stride, padding, ceil_mode=ceil_mode),
    }[kind]()
    report = convcheck.check_model(module, torch.zeros(1, 2, *(size,) * axes))
    failure = report.graph.failure
    if failure is None:
        (layer,) = report.select(lambda layer: is_geometry(layer.op))
        assert layer.expected_shape == layer.output_shape
    else:
        # A refusal of torch is explained by the formula's own refusal, not by "refused".
        assert report.findings[0].code in ("CC203", "CC205"), report.findings


def test_checking_a_model_imports_neither_sympy_nor_hypothesis_nor_rich():
    code = (
        "import sys, torch, convcheck; from torch import nn;"
        "before = set(sys.modules);"
        "assert convcheck.check_model(lambda: nn.Conv2d(3, 4, 3), (1, 3, 8, 8)).passed;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "assert not new & {'sympy', 'hypothesis', 'rich', 'onnx', 'torchvision'}, new"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
