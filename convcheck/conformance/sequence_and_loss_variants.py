"""Explanations of `convolve` and of the losses, which have no layer's parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from convcheck.conformance.changes import rounded, rounding
from convcheck.conformance.variants import (
    Arrays,
    Results,
    Variant,
    correct,
    on_inputs,
    on_result,
    on_spec,
)
from convcheck.core.case import Case
from convcheck.core.spec import LossSpec, SequenceSpec


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
        ('centres mode "same" on the larger sequence (as numpy.convolve)',
         lambda m, n: ((min(m, n) - 1) // 2, max(m, n))),
        ('starts mode "same" at the front', lambda m, n: (0, m)),
        ('ends mode "same" at the end', lambda m, n: (n - 1, m)),
    ):  # fmt: skip
        yield Variant(says=says, results=_cut_by("same", part))
    for mode in ("full", "same", "valid"):
        yield on_spec(
            f'always answers in mode "{mode}"',
            lambda spec, mode=mode: replace(spec, mode=mode),
            (SequenceSpec,),
        )
    yield Variant(says='leaves mode "valid" empty where g is longer', results=_empty_valid)
    yield Variant(says="convolves circularly", results=_circular)
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
        yield on_result(
            f"rounds the result to {dtype}", lambda y, case, _, dtype=dtype: rounded(y, dtype)
        )


def _cut_by(
    mode: str, part: Callable[[int, int], tuple[int, int]]
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
        for m, n in zip(case.spatial, spec.kernel_size, strict=True):
            start, length = part(m, n)
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


def loss_variants() -> Iterator[Variant]:
    """Yields the faults of `cross_entropy` and `kl_div`."""
    for reduction in ("mean", "sum", "none", "batchmean"):
        yield on_spec(
            f'always reduces by "{reduction}"',
            lambda spec, r=reduction: replace(spec, reduction=r),
            (LossSpec,),
        )
    yield on_spec("ignores label_smoothing",
                  lambda spec: replace(spec, label_smoothing=0), (LossSpec,))  # fmt: skip
    yield on_spec("ignores log_target", lambda spec: replace(spec, log_target=False), (LossSpec,))
    yield on_spec("always takes the target as logarithms",
                  lambda spec: replace(spec, log_target=True), (LossSpec,))  # fmt: skip
    yield on_result("negates the result", lambda y, *_: -y)
    yield on_result("takes logarithms to base 2", lambda y, *_: y / np.log(2.0))
    yield on_result("takes logarithms to base 10", lambda y, *_: y / np.log(10.0))
    yield on_result("doubles the result", lambda y, *_: 2 * y)
    yield on_result("halves the result", lambda y, *_: y / 2)
    yield on_result("returns zeros", lambda y, *_: np.zeros_like(y))
    yield on_result("divides by the number of classes once more",
                    lambda y, case, _: y / max(1, case.channels))  # fmt: skip
    yield on_result("divides by the batch size once more",
                    lambda y, case, _: y / max(1, case.batch))  # fmt: skip
    yield on_result("multiplies by the number of classes",
                    lambda y, case, _: y * case.channels)  # fmt: skip
    yield on_result("divides by the batch size instead of the number of elements",
                    lambda y, case, _: y * np.prod((case.channels, *case.spatial)))  # fmt: skip
    yield on_result("divides by the batch size instead of the number of positions",
                    lambda y, case, _: y * np.prod(case.spatial))  # fmt: skip
    yield on_inputs("ignores the sign of the scores", input=lambda a, _: np.abs(a))
    yield Variant(says="exchanges input and target", results=_exchanged)


def _exchanged(case: Case, inputs: Arrays) -> Results | None:
    if case.op != "kl_div":
        return None
    return correct(case, {"input": inputs["target"], "target": inputs["input"]})
