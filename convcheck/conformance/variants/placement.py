"""Faults of a convolution that leave the size right: windows, taps, padding or tiles misplaced.

They complete `variant.window_variants`, whose faults follow another spec and so change the size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np

from convcheck.conformance.variants.changes import all_from, put, set_all, shift
from convcheck.conformance.variants.variant import Arrays, Results, Variant, correct, on_spec
from convcheck.core.case import Case
from convcheck.core.errors import ConvcheckError
from convcheck.core.shapes import output_shape
from convcheck.core.spec import ConvSpec

_AXES = {1: ("W",), 2: ("H", "W"), 3: ("Z", "H", "W")}
_TILES = (4, 8, 16, 32)
_SameRule = Callable[[int, int], tuple[int, int]]


def spacing_variants(axes: int) -> Iterator[Variant]:
    """Yields faults in how far apart windows and taps are, in results of the right size."""
    names = _AXES[axes]
    yield from _misplaced("reads its taps as if the dilation were 1", "dilation", axes)
    yield from _misplaced("places its windows as if the stride were 1", "stride", axes)
    yield at_right_size("spaces its taps one too little", shift("dilation", -1))
    yield at_right_size("spaces its windows one too little", shift("stride", -1))
    for axis, name in enumerate(names if axes > 1 else ()):
        yield at_right_size(f"spaces its taps one too little along {name}",
                            partial(_one_less, "dilation", axis))  # fmt: skip
        yield at_right_size(f"spaces its windows one too little along {name}",
                            partial(_one_less, "stride", axis))  # fmt: skip
    if axes > 1:
        for part, words in (("dilation", "spaces its taps by"), ("stride", "moves its windows by")):
            for axis, name in enumerate(names):
                yield at_right_size(
                    f"{words} the {part} of {name} on every axis",
                    partial(all_from, part=part, axis=axis),
                )
            yield at_right_size(
                f"{words} the {part} of the other axis",
                partial(_reversed, part),
            )


def tile_variants(axes: int) -> Iterator[Variant]:
    """Yields faults in where the tiles of a result start."""
    for axis, name in reversed(list(enumerate(_AXES[axes]))):
        for width in _TILES:
            yield on_windows(
                f"does not multiply the start of a tile of {width} outputs along {name} by the "
                "stride",
                axis,
                partial(_tile_unscaled, width),
            )
        for width in (*_TILES, 64):
            yield on_windows(
                f"starts again at the first input after {width} outputs along {name}",
                axis,
                partial(_wrapped, width),
            )


def same_variants() -> Iterator[Variant]:
    """Yields other readings of the padding given as "same"."""
    rules: tuple[tuple[str, _SameRule], ...] = (
        ("leaves the dilation out of the padding 'same'", lambda kernel, _: _halves(kernel - 1)),
        ("rounds the padding 'same' up on both sides",
         lambda kernel, dilation: (-(-dilation * (kernel - 1) // 2),) * 2),
        ("rounds the padding 'same' down on both sides",
         lambda kernel, dilation: (dilation * (kernel - 1) // 2,) * 2),
        ("puts the odd element of the padding 'same' before",
         lambda kernel, dilation: _halves(dilation * (kernel - 1))[::-1]),
    )  # fmt: skip
    for says, rule in rules:
        yield on_spec(says, lambda spec, rule=rule: _same_by(spec, rule), (ConvSpec,))


def boundary_variants(axes: int) -> Iterator[Variant]:
    """Yields the paddings with other values than zero, on every axis and on one of them."""
    for mode, says in (
        ("edge", "repeats the edge where it must pad with zeros (replicate)"),
        ("reflect", "reflects at the edge where it must pad with zeros"),
        ("wrap", "wraps around where it must pad with zeros (circular)"),
        ("symmetric", "mirrors the edge itself where it must pad with zeros (symmetric)"),
    ):
        yield Variant(says=says, results=_padded(mode, range(axes)))
        for axis, name in enumerate(_AXES[axes] if axes > 1 else ()):
            yield Variant(says=f"{says} along {name}", results=_padded(mode, (axis,)))
    for value in (1.0, -1.0):
        yield Variant(says=f"pads with {value:g} instead of 0", results=_padded(value, range(axes)))


def first_of(array: np.ndarray, sizes: Iterable[int]) -> np.ndarray:
    """Returns as much of an array as some sizes of its last axes hold."""
    index: tuple[Any, ...] = (..., *(slice(0, max(0, size)) for size in sizes))
    return array[index]


def at_right_size(says: str, change: Callable[[Any], Any]) -> Variant:
    """A variant that follows another spec as far as the right result reaches, zeros beyond it.

    The padding stays as it is, also where it is given as text and would follow the change.
    """

    def results(case: Case, inputs: Arrays) -> Results | None:
        spec = case.spec
        if not isinstance(spec, ConvSpec) or "grad_output" in inputs:
            return None
        # Nothing is cropped before the size is made right: a transposed convolution would crop
        # from the end of the wrong result.
        pads = spec.padding_pairs()
        bare = replace(spec, bias=False, padding=((0, 0),) * spec.axes if spec.transposed else pads)
        try:
            other = change(bare)
            shape = output_shape(case)
        except ConvcheckError:
            return None
        if other == bare:
            return None
        arrays = {name: array for name, array in inputs.items() if name != "b"}
        found = correct(replace(case, spec=other), arrays)
        if found is None:
            return None
        skipped = [before for before, _ in pads] if spec.transposed else [0] * spec.axes
        y = np.zeros(shape)
        inside: tuple[Any, ...] = (..., *(slice(start, None) for start in skipped))
        part = found[0][inside]
        both = tuple(slice(0, min(one, two)) for one, two in zip(part.shape, shape, strict=True))
        y[both] = part[both]
        if "b" in inputs:
            y = y + inputs["b"].astype(np.float64).reshape(-1, *[1] * spec.axes)
        return (y,)

    return Variant(says=says, results=results)


def on_windows(says: str, axis: int, place: Callable[[np.ndarray, int], np.ndarray]) -> Variant:
    """A variant whose window of output `q` along an axis starts at `place(q, stride)`."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        spec = case.spec
        if not isinstance(spec, ConvSpec) or spec.transposed or "grad_output" in inputs:
            return None
        stride = spec.stride[axis]
        windows = np.arange(output_shape(case)[2 + axis])
        starts = place(windows, stride)
        if np.array_equal(starts, windows * stride):
            return None
        dense = put(replace(spec, padding=spec.padding_pairs()), "stride", axis, 1)
        found = correct(replace(case, spec=dense), inputs)
        return None if found is None else (found[0].take(starts, axis=2 + axis),)

    return Variant(says=says, results=results)


def _misplaced(says: str, part: Literal["stride", "dilation"], axes: int) -> Iterator[Variant]:
    yield at_right_size(says, set_all(part, 1))
    for axis, name in enumerate(_AXES[axes] if axes > 1 else ()):
        yield at_right_size(f"{says} along {name}", partial(put, part=part, axis=axis, value=1))


def _one_less(part: str, axis: int, spec: ConvSpec) -> ConvSpec:
    return put(spec, part, axis, getattr(spec, part)[axis] - 1)  # type: ignore[no-any-return]


def _reversed(part: str, spec: ConvSpec) -> ConvSpec:
    changed: dict[str, Any] = {part: getattr(spec, part)[::-1]}
    return replace(spec, **changed)


def _tile_unscaled(width: int, windows: np.ndarray, stride: int) -> np.ndarray:
    return windows // width * width + windows % width * stride


def _wrapped(width: int, windows: np.ndarray, stride: int) -> np.ndarray:
    return windows % width * stride


def _halves(total: int) -> tuple[int, int]:
    return total // 2, total - total // 2


def _same_by(spec: ConvSpec, rule: _SameRule) -> ConvSpec | None:
    if spec.padding != "same":
        return None
    pairs = tuple(map(rule, spec.kernel_size, spec.dilation))
    return None if pairs == spec.padding_pairs() else replace(spec, padding=pairs)


def _padded(mode: str | float, along: Any) -> Callable[[Case, Arrays], Results | None]:
    """The result with the padding along some axes filled as `numpy.pad` fills it."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        spec = case.spec
        if not isinstance(spec, ConvSpec) or spec.transposed or "grad_output" in inputs:
            return None
        x, chosen = inputs["x"], spec.padding_pairs()
        if not x.size or not any(sum(chosen[axis]) for axis in along):
            return None
        for axis, pair in enumerate(chosen):
            widths = [(0, 0)] * x.ndim
            widths[2 + axis] = pair
            if axis not in along:
                x = np.pad(x, widths)
            elif isinstance(mode, str):
                x = np.pad(x, widths, mode=mode)  # type: ignore[call-overload]
            else:
                x = np.pad(x, widths, constant_values=mode)
        bare = replace(spec, padding=((0, 0),) * spec.axes)
        return correct(replace(case, spec=bare, spatial=x.shape[2:]), {**inputs, "x": x})

    return results
