"""Explanations as executable semantics: what a function would return if it had one known fault.

A variant changes the call (another spec), the arrays (a flipped kernel) or the result (a shift) and
asks the oracle for the rest. It explains a failure when its result is the wrong result, exactly.
Each says what the function does in words that follow "the function".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from convcheck.conformance.variants.changes import (
    all_ceiled,
    all_from,
    ceiled,
    cut,
    dilated_padding,
    exchange,
    grown,
    nan_to_num,
    put,
    repeat,
    set_all,
    shift,
    zeroed,
)
from convcheck.core.case import Case
from convcheck.core.errors import ConvcheckError
from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.oracle.expected import Expected, expected

Arrays = Mapping[str, np.ndarray]
Results = tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One known fault.

    Attributes:
        says: What the function does, such as "flips the kernel along every axis".
        results: What it would return for a case on its arrays; None where the fault says nothing.
        spoil: The same from the right results, where the fault only changes those.
        slack: How far from that it may be, where the fault is one of precision; else it is exact.
    """

    says: str
    results: Callable[[Case, Arrays], Results | None]
    spoil: Callable[[Results, Case, Arrays], Results | None] | None = None
    slack: Callable[[Case, Arrays], Results | None] | None = None

    def predict(self, case: Case, inputs: Arrays, right: Results) -> Results | None:
        """Returns what it would return for a case whose right results are known."""
        with np.errstate(all="ignore"):
            try:
                if self.spoil is not None:
                    return self.spoil(right, case, inputs)
                return self.results(case, inputs)
            except (ValueError, IndexError):
                # A change that the arrays do not fit into says nothing of this case.
                return None


def correct(case: Case, inputs: Arrays) -> Results | None:
    """Returns the exact results of a case, None where it must be refused."""
    wanted = expected(case, inputs)
    if not isinstance(wanted, Expected):
        return None
    return tuple(array.values for array in wanted.outputs)


def on_spec(says: str, change: Callable[..., Any], kinds: tuple[type, ...]) -> Variant:
    """A variant that follows another spec; `change` returns None where it does not apply."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        if not isinstance(case.spec, kinds):
            return None
        try:
            spec = change(case.spec)
        except (ConvcheckError, TypeError, AttributeError):
            return None  # a pool has no output padding, for one
        if spec is None or spec == case.spec:
            return None
        return correct(replace(case, spec=spec), inputs)

    return Variant(says=says, results=results)


def on_inputs(says: str, **changes: Callable[..., np.ndarray]) -> Variant:
    """A variant that computes on other arrays, each changed by a function of it and the case."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        changed = dict(inputs)
        for name, change in changes.items():
            if name in changed:
                changed[name] = change(changed[name], case)
                if changed[name].shape != inputs[name].shape:
                    return None
        if all(_equal(changed[name], inputs[name]) for name in inputs):
            return None
        return correct(case, changed)

    return Variant(says=says, results=results)


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return one is other or np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def on_result(says: str, change: Callable[..., np.ndarray | None], place: int = 0) -> Variant:
    """A variant that computes rightly and then spoils the result at `place`."""

    def spoil(right: Results, case: Case, inputs: Arrays) -> Results | None:
        if len(right) <= place:
            return None
        spoiled = change(right[place], case, inputs)
        if spoiled is None:
            return None
        return (*right[:place], spoiled, *right[place + 1 :])

    def results(case: Case, inputs: Arrays) -> Results | None:
        right = correct(case, inputs)
        return None if right is None else spoil(right, case, inputs)

    return Variant(says=says, results=results, spoil=spoil)


_AXES = {1: ("W",), 2: ("H", "W"), 3: ("Z", "H", "W")}
_WINDOW = (ConvSpec, PoolSpec)
_PARTS = ("stride", "padding", "dilation", "output_padding")


def window_variants(axes: int) -> Iterator[Variant]:
    """Yields the faults in how the window is placed, for convolutions and pools alike."""
    yield from _swaps(axes)
    for part, idle in (("stride", 1), ("dilation", 1), ("padding", (0, 0)), ("output_padding", 0)):
        yield on_spec(f"ignores the {part}", set_all(part, idle), _WINDOW)
        for axis, name in enumerate(_AXES[axes] if axes > 1 else ()):
            yield on_spec(
                f"ignores the {part} along {name}",
                lambda spec, part=part, idle=idle, axis=axis: put(spec, part, axis, idle),
                _WINDOW,
            )
    for part in ("stride", "dilation"):
        for step, word in ((1, "too large"), (-1, "too small")):
            yield on_spec(f"takes the {part} one {word}", shift(part, step), _WINDOW)
    yield on_spec("takes the stride equal to the kernel size",
                  lambda spec: replace(spec, stride=spec.kernel_size), _WINDOW)  # fmt: skip
    yield on_spec("takes the dilation for the stride too",
                  lambda spec: replace(spec, stride=spec.dilation), _WINDOW)  # fmt: skip
    yield on_spec("takes the stride for the dilation too",
                  lambda spec: replace(spec, dilation=spec.stride), _WINDOW)  # fmt: skip
    yield on_spec("exchanges stride and dilation", lambda spec: replace(
        spec, stride=spec.dilation, dilation=spec.stride), _WINDOW)  # fmt: skip
    for says, pad in _PADDINGS:
        yield on_spec(says, lambda spec, pad=pad: replace(
            spec, padding=tuple(pad(*pair) for pair in spec.padding_pairs())), _WINDOW)  # fmt: skip
        for axis, name in enumerate(_AXES[axes] if axes > 1 else ()):
            yield on_spec(
                f"{says} along {name}",
                lambda spec, pad=pad, axis=axis: replace(spec, padding=tuple(
                    pad(*pair) if place == axis else pair
                    for place, pair in enumerate(spec.padding_pairs()))),
                _WINDOW,
            )  # fmt: skip
    yield on_spec("multiplies the padding by the dilation", dilated_padding, _WINDOW)


_PADDINGS: tuple[tuple[str, Callable[[int, int], tuple[int, int]]], ...] = (
    ("pads before only", lambda b, a: (b, 0)),
    ("pads after only", lambda b, a: (0, a)),
    ("puts all padding before", lambda b, a: (b + a, 0)),
    ("puts all padding after", lambda b, a: (0, b + a)),
    ("exchanges the padding before and after", lambda b, a: (a, b)),
    ("pads one too much", lambda b, a: (b + 1, a + 1)),
    ("pads one too little", lambda b, a: (max(0, b - 1), max(0, a - 1))),
    ("pads one too much after", lambda b, a: (b, a + 1)),
    ("pads one too much before", lambda b, a: (b + 1, a)),
    ("pads one too little after", lambda b, a: (b, max(0, a - 1))),
    ("pads one too little before", lambda b, a: (max(0, b - 1), a)),
    ("pads twice as much", lambda b, a: (2 * b, 2 * a)),
    ("shifts the window by one towards the front", lambda b, a: (b + 1, max(0, a - 1))),
    ("shifts the window by one towards the end", lambda b, a: (max(0, b - 1), a + 1)),
)


def _swaps(axes: int) -> Iterator[Variant]:
    names = _AXES[axes]
    for first, second in combinations(range(axes), 2):
        pair = f"{names[first]} and {names[second]}"
        for part in _PARTS:
            yield on_spec(
                f"exchanges the {part} of {pair}",
                lambda spec, part=part, f=first, s=second: exchange(spec, (part,), f, s),
                _WINDOW,
            )
        yield on_spec(
            f"exchanges stride, padding and dilation of {pair}",
            lambda spec, f=first, s=second: exchange(spec, _PARTS, f, s),
            _WINDOW,
        )
        if axes == 2:
            yield on_inputs("transposes the kernel", w=lambda w, _: w.swapaxes(2, 3))
            yield on_result("transposes the result", lambda y, case, _: y.swapaxes(-1, -2))
            yield on_result(
                "writes the rows of the result as its columns",
                lambda y, case, _: y.reshape(*y.shape[:-2], *y.shape[:-3:-1]).swapaxes(-1, -2),
            )
            yield on_inputs(
                "reads the kernel's memory transposed",
                w=lambda w, case: w.swapaxes(2, 3).reshape(w.shape),
            )
            yield on_inputs(
                "reads the kernel's columns as its rows",
                w=lambda w, case: w.reshape(*w.shape[:2], *w.shape[:1:-1]).swapaxes(2, 3),
            )
        else:
            yield on_inputs(
                f"exchanges the axes {pair} of the kernel",
                w=lambda w, _, f=first, s=second: w.swapaxes(2 + f, 2 + s),
            )
    if axes > 1:
        for part in _PARTS:
            for axis, name in enumerate(names):
                yield on_spec(
                    f"uses the {part} of {name} for every axis",
                    lambda spec, part=part, axis=axis: all_from(spec, part, axis),
                    _WINDOW,
                )


def kernel_variants(axes: int) -> Iterator[Variant]:
    """Yields the faults in how the kernel is read."""
    names = _AXES[axes]
    for count in range(axes, 0, -1):
        for chosen in combinations(range(axes), count):
            flip = tuple(2 + axis for axis in chosen)
            every = count == axes
            words = "every axis" if every and axes > 1 else " and ".join(names[a] for a in chosen)
            aside = " (true convolution)" if every else ""
            yield on_inputs(
                f"flips the kernel along {words}{aside}",
                w=lambda w, case, flip=flip: np.flip(w, flip),
            )
    for axis, name in enumerate(names):
        for side, at in (("last", -1), ("first", 0)):
            yield on_inputs(
                f"leaves out the {side} tap of the kernel along {name}",
                w=lambda w, case, axis=axis, at=at: zeroed(w, 2 + axis, at),
            )
            yield on_inputs(
                f"does not read the {side} input element along {name}",
                x=lambda x, case, axis=axis, at=at: zeroed(x, 2 + axis, at),
            )
    yield on_inputs("uses the same kernel for every output channel", w=lambda w, _: repeat(w, 0))
    yield on_inputs("uses the same kernel for every input channel", w=lambda w, _: repeat(w, 1))


def result_variants(axes: int) -> Iterator[Variant]:
    """Yields faults in the result as a whole."""
    yield on_result("returns zeros", lambda y, case, _: np.zeros_like(y))
    yield on_spec("rounds the size up instead of down", all_ceiled, (ConvSpec,))
    yield on_result("negates the result", lambda y, case, _: -y)
    yield on_result("doubles the result", lambda y, case, _: y * 2)
    yield on_result("halves the result", lambda y, case, _: y / 2)
    yield on_result("clips the result below at 0", lambda y, case, _: np.maximum(y, 0))
    yield on_result("returns absolute values", lambda y, case, _: np.abs(y))
    yield on_result("replaces NaN by 0 in the result",
                    lambda y, case, _: np.where(np.isnan(y), 0, y))  # fmt: skip
    yield on_result("replaces NaN and infinities by finite numbers in the result",
                    lambda y, case, _: np.where(np.isfinite(y), y, 0))  # fmt: skip
    yield on_inputs("replaces NaN by 0 in the input",
                    x=lambda x, _: np.where(np.isnan(x), x.dtype.type(0), x))  # fmt: skip
    yield on_inputs("replaces NaN and infinities by 0 in the input",
                    x=lambda x, _: np.where(np.isfinite(x), x, x.dtype.type(0)))  # fmt: skip
    yield on_result("replaces NaN and infinities as numpy.nan_to_num does", nan_to_num)
    for tiny in (1e-30, 1e-20, 1e-12, 1e-8, 1e-6):
        yield on_inputs(f"takes input below {tiny:g} for zero", x=lambda x, _, tiny=tiny: np.where(
            np.abs(x) < tiny, x.dtype.type(0), x))  # fmt: skip
    yield on_inputs("leaves out a bias that is not finite", b=lambda b, _: np.where(
        np.isfinite(b), b, b.dtype.type(0)))  # fmt: skip
    yield on_inputs("ignores the sign of the input", x=lambda x, _: np.abs(x))
    yield on_inputs("clips the input below at 0", x=lambda x, _: np.maximum(x, 0))
    yield on_inputs("ignores the sign of the weights", w=lambda w, _: np.abs(w))
    for axis in range(-1, -axes - 1, -1):
        name = _AXES[axes][axis]
        yield on_result(f"leaves out the last output along {name}",
                        lambda y, case, _, a=axis: cut(y, a, slice(0, -1)))  # fmt: skip
        yield on_result(f"leaves out the first output along {name}",
                        lambda y, case, _, a=axis: cut(y, a, slice(1, None)))  # fmt: skip
        yield on_result(f"adds an output of zeros along {name}",
                        lambda y, case, _, a=axis: grown(y, a))  # fmt: skip
        yield on_result(f"leaves the last output along {name} at zero",
                        lambda y, case, _, a=axis: zeroed(y, y.ndim + a, -1))  # fmt: skip
        yield on_result(f"leaves the first output along {name} at zero",
                        lambda y, case, _, a=axis: zeroed(y, y.ndim + a, 0))  # fmt: skip
        for step in (1, -1):
            yield on_result(f"rotates the result by {step} along {name}",
                            lambda y, case, _, a=axis, s=step: np.roll(y, s, a))  # fmt: skip
        yield on_result(f"reverses the result along {name}",
                        lambda y, case, _, a=axis: np.flip(y, a))  # fmt: skip
        yield on_inputs(f"reads the input in reverse along {name}",
                        x=lambda x, case, a=axis: np.flip(x, a))  # fmt: skip
        yield on_spec(f"rounds the size up along {name}",
                      lambda spec, a=axis: ceiled(spec, a), (ConvSpec,))  # fmt: skip
    yield on_result("drops the axis of the batch", lambda y, case, _: y[0] if len(y) == 1 else None)
    yield on_result("drops axes of extent 1", lambda y, case, _: np.squeeze(y))
    yield on_result("drops the axes of a single pixel", lambda y, case, _: (
        y.reshape(y.shape[:2]) if y.ndim > 2 and y[0, 0].size == 1 else None)
        if y.size else None)  # fmt: skip
    yield on_result("adds an axis of extent 1", lambda y, case, _: y[None])
    for limit in (1e4, 65504.0, 1e6, 1e30, 1e300):
        yield on_result(f"clips the result at {limit:g}",
                        lambda y, case, _, m=limit: np.clip(y, -m, m))  # fmt: skip
        yield on_inputs(f"clips its input at {limit:g}",
                        x=lambda x, case, m=limit: np.clip(x, -m, m))  # fmt: skip
    yield on_result("returns channels last", lambda y, case, _: np.moveaxis(y, 1, -1))
