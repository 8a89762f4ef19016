"""Explanations of the pools: what a maximum or an average returns with one known fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np

from convcheck.conformance.variants.variant import (
    Arrays,
    Results,
    Variant,
    correct,
    on_inputs,
    on_result,
    on_spec,
)
from convcheck.core.case import Case
from convcheck.core.errors import GeometryError
from convcheck.core.ops import Family
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import PoolSpec
from convcheck.oracle.formats import find_format
from convcheck.oracle.pooling import divisors, window_sum

_NAMES = {1: ("W",), 2: ("H", "W"), 3: ("Z", "H", "W")}
Count = Callable[[np.ndarray, int, int, int], np.ndarray]


def pool_variants(family: Family, axes: int) -> Iterator[Variant]:
    """Yields the faults of a pool of a rank."""
    yield on_spec("ignores ceil_mode", lambda spec: replace(spec, ceil_mode=False), (PoolSpec,))
    yield on_spec(
        "always rounds up (ceil_mode)", lambda spec: replace(spec, ceil_mode=True), (PoolSpec,)
    )
    yield on_spec(
        "keeps stride 1", lambda spec: replace(spec, stride=(1,) * spec.axes), (PoolSpec,)
    )
    for axis in range(axes if axes > 1 else 0):
        yield on_spec(
            f"uses the kernel of axis {axis} for every axis",
            lambda spec, a=axis: replace(spec, kernel_size=(spec.kernel_size[a],) * spec.axes),
            (PoolSpec,),
        )
    yield on_spec(
        "exchanges the kernel's axes",
        lambda spec: replace(spec, kernel_size=spec.kernel_size[::-1]),
        (PoolSpec,),
    )
    yield from (_maximum_variants() if family == "max_pool" else _average_variants(axes))
    for mode, says in (
        ("edge", "pads by repeating the edge"),
        ("reflect", "pads by reflecting"),
        ("wrap", "pads circularly (wraps around)"),
    ):
        yield Variant(says=says, results=_padded(mode=mode))
    yield Variant(says="puts all padding before", results=_padded(side=0))
    yield Variant(says="puts all padding after", results=_padded(side=1))
    for axis, name in enumerate(_NAMES[axes]):
        for side, words in ((0, "first"), (-1, "last")):
            yield Variant(
                says=f"does not read the {words} tap of the kernel along {name}",
                results=_without_tap(axis, side),
            )
    yield Variant(
        says="keeps a last window that starts beyond the input and its left padding (ceil_mode)",
        results=_one_more_window,
    )


def _maximum_variants() -> Iterator[Variant]:
    yield Variant(says="pads with zeros instead of minus infinity", results=_padded(fill=0.0))
    yield Variant(says="takes the minimum instead of the maximum", results=_minimum)
    yield Variant(says="takes the element of the largest magnitude", results=_by_magnitude)
    yield on_result("never goes below 0", lambda y, *_: np.maximum(y, 0))
    yield on_result(
        "starts from the smallest finite number instead of minus infinity",
        lambda y, case, _: np.maximum(y, -find_format(case.dtype).largest),
    )
    for low in (-1.0, -1e3, -1e4, -1e5, -1e6, -1e9, -1e10, -1e20, -1e30):
        yield on_result(
            f"starts from {low:g} instead of minus infinity",
            lambda y, *_, low=low: np.maximum(y, low),
        )
    yield on_inputs("ignores NaN", x=lambda x, _: np.where(np.isnan(x), -np.inf, x))


def _average_variants(axes: int) -> Iterator[Variant]:
    yield on_spec(
        "always counts the padding (ignores count_include_pad=False)",
        lambda spec: replace(spec, count_include_pad=True),
        (PoolSpec,),
    )
    yield on_spec(
        "never counts the padding (as if count_include_pad=False)",
        lambda spec: replace(spec, count_include_pad=False),
        (PoolSpec,),
    )
    yield on_spec(
        "takes count_include_pad the wrong way round",
        lambda spec: replace(spec, count_include_pad=not spec.count_include_pad),
        (PoolSpec,),
    )
    yield Variant(
        says="always divides by the kernel size",
        results=_divided(lambda start, k, size, p: np.full_like(start, k)),
    )
    yield Variant(
        says="counts cells beyond the padding in the divisor (ceil_mode)",
        results=_divided(lambda start, k, size, p: np.full_like(start, k), excluding=False),
    )
    yield Variant(
        says="divides windows that pass the padding by their input cells only (ceil_mode)",
        results=_divided(
            lambda start, k, size, p: np.where(
                start + k > size + p, size - start, np.full_like(start, k)
            ),
            excluding=False,
        ),
    )
    yield Variant(
        says="counts the padding on the right in the divisor",
        results=_divided(
            lambda start, k, size, p: np.minimum(start + k, size + p) - np.maximum(start, 0),
            including=False,
        ),
    )
    yield Variant(
        says="counts the padding on the left in the divisor",
        results=_divided(
            lambda start, k, size, p: np.minimum(start + k, size) - start, including=False
        ),
    )
    yield Variant(says="divides by the number of elements that are not zero", results=_by_nonzero)
    yield Variant(
        says="returns the sum instead of the average",
        results=_divided(lambda start, k, size, p: np.ones_like(start)),
    )
    for axis in range(axes if axes > 1 else 0):
        yield Variant(
            says=f"divides by the kernel's extent along {_NAMES[axes][axis]} for every axis",
            results=partial(_by_one_axis, axis=axis),
        )
    yield Variant(
        says="keeps a running sum, which a NaN or infinity spoils to the end of the row",
        results=_running,
    )


def _spec(case: Case) -> PoolSpec:
    assert isinstance(case.spec, PoolSpec)
    return case.spec


def _padded(
    *, fill: float | None = None, mode: str = "constant", side: int | None = None
) -> Callable[[Case, Arrays], Results | None]:
    """The pool of an input that was padded by hand, with the same number of windows."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        spec = _spec(case)
        right = correct(case, inputs)
        if right is None or 0 in case.input_shape():
            return right
        pads: list[tuple[int, int]] = []
        cuts: list[Any] = [...]
        assert spec.stride is not None
        for axis, size in enumerate(case.spatial):
            before, after = spec.padding[axis]
            if side is not None:
                before = (before + after) * (1 - side)
            out = right[0].shape[2 + axis]
            span = effective_kernel(spec.kernel_size[axis], spec.dilation[axis])
            need = (out - 1) * spec.stride[axis] + span
            pads.append((before, max(0, need - size - before)))
            cuts.append(slice(0, need))
        x = inputs["x"]
        if mode == "constant":
            low = -np.inf if spec.kind == "max" else 0.0
            value = _as_element(low if fill is None else fill, x.dtype)
            grown = np.pad(x, [(0, 0), (0, 0), *pads], constant_values=value)
        else:
            grown = np.pad(x, [(0, 0), (0, 0), *pads], mode=mode)  # type: ignore[call-overload]
        grown = grown[tuple(cuts)]
        bare = replace(spec, padding=((0, 0),) * spec.axes, ceil_mode=False)
        found = correct(replace(case, spec=bare, spatial=grown.shape[2:]), {"x": grown})
        if found is None or spec.kind == "max":
            return found
        return (found[0] * prod(spec.kernel_size) / _divisors(case),)

    return results


def _as_element(value: float, dtype: np.dtype[Any]) -> float | int:
    """Returns the value, or the integer nearest to it that the dtype has."""
    if dtype.kind == "f":
        return value
    info = np.iinfo(dtype)
    return 0 if np.isnan(value) else int(max(info.min, min(info.max, value)))


def _divisors(case: Case) -> np.ndarray:
    return divisors(_spec(case), case.spatial)


def _sums(case: Case, inputs: Arrays) -> np.ndarray | None:
    try:
        output_shape(case)
    except GeometryError:
        return None
    return window_sum(inputs["x"].astype(np.float64), _spec(case))


def _without_tap(axis: int, side: int) -> Callable[[Case, Arrays], Results | None]:
    """The pool of a kernel that is one shorter along an axis, its windows where they were."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        spec, right = _spec(case), correct(case, inputs)
        if right is None or spec.kernel_size[axis] < 2 or 0 in case.input_shape():
            return right
        assert spec.stride is not None
        low = _as_element(-np.inf if spec.kind == "max" else 0.0, inputs["x"].dtype)
        skipped = spec.dilation[axis] if side == 0 else 0
        slices: list[Any] = [...]
        pads = []
        for a, size in enumerate(case.spatial):
            before, _ = spec.padding[a]
            span = effective_kernel(spec.kernel_size[a], spec.dilation[a])
            need = (right[0].shape[2 + a] - 1) * spec.stride[a] + span
            pads.append((before, max(0, need - size - before)))
            last = spec.dilation[a] if a == axis and side == -1 else 0
            slices.append(slice(skipped if a == axis else 0, need - last))
        x = np.pad(inputs["x"], [(0, 0), (0, 0), *pads], constant_values=low)[tuple(slices)]
        kernel = tuple(k - (a == axis) for a, k in enumerate(spec.kernel_size))
        bare = replace(spec, padding=((0, 0),) * spec.axes, ceil_mode=False, kernel_size=kernel)
        found = correct(replace(case, spec=bare, spatial=x.shape[2:]), {"x": x})
        if found is None or spec.kind == "max":
            return found
        return (found[0] * prod(kernel) / _divisors(case),)

    return results


def _one_more_window(case: Case, inputs: Arrays) -> Results | None:
    spec, right = _spec(case), correct(case, inputs)
    if right is None or not spec.ceil_mode:
        return right
    assert spec.stride is not None
    y = right[0]
    for axis, size in enumerate(case.spatial):
        free = (
            size
            + sum(spec.padding[axis])
            - effective_kernel(spec.kernel_size[axis], spec.dilation[axis])
        )
        asked = -(-free // spec.stride[axis]) + 1
        more = asked - y.shape[2 + axis]
        if more > 0:
            widths = [(0, more if a == 2 + axis else 0) for a in range(y.ndim)]
            # Such a window meets nothing: its maximum is empty, its average 0 / 0 or 0.
            empty = _as_element(-np.inf if spec.kind == "max" else np.nan, y.dtype)
            y = np.pad(y, widths, constant_values=empty)
    return (y,)


def _minimum(case: Case, inputs: Arrays) -> Results | None:
    right = correct(case, {"x": -inputs["x"]})
    return None if right is None else (-right[0],)


def _by_magnitude(case: Case, inputs: Arrays) -> Results | None:
    high, low = correct(case, inputs), _minimum(case, inputs)
    if high is None or low is None:
        return None
    return (np.where(np.abs(low[0]) > np.abs(high[0]), low[0], high[0]),)


def _divided(
    count: Count, *, including: bool = True, excluding: bool = True
) -> Callable[[Case, Arrays], Results | None]:
    """The sums over another count, where padding is counted, or not, or both."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        spec, sums = _spec(case), _sums(case, inputs)
        if sums is None or not (including if spec.count_include_pad else excluding):
            return correct(case, inputs)
        assert spec.stride is not None
        total = np.ones(())
        for axis, size in enumerate(case.spatial):
            before, after = spec.padding[axis]
            start = np.arange(sums.shape[2 + axis]) * spec.stride[axis] - before
            counts = count(start, spec.kernel_size[axis], size, after)
            total = np.multiply.outer(total, counts)
        return (sums / total,)

    return results


def _by_nonzero(case: Case, inputs: Arrays) -> Results | None:
    sums, spec = _sums(case, inputs), _spec(case)
    if sums is None or spec.count_include_pad:
        return correct(case, inputs)
    hits = window_sum((inputs["x"] != 0).astype(np.float64), spec)
    return (sums / np.maximum(hits, 1),)


def _by_one_axis(case: Case, inputs: Arrays, axis: int) -> Results | None:
    sums, spec = _sums(case, inputs), _spec(case)
    if sums is None:
        return None
    return (sums / spec.kernel_size[axis] ** spec.axes,)


def _running(case: Case, inputs: Arrays) -> Results | None:
    right = correct(case, inputs)
    if right is None or np.isfinite(inputs["x"]).all():
        return right
    y, spec = right[0].copy(), _spec(case)
    assert spec.stride is not None
    rows = inputs["x"].reshape(-1, case.spatial[-1])
    if spec.axes != 1:
        return None
    start = np.arange(y.shape[-1]) * spec.stride[-1] - spec.padding[-1][0]
    for place, row in zip(product(*map(range, y.shape[:2])), rows, strict=True):
        spoiled = np.flatnonzero(~np.isfinite(row))
        if spoiled.size:
            y[place][start > spoiled[0]] = np.nan
    return (y,)
