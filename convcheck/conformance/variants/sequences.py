"""Explanations of `convolve`, which has no layer's parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from convcheck.conformance.variants.changes import precision_slack, rounded, rounding
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
from convcheck.core.spec import SequenceSpec
from convcheck.oracle import fast
from convcheck.oracle.formats import find_format


def sequence_variants() -> Iterator[Variant]:
    """Yields the faults of `convolve`."""
    yield on_inputs("does not flip g (cross-correlation)", g=lambda g, _: np.flip(g))
    for axis in range(2):
        yield on_inputs(
            f"does not flip g along axis {axis}",
            g=lambda g, case, a=axis: np.flip(g, a) if a < g.ndim and g.ndim > 1 else g,
        )
    yield on_inputs("flips f", f=lambda f, _: np.flip(f))
    yield on_result("reverses the result", lambda y, *_: np.flip(y))
    for says, part in (
        ('centres mode "same" one too late', lambda m, n: (n // 2, m)),
        (
            'centres mode "same" on the larger sequence (as numpy.convolve)',
            lambda m, n: ((min(m, n) - 1) // 2, max(m, n)),
        ),
        ('starts mode "same" at the front', lambda m, n: (0, m)),
        ('ends mode "same" at the end', lambda m, n: (n - 1, m)),
    ):
        yield Variant(says=says, results=_cut_by("same", part))
    for mode in ("full", "same", "valid"):
        yield on_spec(
            f'always answers in mode "{mode}"',
            lambda spec, mode=mode: replace(spec, mode=mode),
            (SequenceSpec,),
        )
    for axis in range(3):
        yield Variant(
            says=f'centres mode "same" one too late along axis {axis}',
            results=_cut_by("same", lambda m, n: (n // 2, m), only=axis),
        )
    for says, off in (("early", -2), ("late", 0)):
        yield Variant(
            says=f'starts mode "valid" one too {says}',
            results=_cut_by(
                "valid", lambda m, n, off=off: (max(0, min(m, n) + off), abs(m - n) + 1)
            ),
        )
    yield Variant(says="exchanges f and g where g has more elements", results=_larger_first)
    yield Variant(says='leaves mode "valid" empty where g is longer', results=_empty_valid)
    yield Variant(says="convolves circularly", results=_circular)
    yield Variant(
        says="convolves circularly over the longer extent (not padded to the full length)",
        results=_wrapped,
    )
    for first, second in ((0, 1), (1, 2), (0, 2)):
        yield on_inputs(
            f"exchanges axes {first} and {second} of g",
            g=lambda g, _, f=first, s=second: (
                g.swapaxes(f, s) if s < g.ndim and g.shape[f] == g.shape[s] else g
            ),
        )
    yield on_inputs("normalises g to sum 1", g=lambda g, _: g / g.sum() if g.sum() else g)
    for bits in (8, 16, 32):
        yield on_result(
            f"keeps integers in {bits} bits, which wrap around",
            lambda y, *_, bits=bits: _in_bits(y, bits),
        )
    yield on_result("leaves out the last element", lambda y, *_: y[..., :-1])
    yield on_result("leaves out the first element", lambda y, *_: y[..., 1:])
    yield on_result("leaves the last element at zero", lambda y, *_: _last_zero(y))
    yield on_result("returns zeros", lambda y, *_: np.zeros_like(y))
    yield on_result("negates the result", lambda y, *_: -y)
    yield on_inputs("ignores the sign of g", g=lambda g, _: np.abs(g))
    yield on_inputs("does not read the last element of g", g=lambda g, _: _last_zero(g))
    yield on_inputs("does not read the last element of f", f=lambda f, _: _last_zero(f))
    for name in ("f", "g"):
        yield on_inputs(
            f"replaces NaN by 0 in {name}",
            **{name: lambda a, _: np.where(np.isnan(a), a.dtype.type(0), a)},
        )
        yield on_inputs(
            f"replaces NaN and infinities by 0 in {name}",
            **{name: lambda a, _: np.where(np.isfinite(a), a, a.dtype.type(0))},
        )
    for dtype in ("float32", "float16"):
        rounds = rounding(dtype)
        yield on_inputs(f"computes in {dtype}", f=rounds, g=rounds)
        yield Variant(
            says=f"computes in {dtype}, or keeps sums in it",
            results=correct,
            spoil=lambda right, *_: right,
            slack=_slack(dtype),
        )
        yield on_result(
            f"rounds the result to {dtype}", lambda y, case, _, dtype=dtype: rounded(y, dtype)
        )


def _cut_by(
    mode: str, part: Callable[..., tuple[int, int]], only: int | None = None
) -> Callable[[Case, Arrays], Results | None]:
    def results(case: Case, inputs: Arrays) -> Results | None:
        spec = case.spec
        assert isinstance(spec, SequenceSpec)
        if spec.mode != mode:
            return correct(case, inputs)
        whole = correct(replace(case, spec=replace(spec, mode="full")), inputs)
        if whole is None:
            return None
        slices = []
        for axis, (m, n) in enumerate(zip(case.spatial, spec.kernel_size, strict=True)):
            start, length = part(m, n) if only in (None, axis) else fast.kept_part(m, n, "same")
            slices.append(slice(start, start + length))
        return (whole[0][tuple(slices)],)

    return results


def _empty_valid(case: Case, inputs: Arrays) -> Results | None:
    right = correct(case, inputs)
    assert isinstance(case.spec, SequenceSpec)
    if right is None or case.spec.mode != "valid" or case.spatial >= case.spec.kernel_size:
        return right
    return (right[0][:0],)


def _circular(case: Case, inputs: Arrays) -> Results | None:
    spec = case.spec
    assert isinstance(spec, SequenceSpec)
    if spec.axes != 1 or spec.mode != "same":
        return correct(case, inputs)
    size = case.spatial[0]
    whole = correct(replace(case, spec=replace(spec, mode="full")), inputs)
    if whole is None:
        return None
    wrapped = np.zeros(size)
    np.add.at(wrapped, np.arange(len(whole[0])) % size, whole[0])
    return (wrapped,)


def _last_zero(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy[..., -1:] = 0
    return copy


def _larger_first(case: Case, inputs: Arrays) -> Results | None:
    spec = case.spec
    assert isinstance(spec, SequenceSpec)
    if inputs["g"].size <= inputs["f"].size:
        return correct(case, inputs)
    turned = replace(case, spatial=spec.kernel_size, spec=replace(spec, kernel_size=case.spatial))
    return correct(turned, {"f": inputs["g"], "g": inputs["f"]})


def _wrapped(case: Case, inputs: Arrays) -> Results | None:
    spec = case.spec
    assert isinstance(spec, SequenceSpec)
    whole = correct(replace(case, spec=replace(spec, mode="full")), inputs)
    if whole is None:
        return None
    period = tuple(map(max, case.spatial, spec.kernel_size))
    wrapped = np.zeros_like(whole[0])
    places = np.ix_(*(np.arange(n) % p for n, p in zip(whole[0].shape, period, strict=True)))
    np.add.at(wrapped, places, whole[0])
    return (fast.cut(wrapped, case.spatial, spec.kernel_size, spec.mode),)


def _in_bits(y: np.ndarray, bits: int) -> np.ndarray | None:
    if y.dtype.kind != "i" or y.dtype.itemsize * 8 <= bits:
        return None
    return y.astype(f"int{bits}").astype(y.dtype)


def _slack(dtype: str) -> Callable[[Case, Arrays], Results | None]:
    """How far sums kept in a format may be from the exact ones; see `catalogue`."""
    chosen = find_format(dtype)

    def slack(case: Case, inputs: Arrays) -> Results | None:
        if find_format(case.dtype).precision <= chosen.precision:
            return None
        magnitude = correct(case, {name: np.abs(array) for name, array in inputs.items()})
        if magnitude is None:
            return None
        terms = 4 + min(inputs["f"].size, inputs["g"].size)
        return (precision_slack(magnitude[0], chosen, terms),)

    return slack
