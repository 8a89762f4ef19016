"""The lecture notes' network: sizes 32, 28, 14, 10, 5, and what breaks it."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import convcheck
from convcheck.core.verdict import Verdict
from convcheck.models.input_sizes import input_sizes
from convcheck.models.model_report import ModelError


class Net(nn.Module):
    def __init__(self, features=400):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(features, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


SHAPE = (4, 3, 32, 32)


@pytest.mark.parametrize("model", [Net, Net(), lambda: Net()])
def test_every_layer_is_listed_once_with_its_sizes(model):
    report = convcheck.check_model(model, torch.randn(SHAPE))
    assert report.passed
    assert [(layer.path, layer.op) for layer in report.layers] == [
        ("conv1", "conv2d"), ("pool", "max_pool2d"), ("conv2", "conv2d"), ("pool", "max_pool2d"),
        ("", "flatten"), ("fc1", "linear"), ("fc2", "linear"), ("fc3", "linear"),
    ]  # fmt: skip
    assert [layer.input_shape[-1] for layer in report.layers[:4]] == [32, 28, 14, 10]
    assert report.layers[3].output_shape == (4, 16, 5, 5)
    assert [layer.parameters for layer in report.layers][:3] == [456, 0, 2416]
    assert report.parameters == 62006
    assert all(layer.expected_shape == layer.output_shape for layer in report.layers)


def test_the_formula_is_worked_out_with_its_numbers():
    layer = convcheck.check_model(Net, SHAPE).layers[0]
    assert layer.formula == "floor((32 + 2*0 - 1*(5-1) - 1)/1) + 1 = 28"
    assert [step.value for step in layer.worked[0].steps] == [32, 5, 27, 27, 28]
    assert layer.macs == 4 * 28 * 28 * 6 * 3 * 25


def test_receptive_fields_are_exact():
    fields = [layer.receptive_field for layer in convcheck.check_model(Net, SHAPE).layers]
    assert [field.size[0] for field in fields] == [5, 6, 14, 16, 16, 32, 32, 32]
    assert {field.status for field in fields} == {"exact"}


def test_a_linear_for_another_map_is_explained_with_the_chain_and_verified_fixes():
    report = convcheck.check_model(lambda: Net(576), SHAPE)
    (finding,) = report.findings
    assert report.verdict is Verdict.FAIL
    assert (finding.code, finding.where) == ("CC201", "fc1")
    for fact in ("576 features and gets 400", "3@32", "6@28", "6@14", "16@10", "16@5"):
        assert fact in finding.what + finding.why
    assert "16 x 5 x 5 = 400" in finding.why
    assert "576 = 16 x 6 x 6" in finding.why
    assert finding.details["fixes"][0] == "fc1 = nn.Linear(400, 120)"
    assert "feed an input of 36 to 39 (square)" in finding.details["fixes"]
    assert finding.details["source"].startswith(__file__)


def test_raise_for_findings_carries_the_finding_and_is_silent_on_a_sound_model():
    convcheck.check_model(Net, SHAPE).raise_for_findings()
    with pytest.raises(ModelError, match="CC201 fc1"):
        convcheck.check_model(lambda: Net(401), SHAPE).raise_for_findings()


def test_valid_input_sizes_are_squares_32_to_35_and_the_linear_binds():
    found = input_sizes(convcheck.check_model(Net, SHAPE))
    assert found.is_exact
    assert found.ranges() == ((32, 35),)
    assert {(refusal.size, refusal.path) for refusal in found.refusals} == {
        (31, "fc1"),
        (36, "fc1"),
    }
    assert set(found.lost) == {33, 34, 35}


def test_the_live_module_is_left_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    convcheck.check_model(net, torch.randn(SHAPE))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training


def test_an_input_of_a_million_pixels_a_side_takes_no_memory():
    report = convcheck.check_model(Net, (1, 3, 10**6, 10**6))
    assert report.findings[0].where == "fc1"
    assert str(16 * 249997**2) in report.findings[0].what
