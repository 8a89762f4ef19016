"""Models that are written in unusual ways: every call is listed once, and nothing is alleged."""

import threading
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import convcheck

PICTURE = (2, 3, 32, 32)


class Net(nn.Module):
    def __init__(self, run, **modules):
        super().__init__()
        self.run = run
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        return self.run(self, x)


def conv():
    return nn.Conv2d(3, 4, 3)


def calls(model, *args):
    report = convcheck.check_model(model, *(args or (torch.zeros(PICTURE),)))
    assert report.passed, report.findings
    return [(layer.path, layer.op, layer.output_shape) for layer in report.layers]


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_script_is_listed_once():
    def build():
        return torch.jit.script(nn.Sequential(conv(), nn.MaxPool2d(2), nn.Upsample(scale_factor=2)))

    shapes = [(2, 4, 30, 30), (2, 4, 15, 15), (2, 4, 30, 30)]
    expected = list(zip(("conv2d", "max_pool2d", "interpolate"), shapes, strict=True))
    assert [(op, shape) for _, op, shape in calls(build)] == expected
    assert [(op, shape) for _, op, shape in calls(build())] == expected


def test_an_exported_program_is_read_by_its_operators():
    program = torch.export.export(
        nn.Sequential(conv(), nn.UpsamplingBilinear2d(size=9)), (torch.zeros(PICTURE),)
    )
    for model in (program.module(), program.module):
        assert [op for _, op, _ in calls(model)] == ["conv2d", "interpolate"]


@pytest.mark.parametrize("call", [torch.convolution, torch.ops.aten.convolution])
def test_the_general_convolution_is_one_of_its_rank(call):
    def run(self, x):
        return call(x, self.conv.weight, None, (2, 2), (1, 1), (1, 1), False, (0, 0), 1)

    assert calls(Net(run, conv=conv())) == [("", "conv2d", (2, 4, 16, 16))]


def test_the_unfold_of_a_tensor_is_not_the_one_of_pictures():
    model = Net(lambda self, x: self.conv(x.unfold(2, 8, 8).flatten(3)), conv=conv())
    assert [op for _, op, _ in calls(model)] == ["flatten", "conv2d"]


def test_an_embedding_by_torch_has_its_table_first():
    model = Net(lambda self, x: torch.embedding(self.table.weight, x), table=nn.Embedding(9, 4))
    assert calls(model, torch.zeros(2, 7, dtype=torch.long)) == [("", "embedding", (2, 7, 4))]


def test_layers_on_noise_are_listed():
    def run(self, x):
        return self.up(self.fc(torch.randn(2, 10)).view(2, 4, 4, 4)) + self.conv(x).mean()

    model = Net(run, conv=conv(), fc=nn.Linear(10, 64), up=nn.ConvTranspose2d(4, 3, 2, 2))
    assert [path for path, op, _ in calls(model) if op != "view"] == ["fc", "up", "conv"]


class Tagged(torch.Tensor):
    pass


def test_a_subclass_of_tensor_is_followed_to_its_input():
    model = Net(lambda self, x: self.conv(x.as_subclass(Tagged)), conv=conv())
    assert calls(model) == [("conv", "conv2d", (2, 4, 30, 30))]


def test_a_module_that_keeps_a_computed_tensor_is_copied():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.Sequential(torch.nn.utils.weight_norm(conv()))
    assert ("0", "conv2d", (2, 4, 30, 30)) in calls(model)


def test_a_module_that_refuses_to_be_copied_is_read_and_left_alone():
    model = nn.Sequential(conv(), nn.BatchNorm2d(4)).train()
    model.lock = threading.Lock()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert ("0", "conv2d", (2, 4, 30, 30)) in calls(model)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_strides_are_kept_where_nothing_is_computed():
    class Large(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 512, 3)
            self.fc = nn.Linear(4096, 4096)

        def forward(self, x):
            return F.relu(self.conv(x).permute(0, 2, 3, 1)).view(2, -1)

    report = convcheck.check_model(Large, (2, 3, 224, 224))
    assert report.graph.method == "meta"
    assert report.findings[0].where.startswith("view")
