"""Broken models are found with their layer, both sizes and the chain; sound ones raise no alarm."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import convcheck
from convcheck.core.errors import UsageError
from convcheck.core.verdict import Verdict
from convcheck.models.codes import CODES, find_code

spec = importlib.util.spec_from_file_location(
    "broken_models", Path(__file__).with_name("broken_models.py")
)
broken = importlib.util.module_from_spec(spec)
spec.loader.exec_module(broken)
IMAGE, LOUD, SILENT, S, Forward = (
    broken.IMAGE, broken.LOUD, broken.SILENT, broken.S, broken.Forward,
)  # fmt: skip


def said(finding):
    return f"{finding.where} {finding.what} {finding.why}"


@pytest.mark.parametrize("name", [*LOUD, *SILENT])
def test_a_broken_model_is_found_with_its_layer_and_numbers(name):
    factory, shape, code, layer, numbers = {**LOUD, **SILENT}[name]
    report = convcheck.check_model(factory, torch.zeros(shape))
    assert report.verdict is Verdict.FAIL
    (finding,) = [f for f in report.findings if f.verdict is Verdict.FAIL]
    assert finding.code == code
    assert layer in finding.where
    missing = [n for n in numbers if not re.search(rf"(?<!\d){n}(?!\d)", said(finding))]
    assert not missing, said(finding)


@pytest.mark.parametrize("name", SILENT)
def test_the_silent_ones_run(name):
    factory, shape, *_ = SILENT[name]
    factory()(torch.zeros(shape))


def test_every_fix_that_is_offered_was_verified_by_a_run():
    report = convcheck.check_model(LOUD["residual size"][0], IMAGE)
    (finding,) = report.findings
    assert finding.details["fixes"][0] == "conv: padding=1"
    fixed = lambda: Forward(lambda m, x: x + m.conv(x), conv=nn.Conv2d(3, 3, 3, padding=1))  # noqa: E731
    assert convcheck.check_model(fixed, IMAGE).passed


def test_a_constructor_fix_is_a_group_count_that_divides():
    (finding,) = convcheck.check_model(LOUD["groups"][0], IMAGE).findings
    assert finding.details["fixes"] == ["Conv2d(..., groups=2)", "Conv2d(..., groups=1)"]


def test_a_batch_norm_in_training_mode_on_one_value_is_refused_and_in_evaluation_remarked():
    net = S(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(8))
    (finding,) = convcheck.check_model(net, torch.zeros(1, 3, 8, 8)).findings
    assert (finding.code, finding.where, finding.verdict) == ("CC211", "2", Verdict.FAIL)
    report = convcheck.check_model(net.eval(), torch.zeros(1, 3, 8, 8))
    assert report.passed
    assert [f.verdict for f in report.findings] == [Verdict.SKIP]


def test_an_input_of_another_type_is_named():
    (finding,) = convcheck.check_model(
        lambda: nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    ).findings
    assert finding.code == "CC210"
    assert "uint8" in finding.what


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.squeeze = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        y = self.conv(x)
        return y + self.squeeze(F.adaptive_avg_pool2d(y, 1))


class OnlyInTraining(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.auxiliary = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, x):
        y = self.conv(x).mean((2, 3))
        return (y, self.auxiliary(y)) if self.training else y


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.conv(x).permute(0, 2, 3, 1).reshape(-1, 8))


class PadsItself(nn.Conv2d):
    def forward(self, x):
        return F.conv2d(F.pad(x, (1, 1, 1, 1)), self.weight, self.bias, self.stride)


class LooksAtValues(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 5)

    def forward(self, x):
        return self.a(x) if x.sum() >= 0 else self.b(x)


SOUND = {
    "a gate of extent 1 is added": Gate,
    "a head that only training uses": OnlyInTraining,
    "positions flattened into rows": Positions,
    "a subclass that pads by itself": lambda: S(PadsItself(3, 4, 3, padding=1)),
    "a linear on channels last": lambda: Forward(
        lambda m, x: m.fc(x.permute(0, 2, 3, 1)), fc=nn.Linear(3, 4)
    ),
    "lazy layers": lambda: S(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2)),
    "a data-dependent branch": LooksAtValues,
    "weights computed in forward": lambda: nn.utils.parametrizations.weight_norm(
        nn.Conv2d(3, 4, 3)
    ),
    "every padding": lambda: S(
        nn.Conv2d(3, 3, 4, padding="same"),
        *(nn.Conv2d(3, 3, 3, padding=1, padding_mode=m) for m in ("reflect", "circular")),
    ),
    "pools of every kind": lambda: S(
        nn.MaxPool2d(3, 2, ceil_mode=True), nn.LPPool2d(2, 2), nn.FractionalMaxPool2d(2, 5),
        nn.AdaptiveMaxPool2d((None, 3)), nn.AdaptiveAvgPool2d(1),
    ),
    "rearrangements": lambda: S(
        nn.PixelUnshuffle(2), nn.PixelShuffle(2), nn.Unfold(3), nn.Fold((32, 32), 3)
    ),
    "resampling": lambda: S(
        nn.Upsample(scale_factor=1.5), nn.ZeroPad2d((1, 2, 3, 4)), nn.ConvTranspose2d(3, 4, 3, 2)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("live", [False, True])
def test_a_sound_model_raises_no_alarm(name, live):
    model = SOUND[name]().eval() if live else SOUND[name]
    report = convcheck.check_model(model, torch.zeros(IMAGE))
    assert report.passed, report.findings
    assert all(layer.verdict is Verdict.PASS for layer in report.layers)


def test_a_branch_on_values_is_said_and_an_unused_one_is_no_fault():
    report = convcheck.check_model(LooksAtValues, torch.zeros(IMAGE))
    assert "looks at values" in report.graph.notes[0]
    assert [(f.where, f.verdict) for f in report.findings] == [("b", Verdict.SKIP)]


def test_keyword_and_nested_inputs_and_outputs_are_followed():
    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, batch, *, scale):
            return {"map": self.conv(batch["image"]) * scale, "size": [None, 3]}

    report = convcheck.check_model(Nested, {"image": torch.zeros(IMAGE)}, scale=2.0)
    assert report.passed
    assert report.graph.output_shapes == ((2, 4, 30, 30),)


def test_every_code_of_a_finding_has_an_explanation_and_unknown_codes_are_refused():
    used = {code for *_, code, _, _ in [*LOUD.values(), *SILENT.values()]}
    assert used <= {entry.code for entry in CODES}
    assert len({entry.code for entry in CODES}) == len(CODES)
    assert find_code("cc201").code == "CC201"
    with pytest.raises(UsageError, match="CC999"):
        find_code("CC999")
