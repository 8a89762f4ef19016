"""A cross-entropy taken apart, so that one part of it can be spoilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convcheck.conformance.variants.changes import log_softmax
from convcheck.conformance.variants.variant import Arrays, Results, Variant
from convcheck.core.case import Case
from convcheck.core.spec import LossSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A cross-entropy taken apart; classes come last.

    Attributes:
        spec: Its parameters.
        scores: The input, (..., C).
        log_p: Its log-softmax.
        target: The target as a distribution, before smoothing; zeros where it is ignored.
        counts: Whether a sample counts, (...): those whose target is ignored do not.
        weight: Weight per class, ones where there are none.
    """

    spec: LossSpec
    scores: np.ndarray
    log_p: np.ndarray
    target: np.ndarray
    counts: np.ndarray
    weight: np.ndarray

    @property
    def smoothing(self) -> float:
        """The smoothing, 0 to 1."""
        return self.spec.label_smoothing / 100

    def smoothed(self) -> np.ndarray:
        """Returns the target after smoothing."""
        smoothed = self.target * (1 - self.smoothing) + self.smoothing / self.spec.classes
        return smoothed * self.counts[..., None]

    def norm(self) -> float:
        """Returns the divisor of a mean."""
        if self.spec.has_indices:
            return float((self.target * self.weight).sum())
        return float(self.counts.size)

    def reduced(self, loss: np.ndarray, norm: float | None = None) -> Results:
        """Returns the result from the losses of all samples, of which those that count are used."""
        loss = np.where(self.counts, loss, 0.0)
        if self.spec.reduction == "none":
            return (loss,)
        total = np.asarray(loss.sum())
        if self.spec.reduction == "sum":
            return (total,)
        return (total / np.float64(self.norm() if norm is None else norm),)

    def losses(
        self, *, log_p: np.ndarray | None = None, share: np.ndarray | None = None
    ) -> np.ndarray:
        """Returns the loss of each sample with other log-probabilities, or other shares."""
        log_p = self.log_p if log_p is None else log_p
        share = (self.smoothed() if share is None else share) * self.weight
        # An infinite term counts only where it has a share.
        return np.asarray(-np.where(share == 0, 0.0, share * log_p).sum(axis=-1))

    def value(self, *, log_p: np.ndarray | None = None, share: np.ndarray | None = None) -> Results:
        """Returns the result with other log-probabilities, or other shares of the classes."""
        return self.reduced(self.losses(log_p=log_p, share=share))


def of_cross_entropy(says: str, value: Callable[[Terms, Case], Results | None]) -> Variant:
    """A variant of `cross_entropy` that puts its terms together in another way."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        terms = _terms(case, inputs)
        return None if terms is None else value(terms, case)

    return Variant(says=says, results=results)


def _terms(case: Case, inputs: Arrays) -> Terms | None:
    spec = case.spec
    if case.op != "cross_entropy" or not isinstance(spec, LossSpec) or not spec.classes:
        return None
    scores = np.moveaxis(inputs["input"].astype(np.float64), 1, -1)
    target = inputs["target"]
    if spec.has_indices:
        counts = target != spec.ignored_index
        shares = np.eye(spec.classes)[np.where(counts, target, 0)] * counts[..., None]
    else:
        shares = np.moveaxis(target.astype(np.float64), 1, -1)
        counts = np.ones(shares.shape[:-1], dtype=bool)
    return Terms(
        spec=spec,
        scores=scores,
        log_p=log_softmax(scores),
        target=shares,
        counts=counts,
        weight=inputs.get("weight", np.ones(spec.classes)).astype(np.float64),
    )
