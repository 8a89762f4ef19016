"""Broken models, one per kind of fault: (factory, input shape, code, layer, numbers to be said)."""

import torch
from torch import nn
from torch.nn import functional as F


class Forward(nn.Module):
    """A module whose forward is a function of it and x, so that a fault takes two lines."""

    def __init__(self, forward, **children):
        super().__init__()
        self.function = forward
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, x):
        return self.function(self, x)


class Lying(nn.Conv2d):
    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, 1, 0)


class PlainList(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = [nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)]
        self.last = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        for conv in self.convs:
            x = conv(x)
        return self.last(x)


class BadGroups(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3)
        self.conv2 = nn.Conv2d(6, 16, 3, groups=4)

    def forward(self, x):
        return self.conv2(self.conv1(x))


class SameStride(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding="same")


class WithoutSuper(nn.Module):
    def __init__(self):
        self.conv = nn.Conv2d(3, 8, 3)


IMAGE = (2, 3, 32, 32)
S = nn.Sequential

LOUD = {
    "linear": (
        lambda: S(nn.Conv2d(3, 16, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(576, 10)),
        IMAGE,
        "CC201",
        "3",
        (576, 3136, 16, 14, 28),
    ),
    "linear without flatten": (
        lambda: Forward(
            lambda m, x: m.fc(m.conv(x)), conv=nn.Conv2d(3, 16, 5, 6), fc=nn.Linear(400, 9)
        ),
        IMAGE,
        "CC201",
        "fc",
        (400, 16, 5),
    ),
    "channels": (
        lambda: S(nn.Conv2d(3, 6, 3), nn.Conv2d(8, 16, 3)),
        IMAGE,
        "CC202",
        "1",
        (8, 6, 30),
    ),
    "channels last": (lambda: S(nn.Conv2d(3, 6, 3)), (2, 32, 32, 3), "CC202", "0", (32, 3)),
    "channels of a transposed": (
        lambda: S(nn.Conv2d(3, 16, 3), nn.ConvTranspose2d(8, 3, 2)),
        IMAGE,
        "CC202",
        "1",
        (16, 8),
    ),
    "kernel": (
        lambda: S(nn.MaxPool2d(4), nn.MaxPool2d(4), nn.Conv2d(3, 4, 3)),
        IMAGE,
        "CC203",
        "2",
        (32, 8, 2, 3),
    ),
    "pool": (lambda: S(*[nn.MaxPool2d(4) for _ in range(3)]), IMAGE, "CC203", "2", (32, 8, 2, 4)),
    "axes": (lambda: S(nn.Conv2d(3, 8, 3)), (4, 3072), "CC204", "0", (4, 2)),
    "batch norm axes": (
        lambda: S(nn.Flatten(), nn.BatchNorm2d(3072)),
        IMAGE,
        "CC204",
        "1",
        (3072,),
    ),
    "pool padding": (lambda: S(nn.MaxPool2d(2, padding=2)), IMAGE, "CC205", "0", (2, 1)),
    "output padding": (
        lambda: S(nn.ConvTranspose2d(3, 4, 3, stride=2, output_padding=2)),
        IMAGE,
        "CC205",
        "0",
        (2,),
    ),
    "stride": (lambda: S(nn.Conv2d(3, 4, 3, stride=0)), IMAGE, "CC205", "0", (0, 1)),
    "reflection": (
        lambda: S(nn.MaxPool2d(8), nn.Conv2d(3, 4, 9, padding=4, padding_mode="reflect")),
        IMAGE,
        "CC205",
        "1",
        (4, 3),
    ),
    "view": (
        lambda: Forward(lambda m, x: m.conv(x).view(-1, 401), conv=nn.Conv2d(3, 16, 5)),
        IMAGE,
        "CC206",
        "conv",
        (401, 25088, 16, 28),
    ),
    "residual size": (
        lambda: Forward(lambda m, x: x + m.conv(x), conv=nn.Conv2d(3, 3, 3)),
        IMAGE,
        "CC207",
        "conv",
        (32, 30),
    ),
    "residual channels": (
        lambda: Forward(lambda m, x: m.conv(x) + x, conv=nn.Conv2d(3, 16, 3, padding=1)),
        IMAGE,
        "CC207",
        "conv",
        (16, 3),
    ),
    "cat": (
        lambda: Forward(
            lambda m, x: torch.cat([x, m.up(m.pool(x))], 1),
            pool=nn.MaxPool2d(2),
            up=nn.ConvTranspose2d(3, 3, 2, stride=2),
        ),
        (1, 3, 15, 15),
        "CC208",
        "up",
        (15, 14, 7),
    ),
    "batch norm": (
        lambda: S(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(32)),
        IMAGE,
        "CC209",
        "1",
        (32, 16),
    ),
    "layer norm": (
        lambda: S(nn.Conv2d(3, 8, 3), nn.LayerNorm([8, 28, 28])),
        IMAGE,
        "CC209",
        "1",
        (28, 30),
    ),
    "group norm": (lambda: S(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 4)), IMAGE, "CC209", "1", (4, 8)),
    "matmul": (
        lambda: Forward(lambda m, x: m.q(x) @ m.k(x), q=nn.Linear(3, 8), k=nn.Linear(3, 8)),
        (2, 5, 3),
        "CC212",
        "q",
        (5, 8),
    ),
    "pixel shuffle": (
        lambda: S(nn.Conv2d(3, 16, 3), nn.PixelShuffle(3)),
        IMAGE,
        "CC213",
        "1",
        (16, 9),
    ),
    "attribute": (
        lambda: Forward(lambda m, x: m.fc4(x), fc1=nn.Linear(3, 4)),
        IMAGE,
        "CC104",
        "",
        (),
    ),
    "unpacking": (
        lambda: Forward(lambda m, x: [a for a, b in [m.c(x).chunk(3, 1)]], c=nn.Conv2d(3, 9, 3)),
        IMAGE,
        "CC104",
        "",
        (),
    ),
    "groups": (BadGroups, IMAGE, "CC101", "conv2", (6, 4, 2)),
    "same with a stride": (SameStride, IMAGE, "CC101", "conv", (2,)),
    "without super": (WithoutSuper, IMAGE, "CC102", "", ()),
}

SILENT = {
    "view changes the batch": (
        lambda: Forward(
            lambda m, x: m.fc(m.conv(x).view(-1, 400)),
            conv=nn.Conv2d(3, 16, 5, 4),
            fc=nn.Linear(400, 9),
        ),
        (4, 3, 44, 44),
        "CC401",
        "view",
        (4, 16, 400, 1600),
    ),
    "linear on a map": (
        lambda: S(nn.Conv2d(3, 16, 5, 6), nn.ReLU(), nn.Linear(5, 10)),
        IMAGE,
        "CC402",
        "2",
        (16, 5, 400),
    ),
    "sum with 1 x 1": (
        lambda: Forward(lambda m, x: x + m.conv(x), conv=nn.Conv2d(8, 8, 5)),
        (4, 8, 5, 5),
        "CC403",
        "add",
        (5, 1),
    ),
    "batch as channels": (
        lambda: S(nn.Linear(64, 32), nn.MaxPool1d(2), nn.Linear(16, 4)),
        (4, 64),
        "CC404",
        "1",
        (4, 32),
    ),
    "declared geometry": (lambda: S(Lying(3, 8, 3, padding=1)), IMAGE, "CC302", "0", (1, 0)),
    "never called": (
        lambda: Forward(lambda m, x: m.a(x), a=nn.Conv2d(3, 8, 3), b=nn.Conv2d(8, 8, 3)),
        IMAGE,
        "CC405",
        "b",
        (584,),
    ),
    "plain list": (PlainList, IMAGE, "CC406", "convs", (2,)),
    "dead border": (lambda: S(nn.Conv2d(3, 8, 1, padding=1)), IMAGE, "CC407", "0", (1, 34)),
    "unread border": (lambda: S(nn.AvgPool2d(7)), (1, 3, 13, 13), "CC407", "0", (13, 7, 6)),
    "one value": (
        lambda: S(nn.AdaptiveAvgPool2d(1), nn.GroupNorm(3, 3)),
        IMAGE,
        "CC211",
        "1",
        (1,),
    ),
}
