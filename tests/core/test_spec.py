"""Specs are normalised once, at the door."""

import pytest

from convcheck.core.errors import GeometryError
from convcheck.core.ops import OPS
from convcheck.core.spec import ConvSpec, PoolSpec


def test_ints_become_one_value_per_axis():
    spec = ConvSpec(kernel_size=3, stride=2, padding=1, rank=2)
    assert spec == ConvSpec(kernel_size=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1)))
    assert spec.dilation == (1, 1) and spec.output_padding == (0, 0) and spec.axes == 2


@pytest.mark.parametrize(
    ("padding", "pairs"),
    [
        (1, ((1, 1), (1, 1))),
        ((1, 2), ((1, 1), (2, 2))),
        (((0, 1), (2, 3)), ((0, 1), (2, 3))),
        (((0, 1),), ((0, 1), (0, 1))),
        ("valid", ((0, 0), (0, 0))),
        ("same", ((1, 2), (2, 2))),
    ],
)
def test_padding_in_any_form_becomes_pairs(padding, pairs):
    assert ConvSpec(kernel_size=(4, 3), dilation=(1, 2), padding=padding).padding_pairs() == pairs


def test_same_needs_stride_one():
    spec = ConvSpec(kernel_size=(3,), stride=(2,), padding="same")
    with pytest.raises(GeometryError, match="stride"):
        spec.padding_pairs()


def test_pool_stride_is_the_kernel_by_default():
    assert PoolSpec(kind="max", kernel_size=(3, 2)).stride == (3, 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ConvSpec(kernel_size=3),
        lambda: ConvSpec(kernel_size=(3, 3), stride=(1, 1, 1)),
        lambda: ConvSpec(kernel_size=(3, 3), rank=3),
        lambda: ConvSpec(kernel_size=(3,), padding="full"),
        lambda: ConvSpec(kernel_size=(3,), padding_mode="mirror"),
        lambda: ConvSpec(kernel_size=(3.0,)),
    ],
)
def test_what_cannot_be_normalised_is_refused(make):
    with pytest.raises(GeometryError):
        make()


def test_weight_shapes_are_those_of_torch():
    spec = {"kernel_size": (3, 2), "in_channels": 4, "out_channels": 6, "groups": 2}
    assert ConvSpec(**spec).weight_shape() == (6, 2, 3, 2)
    assert ConvSpec(**spec, transposed=True).weight_shape() == (4, 3, 3, 2)


def test_every_op_has_a_signature():
    assert all(op.name == name and op.signature.startswith("fn(") for name, op in OPS.items())
