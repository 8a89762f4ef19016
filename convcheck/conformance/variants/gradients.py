"""Faults of the gradients of a convolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np

from convcheck.conformance.variants.changes import keep, zeroed
from convcheck.conformance.variants.placement import first_of
from convcheck.conformance.variants.variant import Arrays, Results, Variant, correct, on_result
from convcheck.core.case import Case
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import ConvSpec

_NAMES = ("grad_x", "grad_w", "grad_b")
_AXES = {1: ("W",), 2: ("H", "W"), 3: ("Z", "H", "W")}
# Kernels with more taps tell no more of an order than these.
_MOST_TAPS = 16
_Change = Callable[[np.ndarray, Case, Arrays], np.ndarray | None]


def gradient_variants(axes: int) -> Iterator[Variant]:
    """Yields what a function may do to one of the three gradients."""
    along = tuple(range(-axes, 0))
    for place, name in enumerate(_NAMES):
        yield on_result(f"returns zeros for {name}", lambda y, *_: np.zeros_like(y), place)
        yield on_result(f"negates {name}", lambda y, *_: -y, place)
        yield on_result(f"doubles {name}", lambda y, *_: 2 * y, place)
        yield on_result(
            f"divides {name} by the batch size", lambda y, case, _: y / max(1, case.batch), place
        )
        if place < 2:
            yield on_result(f"flips {name}", lambda y, *_: np.flip(y, along), place)
            yield from _along_axes(name, place, axes)
    for place, name in ((0, "grad_x"), (1, "grad_w")):
        yield on_result(
            f"exchanges the channel axes of {name}", lambda y, *_: y.swapaxes(0, 1), place
        )
    yield on_result("reverses the batch of grad_x", lambda y, *_: y[::-1])
    yield on_result("returns grad_w of the first image only", _first_image(1), 1)
    yield on_result("returns grad_b of the first image only", _first_image(2), 2)
    yield on_result(
        "averages grad_b over positions instead of summing",
        lambda y, case, inputs: y / max(1, inputs["grad_output"][:, 0].size), 2,
    )  # fmt: skip
    yield on_result(
        "divides grad_b by the number of positions of an image",
        lambda y, case, inputs: y / max(1, inputs["grad_output"][:1, 0].size), 2,
    )  # fmt: skip
    yield on_result("sums absolute values for grad_b", _of_magnitudes, 2)
    for width in (64, 32, 16, 8, 4):
        yield on_result(f"computes only the first {width} elements of grad_b",
                        lambda y, case, _, width=width: keep(y, 0, width), 2)  # fmt: skip
    yield Variant(says="exchanges grad_x and grad_w where they have the same shape",
                  results=correct, spoil=_exchanged)  # fmt: skip
    yield on_result("does not take the padding off grad_x", _unshifted)
    yield on_result("leaves out of grad_x what no window reads at the end", _read_only)
    for part in ("stride", "dilation"):
        yield on_result(f"ignores the {part} in grad_w", _gathered(part), 1)
    if axes > 1:
        yield on_result("exchanges stride and dilation in grad_w", _gathered("both"), 1)
    yield on_result("ignores the padding in grad_w", _unpadded, 1)
    yield Variant(says="overwrites where windows overlap instead of adding", results=overwritten)


def overwritten(case: Case, inputs: Arrays) -> Results | None:
    """The result where each tap, in order, replaces what earlier taps have put there."""
    spec = case.spec
    backward = "grad_output" in inputs
    if not isinstance(spec, ConvSpec) or not (spec.transposed or backward):
        return None
    w = inputs["w"]
    taps = list(product(*map(range, spec.kernel_size)))
    right = correct(case, inputs)
    if right is None or not 1 < len(taps) <= _MOST_TAPS or (spec.transposed and backward):
        return None
    y = np.zeros_like(right[0])
    bare = replace(case, spec=replace(spec, bias=False))
    given = {name: array for name, array in inputs.items() if name != "b"}
    for tap in taps:
        alone, ones = np.zeros_like(w), np.zeros_like(w)
        index: tuple[Any, ...] = (slice(None), slice(None), *tap)
        alone[index], ones[index] = w[index], 1
        part = correct(bare, {**given, "w": alone})
        everywhere = {name: np.ones_like(array) for name, array in given.items()}
        cover = correct(bare, {**everywhere, "w": ones})
        assert part is not None and cover is not None
        y = np.where(cover[0] != 0, part[0], y)
    if "b" in inputs:
        y = y + inputs["b"].astype(np.float64).reshape(-1, *[1] * spec.axes)
    return (y, *right[1:])


def _along_axes(name: str, place: int, axes: int) -> Iterator[Variant]:
    for axis, word in enumerate(_AXES[axes]):
        if axes > 1:
            yield on_result(f"flips {name} along {word}",
                            lambda y, *_, a=axis: np.flip(y, 2 + a), place)  # fmt: skip
        for side, at in (("last", -1), ("first", 0)):
            yield on_result(f"leaves the {side} element of {name} along {word} at zero",
                            lambda y, *_, a=axis, at=at: zeroed(y, 2 + a, at), place)  # fmt: skip
    for first, second in combinations(range(axes), 2):
        yield on_result(
            f"exchanges the axes {_AXES[axes][first]} and {_AXES[axes][second]} of {name}",
            lambda y, *_, a=first, b=second: y.swapaxes(2 + a, 2 + b), place,
        )  # fmt: skip


def _first_image(place: int) -> _Change:
    def change(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
        one = {name: a[:1] if name in ("x", "grad_output") else a for name, a in inputs.items()}
        found = correct(replace(case, batch=min(1, case.batch)), one)
        return None if found is None else found[place]

    return change


def _of_magnitudes(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    found = correct(case, {**inputs, "grad_output": np.abs(inputs["grad_output"])})
    return None if found is None else found[2]


def _exchanged(right: Results, case: Case, inputs: Arrays) -> Results | None:
    return (right[1], right[0], *right[2:]) if right[0].shape == right[1].shape else None


def _bare(case: Case, inputs: Arrays) -> tuple[ConvSpec, np.ndarray] | None:
    """The spec without padding, and the input with its zeros around it."""
    spec = case.spec
    if not isinstance(spec, ConvSpec) or spec.transposed:
        return None
    x = np.pad(inputs["x"], ((0, 0), (0, 0), *spec.padding_pairs()))
    return replace(spec, padding=((0, 0),) * spec.axes), x


def _unshifted(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    found = _bare(case, inputs)
    if found is None:
        return None
    spec, x = found
    whole = correct(replace(case, spec=spec, spatial=x.shape[2:]), {**inputs, "x": x})
    return None if whole is None else first_of(whole[0], y.shape[2:])


def _read_only(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    spec = case.spec
    if not isinstance(spec, ConvSpec) or spec.transposed:
        return None
    ends = [
        (out - 1) * s + effective_kernel(k, d) - before
        for out, s, k, d, (before, _) in zip(
            inputs["grad_output"].shape[2:], spec.stride, spec.kernel_size, spec.dilation,
            spec.padding_pairs(), strict=True,
        )
    ]  # fmt: skip
    return first_of(y, ends)


def _gathered(part: str) -> _Change:
    """The gradient of the weight with windows or taps read next to each other."""

    def change(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
        found = _bare(case, inputs)
        if found is None:
            return None
        spec, x = found
        if part == "both":
            spec = replace(spec, stride=spec.dilation, dilation=spec.stride)
        else:
            changed: dict[str, Any] = {part: (1,) * spec.axes}
            spec = replace(spec, **changed)
        outputs = inputs["grad_output"].shape[2:]
        sizes = tuple(
            (out - 1) * s + effective_kernel(k, d)
            for out, s, k, d in zip(
                outputs, spec.stride, spec.kernel_size, spec.dilation, strict=True
            )
        )
        if any(size > have for size, have in zip(sizes, x.shape[2:], strict=True)):
            return None
        x = first_of(x, sizes)
        whole = correct(replace(case, spec=spec, spatial=sizes), {**inputs, "x": x})
        return None if whole is None else whole[1]

    return change


def _unpadded(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
    """The gradient of the weight with the input moved to the start of its padding."""
    found = _bare(case, inputs)
    if found is None:
        return None
    spec, padded = found
    x = np.zeros_like(padded)
    first_of(x, inputs["x"].shape[2:])[:] = inputs["x"]
    whole = correct(replace(case, spec=spec, spatial=x.shape[2:]), {**inputs, "x": x})
    return None if whole is None else whole[1]
