"""Calls that must be refused: returning anything from them is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from convcheck.conformance.corners import corners
from convcheck.core.case import MISFITS, Case
from convcheck.core.errors import GeometryError
from convcheck.core.ops import Op
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec, Target

_WRONG_TARGETS: tuple[Target, ...] = ("beyond", "below")


def invalid_cases(op: Op) -> list[Case]:
    """Returns impossible calls of an operation, each wrong in one way.

    A backward function is given a gradient whose shape an impossible call does not have, and a
    divergence has no geometry: neither has any.
    """
    if op.family == "cross_entropy":
        return [
            replace(case, spec=replace(case.spec, target=target))
            for target in _WRONG_TARGETS
            for case in corners(op)[:5]
            if isinstance(case.spec, LossSpec)
        ]
    if op.family == "kl_div" or op.family.endswith("backward"):
        return []
    found = [case for case in dict.fromkeys(_candidates(op)) if must_refuse(case)]
    if op.family == "output_size":
        # A bare formula is right as far as it goes: it need not know of negative padding.
        return [c for c in found if isinstance(c.spec, ConvSpec) and _is_proper(c.spec)]
    return found


def must_refuse(case: Case) -> bool:
    """Returns whether the contract says that the call is refused."""
    try:
        output_shape(case)
    except GeometryError:
        return True
    return False


def _is_proper(spec: ConvSpec) -> bool:
    return min(*spec.dilation, *(min(pair) for pair in spec.padding_pairs())) >= 0 and (
        min(spec.dilation) > 0 and min(spec.stride) >= 0
    )


def _candidates(op: Op) -> Iterator[Case]:
    base = corners(op)[0]
    spec = base.spec
    if isinstance(spec, SequenceSpec):
        yield replace(base, spatial=(4, 2), spec=SequenceSpec(kernel_size=(2, 4), mode="valid"))
        return
    if isinstance(spec, ConvSpec):
        # A bias that does not fit would have the call refused for its own sake.
        spec = replace(spec, bias=False)
        base = replace(base, spec=spec)
    assert isinstance(spec, (ConvSpec, PoolSpec))
    transposed = isinstance(spec, ConvSpec) and spec.transposed
    assert not isinstance(spec.padding, str)
    for axis in {0, op.axes - 1}:
        if not transposed:
            span = effective_kernel(spec.kernel_size[axis], spec.dilation[axis])
            for size in {span - 1, 1}:
                yield replace(base, spatial=_at(base.spatial, axis, size))
            # Where a quotient is truncated towards zero, one window seems to fit.
            stepping = replace(spec, stride=_at(spec.stride or (), axis, span + 1))
            yield replace(base, spec=stepping, spatial=_at(base.spatial, axis, span - 1))
            wide = _at(spec.kernel_size, axis, base.spatial[axis] + 4)
            yield replace(base, spec=replace(spec, kernel_size=wide))
            if isinstance(spec, ConvSpec) and op.family != "output_size":
                # A library's routine for two sequences may swap them.
                single = replace(spec, kernel_size=wide, in_channels=1, out_channels=1, groups=1)
                yield replace(base, spec=single)
        yield replace(base, spec=replace(spec, stride=_at(spec.stride or (), axis, 0)))
        yield replace(base, spec=replace(spec, padding=_at(spec.padding, axis, (-1, -1))))
        if op.family != "avg_pool":
            yield replace(base, spec=replace(spec, dilation=_at(spec.dilation, axis, 0)))
        if isinstance(spec, PoolSpec):
            too_much = spec.kernel_size[axis] // 2 + 1
            yield replace(
                base, spec=replace(spec, padding=_at(spec.padding, axis, (too_much,) * 2))
            )
        if transposed:
            assert isinstance(spec, ConvSpec)
            yield replace(base, spec=replace(spec, output_padding=_at((0,) * op.axes, axis, 1)))
    if op.family in ("max_pool", "conv") and not isinstance(spec, SequenceSpec):
        # A loop that skips the padding may not end.
        padded = replace(spec, kernel_size=(3,) * op.axes, padding=((1, 1),) * op.axes)
        yield replace(base, spec=replace(padded, dilation=(0,) * op.axes), int_arguments=True)
    for kernel in (1, 3):
        # The kernels that have code of their own, which may check nothing.
        usual = replace(spec, kernel_size=(kernel,) * op.axes)
        own = replace(base, spec=usual, spatial=(4,) * op.axes, int_arguments=True)
        yield replace(own, spec=replace(usual, stride=(0,) * op.axes))
        yield replace(own, spec=replace(usual, padding=((-1, -1),) * op.axes))
        if isinstance(usual, ConvSpec) and op.family != "output_size":
            yield replace(own, spec=replace(usual, groups=2, in_channels=3, out_channels=2))
            yield replace(own, spec=replace(usual, dilation=(0,) * op.axes))
    yield replace(base, spec=replace(spec, stride=(0,) * op.axes), int_arguments=True)
    yield replace(base, spec=replace(spec, padding=((-1, -1),) * op.axes), int_arguments=True)
    yield replace(base, spec=replace(spec, stride=(-1,) * op.axes), int_arguments=True)
    if isinstance(spec, ConvSpec) and op.family != "output_size":
        for groups, inputs, outputs in (
            (2, 3, 2),
            (2, 2, 3),
            (3, 4, 3),
            (2, 5, 5),
            (3, 3, 4),
            (2, 5, 4),
        ):
            if transposed and outputs % groups:
                continue  # its weight holds outputs / groups: no call can say this
            grouped = replace(spec, groups=groups, in_channels=inputs, out_channels=outputs)
            yield replace(base, spec=grouped)
        for groups in (0, -1):
            yield replace(base, spec=replace(spec, groups=groups))
        for groups in (1, 2):
            fitting = replace(
                spec, groups=groups, bias=True, in_channels=2 * groups, out_channels=3 * groups
            )
            for misfit in MISFITS:
                yield replace(base, spec=fitting, misfit=misfit)
        if not transposed:
            dilated = replace(spec, dilation=(9,) * op.axes)
            yield replace(base, spec=dilated)
            yield replace(base, spec=dilated, batch=2, int_arguments=True)


def _at(values: tuple, axis: int, value: object) -> tuple:
    return (*values[:axis], value, *values[axis + 1 :])
