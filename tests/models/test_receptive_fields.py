"""Receptive fields against the support of the gradient: exact ones equal, bounds contain it."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import convcheck
from convcheck.core.errors import GeometryError
from convcheck.core.receptive_field import Window, receptive_field
from convcheck.models.receptive import receptive_fields

SIZE = 40


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.long = nn.Sequential(nn.Conv2d(2, 2, 5, padding=2), nn.Conv2d(2, 2, 3, padding=1))
        self.short = nn.Conv2d(2, 2, 1)

    def forward(self, x):
        return self.long(x) + self.short(x)


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 2, 1)
        self.b = nn.Conv2d(2, 2, 5, padding=2)
        self.c = nn.Conv2d(4, 2, 3, stride=2)

    def forward(self, x):
        return self.c(torch.cat([self.a(x), self.b(x)], 1))


class Split(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.mix = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        first, second = self.a(torch.cat([x, x], 1)).chunk(2, 1)
        return self.mix(torch.cat([first, F.avg_pool2d(second, 3, 1, 1)], 1))


def stack(*layers):
    return lambda: nn.Sequential(*layers)


EXACT = {
    "plain": stack(nn.Conv2d(2, 3, 5), nn.AvgPool2d(2), nn.Conv2d(3, 2, 5), nn.AvgPool2d(2)),
    "dilated": stack(nn.Conv2d(2, 2, 3, dilation=2, padding=2), nn.Conv2d(2, 2, 3, dilation=4)),
    "grouped": stack(nn.Conv2d(2, 4, 3, groups=2), nn.Conv2d(4, 2, 1)),
    "same": stack(nn.Conv2d(2, 2, 4, padding="same"), nn.Conv2d(2, 2, 3, stride=3)),
    "ceil": stack(nn.AvgPool2d(3, 2, ceil_mode=True), nn.Conv2d(2, 2, 2)),
    "transposed": stack(
        nn.Conv2d(2, 2, 3, stride=2), nn.ConvTranspose2d(2, 2, 4, stride=2, padding=1)
    ),
    "transposed with gaps": stack(nn.ConvTranspose2d(2, 2, 2, stride=3), nn.Conv2d(2, 2, 3)),
    "nearest": stack(nn.AvgPool2d(2), nn.Upsample(scale_factor=2), nn.Conv2d(2, 2, 3)),
    "bilinear": stack(
        nn.AvgPool2d(2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(2, 2, 1)
    ),
    "shuffled": stack(nn.PixelUnshuffle(2), nn.Conv2d(8, 8, 3), nn.PixelShuffle(2)),
    "residual": Residual,
    "inception": Inception,
    "split": Split,
    "global": stack(nn.Conv2d(2, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)),
    "adaptive": stack(nn.Conv2d(2, 2, 2), nn.AdaptiveAvgPool2d(7)),
    "flat": stack(nn.Conv2d(2, 2, 3, stride=4), nn.Flatten(), nn.Linear(2 * 100, 3)),
}  # fmt: skip


def supports(module, position):
    """The rows and columns of the input on which the output at a position depends."""
    module = module.double()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)  # no cancellation: every path counts
    x = torch.ones(1, 2, SIZE, SIZE, dtype=torch.float64, requires_grad=True)
    out = module(x)
    index = (0, slice(None), *position)[: out.dim()] if out.dim() == 4 else (0,)
    out[index].sum().backward()
    grad = x.grad[0].abs().sum(0)
    return [set(grad.sum(1 - axis).nonzero().flatten().tolist()) for axis in (0, 1)]


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_field_is_the_support_of_the_gradient(name):
    torch.manual_seed(0)
    report = convcheck.check_model(EXACT[name], (1, 2, SIZE, SIZE))
    field = receptive_fields(report.graph)[report.graph.calls[-1].index]
    assert field.status == "exact", field.reason
    extent = report.graph.output_shapes[0][-1]
    positions = [(5, 5), (6, 8), (7, 7)] if len(report.graph.output_shapes[0]) == 4 else [(0, 0)]
    widest = [0, 0]
    for position in positions:
        position = tuple(min(p, extent - 1) for p in position)
        found = supports(EXACT[name](), position)
        for axis in (0, 1):
            low, bits = field.fields[axis].support(position[axis])
            said = {low + i for i in range(bits.bit_length()) if bits >> i & 1}
            assert found[axis] == said & set(range(SIZE))
            widest[axis] = max(widest[axis], max(said) - min(said) + 1)
    assert tuple(widest) == field.size


def test_channels_that_read_differently_make_a_bound_and_the_next_layer_exact():
    layers = convcheck.check_model(Inception, (1, 2, SIZE, SIZE)).layers
    assert [layer.receptive_field.status for layer in layers] == ["exact", "exact", "exact"]


def test_an_operator_that_is_not_followed_is_named_and_not_guessed():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3)

        def forward(self, x):
            return self.conv(torch.fft.fft2(x).real)

    field = convcheck.check_model(Odd, (1, 2, SIZE, SIZE)).layers[-1].receptive_field
    assert field.status == "unknown"
    assert "fft" in field.reason


def test_a_plain_stack_has_the_textbook_numbers():
    fields = receptive_field(
        [Window(kernel_size=7, stride=2, padding=3), Window(kernel_size=3, stride=2, padding=1),
         Window(kernel_size=3, padding=1)]
    )  # fmt: skip
    assert [(f.size[0], f.jump[0], f.start[0]) for f in fields] == [
        (7, 2, -3), (11, 4, -5), (19, 4, -9),
    ]  # fmt: skip


def test_axes_may_differ_and_a_dilated_stack_shows_its_holes():
    (field,) = receptive_field([Window(kernel_size=(3, 5), stride=(1, 2), dilation=(4, 1))])
    assert (field.size, field.jump, field.holes) == ((9, 5), (1, 2), (6, 0))


def test_a_window_too_large_to_list_and_a_stride_of_zero_are_refused():
    with pytest.raises(GeometryError, match="too large"):
        receptive_field([Window(kernel_size=10**9)])
    with pytest.raises(GeometryError, match="stride 0"):
        receptive_field([Window(kernel_size=3, stride=0)])
