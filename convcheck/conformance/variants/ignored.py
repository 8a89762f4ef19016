"""Explanations of a `cross_entropy` that does not ignore the samples that it must ignore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from convcheck.conformance.variants.loss_terms import Terms, of_cross_entropy
from convcheck.conformance.variants.variant import Arrays, Results, Variant, correct
from convcheck.core.case import Case
from convcheck.core.spec import IGNORED_BY_DEFAULT, LossSpec


def ignored_variants() -> Iterator[Variant]:
    """Yields the faults that show only where a target is ignored."""
    yield _of_terms(
        "counts ignored samples in the mean", lambda t: t.reduced(t.losses(), _full_norm(t))
    )
    yield of_cross_entropy(
        "divides the mean by the number of elements, not by the sum of their weights, and counts"
        " ignored ones",
        lambda t, _: (
            t.reduced(t.losses(), t.counts.size)
            if t.spec.has_indices and (t.spec.weighted or not t.counts.all())
            else None
        ),
    )
    yield _of_terms("adds the smoothing of ignored samples", lambda t: _all_count(t).value())
    yield _of_terms(
        "counts ignored samples in the mean, and adds their smoothing",
        lambda t: _all_count(t).reduced(_all_count(t).losses(), _full_norm(t)),
    )
    yield _on_targets("does not ignore any target", _as_classes)
    yield _on_targets(
        "ignores ignore_index, and takes -100 always",
        lambda target, spec: np.where(
            target == IGNORED_BY_DEFAULT, target, _as_classes(target, spec)
        ),
    )
    yield _on_targets(
        "honours ignore_index only where it is negative",
        lambda target, spec: _as_classes(target, spec) if spec.ignored_index >= 0 else None,
    )
    yield _on_targets(
        "takes an ignore_index of 0 for none",
        lambda target, spec: target if spec.ignored_index == 0 else None,
    )
    yield _on_targets(
        "takes ignored targets for class 0",
        lambda target, spec: np.where(target == spec.ignored_index, 0, target),
    )
    yield _of_terms(
        "leaves ignored samples out of the result",
        lambda t: (t.losses()[t.counts],) if t.spec.reduction == "none" else t.value(),
    )
    yield _of_terms(
        "returns 0 for the mean of nothing",
        lambda t: t.value() if t.counts.any() else t.reduced(t.losses(), 1.0),
    )


def _of_terms(says: str, value: Callable[[Terms], Results]) -> Variant:
    """A variant that says something only where a sample is ignored."""
    return of_cross_entropy(says, lambda t, _: None if t.counts.all() else value(t))


def _all_count(terms: Terms) -> Terms:
    return replace(terms, counts=np.ones_like(terms.counts))


def _full_norm(terms: Terms) -> float:
    """The divisor of a mean in which an ignored sample has the weight of class 0."""
    return terms.norm() + float(terms.weight[0]) * int((~terms.counts).sum())


def _on_targets(says: str, change: Callable[[np.ndarray, LossSpec], np.ndarray | None]) -> Variant:
    """A variant that takes ignored targets for others, of which it ignores only -100."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        spec = case.spec
        if case.op != "cross_entropy" or not isinstance(spec, LossSpec) or not spec.has_indices:
            return None
        target = inputs["target"]
        if not (target == spec.ignored_index).any():
            return None
        changed = change(target, spec)
        if changed is None:
            return None
        plain = replace(case, spec=replace(spec, ignore_index=None))
        return correct(plain, {**inputs, "target": changed})

    return Variant(says=says, results=results)


def _as_classes(target: np.ndarray, spec: LossSpec) -> np.ndarray:
    """Indices before the first class count from the end, and what has no class has the nearest."""
    return np.clip(np.where(target < 0, target + spec.classes, target), 0, spec.classes - 1)
