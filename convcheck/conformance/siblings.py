"""Calls on one shape that differ in a single parameter: what is kept by the shape must not serve.

Tables of offsets, plans and dense matrices are kept for later calls under a key, and a key that
leaves out a parameter answers a call with what was made for another. Rows are no test of that: they
choose the windows, and the input follows, so that hardly two have one shape. The arrays are the
same as well, in case the key holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from convcheck.core.case import Case
from convcheck.core.ops import Op
from convcheck.core.spec import ConvSpec, PoolSpec

_SPATIAL = {1: (11,), 2: (9, 10), 3: (5, 6, 7)}
_KERNEL = {1: (3,), 2: (2, 3), 3: (2, 3, 2)}
# A stride at which these give one output shape, whatever the dilation and padding.
_LONG_STRIDE = {1: 6, 2: 5, 3: 8}
_CHANNELS = 4
# What a call may be answered with that was made for another: parameters that shapes do not show.
PLAIN: dict[str, int] = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}


def siblings(op: Op) -> Iterator[Case]:
    """Yields calls on one input; none for operations that have no window."""
    if op.family in ("max_pool", "avg_pool"):
        yield from _pools(op)
    elif op.family.startswith("conv") and op.family != "convolve":
        yield from _convolutions(op)


def with_another(case: Case, name: str) -> Case:
    """Returns the call on the same input with one of `PLAIN` plain, or one more where it is."""
    spec = case.spec
    if not isinstance(spec, (ConvSpec, PoolSpec)) or not getattr(spec, name, None):
        return case
    value = PLAIN[name]
    now = spec.padding_pairs() if name == "padding" and isinstance(spec, ConvSpec) else None
    for chosen in (value, value + 1):
        new: Any = ((chosen, chosen) if name == "padding" else chosen,) * spec.axes
        if new != (now or getattr(spec, name)):
            return replace(case, spec=replace(spec, **{name: new}))
    return case


def with_one_window(case: Case) -> Case:
    """Returns the call with strides so long that there is one window, whatever else changes."""
    spec = case.spec
    if not isinstance(spec, (ConvSpec, PoolSpec)) or getattr(spec, "transposed", False):
        return case
    pads = spec.padding_pairs() if isinstance(spec, ConvSpec) else spec.padding
    stride = tuple(size + sum(pair) for size, pair in zip(case.spatial, pads, strict=True))
    return replace(case, spec=replace(spec, padding=pads, stride=stride))


def _convolutions(op: Op) -> Iterator[Case]:
    axes = op.axes
    ones, twos = (1,) * axes, (2,) * axes
    base = ConvSpec(
        kernel_size=_KERNEL[axes], stride=ones, padding=((0, 0),) * axes, dilation=ones,
        groups=1, in_channels=_CHANNELS, out_channels=_CHANNELS,
        transposed=op.family.startswith("conv_transpose"),
    )  # fmt: skip
    yield from _on_one_input(op, base)
    plain = Case(op=op.name, spec=base, spatial=_SPATIAL[axes], seed=1)
    yield replace(plain, spec=replace(base, groups=2))
    yield replace(plain, spec=replace(base, groups=4, stride=twos))
    if base.transposed:
        yield replace(plain, spec=replace(base, stride=twos, output_padding=ones))
    # Weights of the same bytes and another shape, on an input that is as long on every axis.
    turned = (*base.kernel_size[1:], *base.kernel_size[:1])
    for kernel_size in (base.kernel_size, turned):
        for inputs, outputs in ((2, 6), (6, 2)):
            spec = replace(base, kernel_size=kernel_size, in_channels=inputs, out_channels=outputs)
            square = _SPATIAL[axes][:1] * axes
            yield replace(plain, spec=spec, spatial=square, values="all_ones")


def _pools(op: Op) -> Iterator[Case]:
    axes = op.axes
    base = PoolSpec(
        kind="max" if op.family == "max_pool" else "avg", kernel_size=_KERNEL[axes],
        stride=(1,) * axes, padding=((0, 0),) * axes, dilation=(1,) * axes,
    )  # fmt: skip
    yield from _on_one_input(op, base)
    plain = Case(op=op.name, spec=base, spatial=_SPATIAL[axes], channels=_CHANNELS, seed=1)
    stepping = replace(base, stride=(3,) * axes, padding=((1, 1),) * axes)
    yield replace(plain, spec=stepping)
    yield replace(plain, spec=replace(stepping, ceil_mode=True))
    if op.family == "avg_pool":
        yield replace(plain, spec=replace(stepping, count_include_pad=False))


def _on_one_input(op: Op, base: ConvSpec | PoolSpec) -> Iterator[Case]:
    axes = op.axes
    ones, twos, no_pads, pads = (1,) * axes, (2,) * axes, ((0, 0),) * axes, ((1, 1),) * axes
    last, long = (*ones[1:], 2), (_LONG_STRIDE[axes],) * axes
    changes: list[dict[str, Any]] = [
        {}, {"dilation": twos}, {"stride": twos}, {"padding": pads}, {},
        {"dilation": last}, {"stride": last}, {"padding": (*no_pads[1:], (1, 1))},
        {"dilation": last[::-1]}, {"stride": last[::-1]}, {"padding": ((1, 1), *no_pads[1:])},
        {"stride": twos, "padding": pads}, {"dilation": twos, "padding": pads},
        {"stride": long}, {"stride": long, "dilation": twos}, {"stride": long, "padding": pads},
    ]  # fmt: skip
    channels: dict[str, Any] = {"channels": _CHANNELS} if isinstance(base, PoolSpec) else {}
    for change in changes:
        if op.family == "avg_pool" and "dilation" in change:
            continue
        spec = replace(base, **change)
        yield Case(op=op.name, spec=spec, spatial=_SPATIAL[axes], seed=1, **channels)
