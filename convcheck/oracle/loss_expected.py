"""The expected value of `cross_entropy` and `kl_div`: an enclosure, and the error allowed.

Derivation of the bounds, to first order in the unit roundoff u, for logits x of C classes with
largest M, d = M - x, L = logsumexp(x), log p = x - L, and exp and log that are good to E u:

    exp(x - M)            relative error (E + d) u; weighted by exp(-d), sum of d exp(-d) <= C / e
    sum                   + (C - 1) u, all terms positive
    log of the sum        absolute error (2 C + E) u + E u log C
    x - M - log(sum)      + u d + u |log p|; as x - (M + log(sum)): + u (|M| + |L| + |x|)
    log(softmax(x))       p has relative error (2 C + 2 E + d) u, which log makes absolute

so that the error of log p is at most

    u (2 C + 2 E + 4 + 2 d + (E + 2) |log p| + E log C + 2 (|x| + |M| + |L|)).

Higher orders are covered by 1 / (1 - k u) with k = 2 C + 2 E + 4 + E log C; the terms in d, x and M
stand in an exponent or outside the logarithm, and have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, isnan, log, nan

import numpy as np
from flint import arb, ctx

from convcheck.core.case import Case
from convcheck.core.spec import LossSpec
from convcheck.oracle.bounds import rounded
from convcheck.oracle.formats import Format
from convcheck.oracle.losses import PRECISION, Ball, exactly, log_softmax, logsumexp

# Error of a library's exp and log, in units of u: 2 ulp, which every current one keeps.
ELEMENTARY = 4


def expected_loss(
    case: Case, inputs: Mapping[str, np.ndarray], *, kept: Format, result: Format
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the value of a loss and the error allowed, both float64, of the reduced shape.

    The mean of nothing is NaN, as in torch. A sample whose target is ignored adds nothing, neither
    to a sum nor to the divisor of a mean.
    """
    spec = case.spec
    assert isinstance(spec, LossSpec)
    u, target, weight = kept.unit_roundoff, inputs["target"], inputs.get("weight")
    if case.op == "kl_div":
        values, errors = _kl_terms(spec, inputs["input"], target, u)
    else:
        values, errors = _cross_entropies(spec, inputs["input"], target, weight, u)
    terms = 1
    if spec.reduction != "none":
        terms = values.size + 1
        divisor: float = {"sum": 1, "mean": values.size, "batchmean": case.batch}[spec.reduction]
        if spec.reduction == "mean" and case.op == "cross_entropy" and spec.has_indices:
            counted = target[target != spec.ignored_index]
            divisor = counted.size
            if weight is not None:
                # The mean is weighted, and the sum of the weights rounds as well.
                divisor, terms = float(weight.astype(np.float64)[counted].sum()), 2 * terms
        magnitude = np.abs(values).sum()
        if not isfinite(magnitude):
            return np.array(values.sum() / divisor if divisor else np.nan), np.array(0.0)
        error = errors.sum() + terms * kept.unit_roundoff * (magnitude + errors.sum())
        if not divisor:
            return np.array(np.nan), np.array(0.0)
        values, errors = np.array(values.sum() / divisor), np.array(error / divisor)
        if magnitude > result.largest:
            return values, np.array(np.inf)
    # Each term, and the float64 sum made of them here, may have been rounded as well.
    errors = errors + (terms + 1) * (2.0**-53 * np.abs(values) + kept.smallest)
    return values, rounded(errors, np.abs(values), accumulate=kept, result=result)


def _cross_entropies(
    spec: LossSpec, logits: np.ndarray, target: np.ndarray, weight: np.ndarray | None, u: float
) -> tuple[np.ndarray, np.ndarray]:
    n, classes, *rest = logits.shape
    values, errors = np.zeros((n, *rest)), np.zeros((n, *rest))
    smoothing = spec.label_smoothing / 100
    rows = np.moveaxis(logits, 1, -1)
    per_class = [1.0] * classes if weight is None else [float(value) for value in weight]
    for where in np.ndindex(n, *rest):
        if spec.has_indices and target[where] == spec.ignored_index:
            continue
        row = [float(value) for value in rows[where]]
        if not all(map(isfinite, row)) and spec.has_indices and not smoothing:
            values[where], errors[where] = _of_masked(row, int(target[where]), per_class, u)
            continue
        if spec.has_indices:
            weights = [0.0] * classes
            weights[int(target[where])] = 1.0
        else:
            weights = [float(value) for value in np.moveaxis(target, 1, -1)[where]]
        weights = [share * (1 - smoothing) + smoothing / classes for share in weights]
        weights = [share * each for share, each in zip(weights, per_class, strict=True)]
        total = sum(
            -exactly(share) * value
            for share, value in zip(weights, log_softmax(row), strict=True)
            if share
        )
        values[where], radius = _enclosed(total)
        errors[where] = radius + _row_error(row, weights, u)
    return values, errors


def _of_masked(
    row: list[float], label: int, per_class: list[float], u: float
) -> tuple[float, float]:
    """Returns the loss, and the error allowed, of a row with logits of -inf or NaN.

    A class whose logit is -inf adds exp(-inf) = 0 to the sum, without a rounding.
    """
    if any(isnan(x) for x in row) or max(row) == inf or max(row) == -inf:
        return nan, 0.0
    if row[label] == -inf:
        return inf, 0.0
    kept = [x for x in row if x != -inf]
    weights = [0.0] * len(kept)
    place = sum(x != -inf for x in row[:label])
    weights[place] = per_class[label]
    value, radius = _enclosed(-exactly(per_class[label]) * log_softmax(kept)[place])
    return value, radius + _row_error(kept, weights, u)


def _row_error(row: list[float], weights: list[float], u: float) -> float:
    """Returns the error allowed to the sum of -weight log p over a row of logits."""
    classes, largest = len(row), max(row)
    total, _ = _enclosed(logsumexp(row))
    fixed = 2 * classes + 2 * ELEMENTARY + 4 + ELEMENTARY * log(classes)
    error, magnitude = 0.0, 0.0
    for x, weight in zip(row, weights, strict=True):
        distance, log_p = largest - x, abs(x - total)
        size = 2 * (abs(x) + abs(largest) + abs(total))
        error += abs(weight) * (fixed + 2 * distance + (ELEMENTARY + 2) * log_p + size)
        magnitude += abs(weight) * log_p
    # Smoothing and a weight per class make a factor with seven roundings; the products and their
    # sum take C more.
    error += (classes + 7) * magnitude
    growth = 1 - u * fixed
    return u * error / growth if growth > 0 else float("inf")


def _kl_terms(
    spec: LossSpec, log_q: np.ndarray, target: np.ndarray, u: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns t (log t - x), or exp(t) (t - x) for a target in log space, per element."""
    values, errors = np.zeros(log_q.shape), np.zeros(log_q.shape)
    for where in np.ndindex(log_q.shape):
        x, t = float(log_q[where]), float(target[where])
        weight = _exp(t) if spec.log_target else exactly(t)
        if weight == 0:
            continue
        log_t = exactly(t) if spec.log_target else _log(t)
        values[where], radius = _enclosed(weight * (log_t - exactly(x)))
        size, _ = _enclosed(abs(weight * log_t) + abs(weight * exactly(x)))
        # exp or log, a difference, a product; or two products and their difference.
        errors[where] = radius + (ELEMENTARY + 3) * u * size / (1 - (ELEMENTARY + 3) * u)
    return values, errors


def _exp(value: float) -> Ball:
    with ctx.workprec(PRECISION):
        return arb(exactly(value)).exp()


def _log(value: float) -> Ball:
    with ctx.workprec(PRECISION):
        return arb(exactly(value)).log()


def _enclosed(ball: Ball) -> tuple[float, float]:
    """Returns the midpoint as a float, and a radius that covers the ball and that rounding."""
    ball = arb(ball)
    middle = float(ball.mid())
    if not isfinite(middle):
        return middle, 0.0
    return middle, float(ball.rad()) + abs(middle) * 2.0**-52
