"""Makes a failing case small, in convolution's own terms.

Each parameter has a simplest value and a list of smaller ones, the boldest first. A parameter is
moved as long as the case still fails in the same way, round after round, until no single step of
any parameter is left that fails: the case is then one-step minimal. The same case always shrinks
to the same one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal

from convcheck.core.case import Case
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec
from convcheck.oracle.loss_inputs import has_room_for_both

Fails = Callable[[Case], bool]

_SIMPLEST_VALUES = ("integers", "one_hot")
_SIMPLEST_IGNORED = (None, -1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The end of a shrink.

    Attributes:
        case: The smallest failing case found.
        tried: How many cases were run.
        minimal: Whether every single step smaller was tried and passes; False where the budget
            ended first.
    """

    case: Case
    tried: int
    minimal: bool


def shrink(case: Case, fails: Fails, *, seconds: float = 5.0, most: int = 600) -> Shrunk:
    """Returns the smallest case that still fails.

    Args:
        case: A failing case.
        fails: Whether a case fails in the same way.
        seconds: Wall time after which the search ends where it is.
        most: Number of cases after which it ends.
    """
    deadline = time.monotonic() + seconds
    known: dict[Case, bool] = {case: True}
    spent = False

    def still_fails(candidate: Case) -> bool:
        nonlocal spent
        if candidate not in known:
            if len(known) >= most or time.monotonic() >= deadline:
                spent = True
                return False
            known[candidate] = fails(candidate)
        return known[candidate]

    moved = True
    while moved and not spent:
        moved = False
        for moves in _MOVES:
            # Again from the new case, as long as this parameter gives way.
            step = next((c for c in _possible(moves, case) if still_fails(c)), None)
            while step is not None:
                case, moved = step, True
                step = next((c for c in _possible(moves, case) if still_fails(c)), None)
    return Shrunk(case=case, tried=len(known) - 1, minimal=not spent)


def smaller(case: Case) -> Iterator[Case]:
    """Yields every case that is one move smaller; none of them fails if `case` is minimal."""
    for moves in _MOVES:
        yield from _possible(moves, case)


def _possible(moves: Callable[[Case], Iterator[Case]], case: Case) -> Iterator[Case]:
    """Yields the moves that leave a sample which counts beside an ignored one.

    Where none counts, a mean is 0 / 0: that is another fault.
    """
    for smaller_case in moves(case):
        spec = smaller_case.spec
        is_mixed = isinstance(spec, LossSpec) and spec.target == "ignored"
        if not is_mixed or has_room_for_both(smaller_case):
            yield smaller_case


def _toward(value: int, least: int) -> Iterator[int]:
    """Yields smaller values, the least first, then by halves of the way, to one less."""
    gap = value - least
    while gap > 0:
        yield value - gap
        gap //= 2


def _batch(case: Case) -> Iterator[Case]:
    if not isinstance(case.spec, SequenceSpec) and case.op != "output_size":
        for batch in _toward(case.batch, 1):
            yield replace(case, batch=batch)


def _channels(case: Case) -> Iterator[Case]:
    spec = case.spec
    if isinstance(spec, PoolSpec):
        for channels in _toward(case.channels, 1):
            yield replace(case, channels=channels)
    elif isinstance(spec, LossSpec):
        for classes in _toward(spec.classes, 1):
            yield replace(case, spec=replace(spec, classes=classes))


def _groups(case: Case) -> Iterator[Case]:
    spec = case.spec
    if not isinstance(spec, ConvSpec) or spec.groups < 2:
        return
    whole = not (spec.in_channels % spec.groups or spec.out_channels % spec.groups)
    for groups in _toward(spec.groups, 1):
        if whole:
            fewer = replace(
                spec,
                groups=groups,
                in_channels=spec.in_channels // spec.groups * groups,
                out_channels=spec.out_channels // spec.groups * groups,
            )
            yield replace(case, spec=fewer)
        yield replace(case, spec=replace(spec, groups=groups))


def _in_channels(case: Case) -> Iterator[Case]:
    spec = case.spec
    if isinstance(spec, ConvSpec) and case.op != "output_size":
        for channels in _per_group(spec.in_channels, spec.groups):
            yield replace(case, spec=replace(spec, in_channels=channels))


def _out_channels(case: Case) -> Iterator[Case]:
    spec = case.spec
    if isinstance(spec, ConvSpec) and case.op != "output_size":
        for channels in _per_group(spec.out_channels, spec.groups):
            yield replace(case, spec=replace(spec, out_channels=channels))


def _per_group(channels: int, groups: int) -> Iterator[int]:
    if groups > 0 and channels % groups == 0:
        for each in _toward(channels // groups, 1):
            yield each * groups
    else:
        yield from _toward(channels, 1)


def _bias(case: Case) -> Iterator[Case]:
    if isinstance(case.spec, ConvSpec) and case.spec.bias:
        yield replace(case, spec=replace(case.spec, bias=False))


def _spatial(case: Case) -> Iterator[Case]:
    if isinstance(case.spec, LossSpec):
        for axis in range(len(case.spatial)):
            yield replace(case, spatial=case.spatial[:axis] + case.spatial[axis + 1 :])
        if case.spec.target == "ignored" and case.spatial and case.batch < 2:
            # Two samples are simpler than two positions of one.
            yield replace(case, batch=2, spatial=())
    for axis, size in enumerate(case.spatial):
        for less in _toward(size, 1):
            yield replace(case, spatial=_put(case.spatial, axis, less))


def _window(case: Case) -> Iterator[Case]:
    """A smaller kernel with the input made smaller by as much, so that the output stays."""
    spec = case.spec
    if isinstance(spec, LossSpec):
        return
    for axis, kernel in enumerate(spec.kernel_size):
        for less in _toward(kernel, 1):
            smaller_spec = replace(spec, kernel_size=_put(spec.kernel_size, axis, less))
            dilation = 1 if isinstance(spec, SequenceSpec) else spec.dilation[axis]
            size = case.spatial[axis] - dilation * (kernel - less)
            if size >= 1:
                yield replace(case, spec=smaller_spec, spatial=_put(case.spatial, axis, size))
            yield replace(case, spec=smaller_spec)


def _stride(case: Case) -> Iterator[Case]:
    yield from _steps(case, "stride")


def _dilation(case: Case) -> Iterator[Case]:
    yield from _steps(case, "dilation")


def _steps(case: Case, name: Literal["stride", "dilation"]) -> Iterator[Case]:
    spec = case.spec
    if not isinstance(spec, (ConvSpec, PoolSpec)):
        return
    values = getattr(spec, name)
    for axis, value in enumerate(values):
        if value < 1:
            # An impossible step has one that is possible, and simpler, above it.
            possible: dict[str, Any] = {name: _put(values, axis, 1)}
            yield replace(case, spec=replace(spec, **possible))
        for less in _toward(value, 1):
            change: dict[str, Any] = {name: _put(values, axis, less)}
            eased = replace(spec, **change)
            reach = spec.kernel_size[axis] - 1 if name == "dilation" else 0
            size = case.spatial[axis] - reach * (value - less)
            if reach and size >= 1:
                yield replace(case, spec=eased, spatial=_put(case.spatial, axis, size))
            yield replace(case, spec=eased)


def _padding(case: Case) -> Iterator[Case]:
    spec = case.spec
    if not isinstance(spec, (ConvSpec, PoolSpec)):
        return
    if isinstance(spec.padding, str):
        pairs = spec.padding_pairs() if set(spec.stride or ()) == {1} else ((0, 0),) * spec.axes
        yield replace(case, spec=replace(spec, padding=pairs))
        return
    for axis, (before, after) in enumerate(spec.padding):
        if min(before, after) < -1:
            yield replace(case, spec=replace(spec, padding=_put(spec.padding, axis, (-1, -1))))
        if min(before, after) < 0:
            yield replace(case, spec=replace(spec, padding=_put(spec.padding, axis, (0, 0))))
        for less in _toward(max(before, after), 0):
            pair = (min(before, less), min(after, less))
            yield replace(case, spec=replace(spec, padding=_put(spec.padding, axis, pair)))


def _output_padding(case: Case) -> Iterator[Case]:
    spec = case.spec
    if isinstance(spec, ConvSpec):
        for axis, value in enumerate(spec.output_padding):
            for less in _toward(value, 0):
                parts = _put(spec.output_padding, axis, less)
                yield replace(case, spec=replace(spec, output_padding=parts))


def _options(case: Case) -> Iterator[Case]:
    spec = case.spec
    if isinstance(spec, PoolSpec):
        if spec.ceil_mode:
            yield replace(case, spec=replace(spec, ceil_mode=False))
        if not spec.count_include_pad:
            yield replace(case, spec=replace(spec, count_include_pad=True))
    elif isinstance(spec, LossSpec):
        if spec.reduction != "mean":
            yield replace(case, spec=replace(spec, reduction="mean"))
        if spec.target != "index":
            yield replace(case, spec=replace(spec, target="index"))
        if spec.target == "all_ignored":
            yield replace(case, spec=replace(spec, target="ignored"))
        for index in takewhile(lambda index: index != spec.ignore_index, _SIMPLEST_IGNORED):
            yield replace(case, spec=replace(spec, ignore_index=index))
        if spec.log_target:
            yield replace(case, spec=replace(spec, log_target=False))
        if spec.weighted:
            yield replace(case, spec=replace(spec, weighted=False))
        for less in _toward(spec.label_smoothing, 0):
            yield replace(case, spec=replace(spec, label_smoothing=less))
    elif isinstance(spec, SequenceSpec) and spec.mode != "full":
        yield replace(case, spec=replace(spec, mode="full"))


def _arrays(case: Case) -> Iterator[Case]:
    if case.layout != "contiguous":
        yield replace(case, layout="contiguous")
    if case.dtype != "float32":
        yield replace(case, dtype="float32")
    if case.values not in _SIMPLEST_VALUES:
        yield replace(case, values="integers")


def _last(case: Case) -> Iterator[Case]:
    if case.defaults:
        yield replace(case, defaults=False)
    if isinstance(case.spec, (ConvSpec, PoolSpec)) and case.op != "output_size":
        if not case.int_arguments:
            yield replace(case, int_arguments=True)
        if case.values == "integers":
            yield replace(case, values="one_hot")
    if case.seed:
        yield replace(case, seed=0)


def _put(values: tuple, place: int, value: object) -> tuple:
    return (*values[:place], value, *values[place + 1 :])


_MOVES: tuple[Callable[[Case], Iterator[Case]], ...] = (
    _batch, _groups, _in_channels, _out_channels, _channels, _bias, _arrays, _options,
    _window, _spatial, _stride, _dilation, _padding, _output_padding, _last,
)  # fmt: skip
