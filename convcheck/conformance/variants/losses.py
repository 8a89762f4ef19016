"""Explanations of the losses: what `cross_entropy` and `kl_div` return with one known fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from convcheck.conformance.variants.changes import log_softmax
from convcheck.conformance.variants.divergences import TINY, divergence_variants
from convcheck.conformance.variants.ignored import ignored_variants
from convcheck.conformance.variants.loss_terms import Terms, of_cross_entropy
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
from convcheck.core.spec import LossSpec
from convcheck.oracle.expected import Expected, expected
from convcheck.oracle.formats import find_format


def loss_variants() -> Iterator[Variant]:
    """Yields the faults of `cross_entropy` and `kl_div`."""
    yield from _weight_variants()
    for reduction in ("mean", "sum", "none", "batchmean"):
        yield on_spec(
            f'always reduces by "{reduction}"',
            lambda spec, r=reduction: replace(spec, reduction=r),
            (LossSpec,),
        )
    yield from _smoothing_variants()
    yield from ignored_variants()
    yield on_spec("ignores log_target", lambda spec: replace(spec, log_target=False), (LossSpec,))
    yield on_spec(
        "always takes the target as logarithms",
        lambda spec: replace(spec, log_target=True),
        (LossSpec,),
    )
    yield on_result("negates the result", lambda y, *_: -y)
    yield on_result("takes logarithms to base 2", lambda y, *_: y / np.log(2.0))
    yield on_result("takes logarithms to base 10", lambda y, *_: y / np.log(10.0))
    yield on_result("doubles the result", lambda y, *_: 2 * y)
    yield on_result("halves the result", lambda y, *_: y / 2)
    yield on_result("returns zeros", lambda y, *_: np.zeros_like(y))
    for says, factor in (
        ("divides by the number of classes once more", lambda case: 1 / max(1, case.channels)),
        ("divides by the batch size once more", lambda case: 1 / max(1, case.batch)),
        (
            "divides by the number of classes instead of the batch size",
            lambda case: case.batch / max(1, case.channels),
        ),
        (
            "divides by one less than the batch size",
            lambda case: case.batch / max(1, case.batch - 1),
        ),
        ("multiplies by the number of classes", lambda case: case.channels),
        (
            "divides by the batch size instead of the number of elements",
            lambda case: np.prod((case.channels, *case.spatial)),
        ),
        (
            "divides by the batch size instead of the number of positions",
            lambda case: np.prod(case.spatial),
        ),
        (
            "divides by the last extent instead of the batch size",
            lambda case: case.batch / max(1, (case.channels, *case.spatial)[-1]),
        ),
    ):
        yield on_result(says, lambda y, case, _, factor=factor: y * factor(case))
    yield on_inputs("ignores the sign of the scores", input=lambda a, _: np.abs(a))
    yield on_result("returns a flat vector", lambda y, *_: y.ravel() if y.ndim > 1 else None)
    yield from _softmax_variants()
    yield from divergence_variants()
    for dtype in ("float32", "float16", "bfloat16"):
        yield Variant(
            says=f"computes in {dtype}, or keeps sums in it",
            results=correct,
            spoil=lambda right, *_: right,
            slack=_slack(dtype),
        )


def _slack(dtype: str) -> Callable[[Case, Arrays], Results | None]:
    def slack(case: Case, inputs: Arrays) -> Results | None:
        if find_format(case.dtype).precision <= find_format(dtype).precision:
            return None
        found = expected(case, inputs, accumulate=dtype)
        return (
            tuple(array.bound for array in found.outputs) if isinstance(found, Expected) else None
        )

    return slack


def _weight_variants() -> Iterator[Variant]:
    yield on_inputs("ignores the class weights", weight=lambda w, _: np.ones_like(w))

    def by(norm: Callable[[Terms], float]) -> Callable[[Terms, Case], Results | None]:
        def value(terms: Terms, case: Case) -> Results | None:
            if not terms.spec.weighted:
                return None
            return terms.reduced(
                -(terms.smoothed() * terms.weight * terms.log_p).sum(-1), norm(terms)
            )

        return value

    yield of_cross_entropy(
        "divides the weighted mean by the number of elements, not by the sum of their weights",
        by(lambda t: int(t.counts.sum())),
    )
    yield of_cross_entropy(
        "divides the weighted mean by the sum of all class weights",
        by(lambda t: float(t.weight.sum())),
    )
    yield of_cross_entropy(
        "divides the mean over probabilities by the sum of their weights",
        by(lambda t: float((t.smoothed() * t.weight).sum())),
    )
    yield on_inputs("normalises the class weights to sum 1", weight=lambda w, _: w / w.sum())
    yield of_cross_entropy(
        "applies the class weights twice",
        lambda t, _: t.value(
            share=(t.target * t.weight * (1 - t.smoothing) + t.smoothing / t.spec.classes)
        ),
    )
    yield of_cross_entropy(
        "applies the class weights twice, to the smoothing too",
        lambda t, _: t.value(share=t.smoothed() * t.weight),
    )
    yield of_cross_entropy(
        "does not weigh the smoothing term",
        lambda t, _: t.reduced(
            -(
                (t.target * t.weight * (1 - t.smoothing) + t.smoothing / t.spec.classes) * t.log_p
            ).sum(-1)
        ),
    )
    yield of_cross_entropy(
        "averages the smoothing term over the elements, not by their weights", _smoothing_by_count
    )


def _smoothing_by_count(terms: Terms, case: Case) -> Results | None:
    if terms.spec.reduction != "mean" or not terms.spec.weighted:
        return None
    spread = terms.counts[..., None] * terms.smoothing / terms.spec.classes
    parts = [terms.target * (1 - terms.smoothing), spread]
    sums = [-(part * terms.weight * terms.log_p).sum() for part in parts]
    return (np.asarray(sums[0] / terms.norm() + sums[1] / terms.counts.sum()),)


def _smoothing_variants() -> Iterator[Variant]:
    yield on_spec(
        "ignores label_smoothing", lambda spec: replace(spec, label_smoothing=0), (LossSpec,)
    )
    yield of_cross_entropy(
        "shares the smoothing among the other classes, C - 1 of them",
        lambda t, _: t.value(
            share=t.target * (1 - t.smoothing)
            + (1 - t.target) * t.smoothing / max(1, t.spec.classes - 1)
        ),
    )
    yield of_cross_entropy(
        "divides the smoothing by one less than the number of classes",
        lambda t, _: t.value(
            share=t.target * (1 - t.smoothing) + t.smoothing / max(1, t.spec.classes - 1)
        ),
    )
    yield of_cross_entropy(
        "gives the target class no share of the smoothing",
        lambda t, _: t.value(
            share=t.target * (1 - t.smoothing) + (1 - t.target) * t.smoothing / t.spec.classes
        ),
    )
    yield of_cross_entropy(
        "adds the smoothing without taking it from the target class",
        lambda t, _: t.value(share=t.target + t.smoothing / t.spec.classes),
    )
    yield of_cross_entropy(
        "adds the smoothing once per class, not divided by C",
        lambda t, _: t.value(share=t.target * (1 - t.smoothing) + t.smoothing),
    )


def _with_log_p(says: str, log_p: Callable[..., np.ndarray]) -> Variant:
    return of_cross_entropy(says, lambda terms, case: terms.value(log_p=log_p(terms, case)))


def _softmax_variants() -> Iterator[Variant]:
    for says, log_p in (
        ("does not take out the largest score, so that exp overflows", _unshifted),
        (
            "takes the logarithm of a softmax that underflows",
            lambda t, case: np.log(_softmax(t.scores, case)),
        ),
        (
            "takes out the largest score of the whole batch, so that others underflow",
            _shifted_by_all,
        ),
    ):
        yield _with_log_p(says, log_p)
    for tiny in TINY:
        yield _with_log_p(
            f"adds {tiny:g} to the probability",
            lambda t, _, tiny=tiny: np.log(np.exp(t.log_p) + tiny),
        )
        yield _with_log_p(
            f"bounds the probability below at {tiny:g}",
            lambda t, _, tiny=tiny: np.log(np.maximum(np.exp(t.log_p), tiny)),
        )
    for least in (-20.0, -50.0, -100.0):
        yield _with_log_p(
            f"bounds the log-probability below at {least:g}",
            lambda t, _, least=least: np.maximum(t.log_p, least),
        )
    for most in (10.0, 20.0, 50.0, 100.0):
        yield on_inputs(
            f"clips the scores to {most:g}", input=lambda a, _, m=most: np.clip(a, -m, m)
        )
    yield of_cross_entropy(
        "takes the softmax twice", lambda t, _: t.value(log_p=log_softmax(np.exp(t.log_p)))
    )
    yield of_cross_entropy("takes the softmax over the last axis", _over_last_axis)
    yield of_cross_entropy("takes no softmax", lambda t, _: t.value(log_p=t.scores))
    yield Variant(
        says="reshapes the classes to the end instead of moving the axis", results=_reshaped
    )
    yield of_cross_entropy(
        "takes the most probable class of the target as its index",
        lambda t, _: (
            None
            if t.spec.has_indices
            else replace(t, target=np.eye(t.spec.classes)[t.target.argmax(-1)]).value()
        ),
    )


def _carrier(case: Case) -> np.dtype:
    return np.dtype(np.float64 if case.dtype == "float64" else np.float32)


def _unshifted(terms: Terms, case: Case) -> np.ndarray:
    scores = terms.scores.astype(_carrier(case))
    total = np.exp(scores).sum(axis=-1, keepdims=True)
    # Where nothing overflows or vanishes, the rounding is left to the bound.
    return np.where(np.isfinite(total) & (total > 0), terms.log_p, scores - np.log(total))


def _softmax(scores: np.ndarray, case: Case) -> np.ndarray:
    powers = np.exp(
        (scores - scores.max(axis=-1, keepdims=True, initial=-np.inf)).astype(_carrier(case))
    )
    return np.asarray((powers / powers.sum(axis=-1, keepdims=True)).astype(np.float64))


def _shifted_by_all(terms: Terms, case: Case) -> np.ndarray:
    scores = (terms.scores - terms.scores.max(initial=-np.inf)).astype(_carrier(case))
    total = np.exp(scores).sum(axis=-1, keepdims=True)
    return np.where(total > 0, terms.log_p, scores - np.log(total))


def _over_last_axis(terms: Terms, case: Case) -> Results | None:
    if not case.spatial:
        return None
    scores = np.moveaxis(terms.scores, -1, 1)
    return terms.value(log_p=np.moveaxis(log_softmax(scores), 1, -1))


def _reshaped(case: Case, inputs: Arrays) -> Results | None:
    if not case.spatial:
        return None
    scores = inputs["input"].reshape(case.batch, *case.spatial, case.channels)
    return correct(case, {**inputs, "input": np.moveaxis(scores, -1, 1)})
