"""Losses in NumPy, right but for what `fault` names, in each signature that there is."""

import numpy as np


def loss(x, target, weight, ignored, reduction, smoothing, fault=""):
    classes = x.shape[1]
    if reduction not in ("mean", "sum", "none") or not 0 <= smoothing <= 1:
        raise ValueError("reduction or label_smoothing")
    z = np.moveaxis(x.astype(np.float64), 1, -1)
    z = z - z.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    per_class = np.ones(classes) if weight is None else weight.astype(np.float64)
    if target.dtype.kind == "f":
        shares = np.moveaxis(target.astype(np.float64), 1, -1)
        counts = np.ones(shares.shape[:-1], bool)
        norm = counts.sum()
    else:
        if fault == "only negative" and ignored >= 0 or fault == "-100 always":
            ignored = -100
        if fault == "0 is none" and not ignored:
            ignored = -100
        counts = np.ones(target.shape, bool) if fault == "nothing" else target != ignored
        index = target if fault == "nothing" else np.where(counts, target, 0)
        least = -classes if fault in ("nothing", "wraps") else 0
        if ((index < least) | (index >= classes)).any():
            raise IndexError("target is out of bounds")
        if fault == "changes":
            target[~counts] = 0
        if fault == "class 0":
            counts[...] = True
        shares = np.eye(classes)[index] * counts[..., None]
        norm = (per_class[index] if fault == "mean" else per_class[index] * counts).sum()
        if fault == "elements":
            norm = counts.size
        if fault == "0 of nothing":
            norm = norm or 1
    shares = (shares * (1 - smoothing) + smoothing / classes) * per_class
    # 0 log 0 = 0, where a class is masked by a score of -inf.
    losses = -np.where(shares == 0, 0, shares * log_p).sum(axis=-1)
    if fault != "smoothing":
        losses = np.where(counts, losses, 0)
    if reduction == "none":
        return losses.astype(x.dtype)
    total = losses.sum() if reduction == "sum" else losses.sum() / np.float64(norm)
    return np.asarray(total, x.dtype)


def of_torch_order(fault=""):
    def function(
        input, target, weight=None, size_average=None, ignore_index=-100, reduce=None,
        reduction="mean", label_smoothing=0.0,
    ):  # fmt: skip
        return loss(input, target, weight, ignore_index, reduction, label_smoothing, fault)

    return function


right, counted, unsmoothed = (of_torch_order(fault) for fault in ("", "mean", "smoothing"))


def without_parameter(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    return loss(input, target, weight, -100, reduction, label_smoothing)


def counted_without_parameter(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    return loss(input, target, weight, -100, reduction, label_smoothing, "mean")


def ignoring_nothing(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    if target.dtype.kind == "i" and (target < 0).any():
        raise IndexError("target is out of bounds")
    return loss(input, target, weight, -100, reduction, label_smoothing)


def wrapping(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    return loss(input, target, weight, -100, reduction, label_smoothing, "wraps")


def refusing_what_it_takes(
    input, target, weight=None, reduction="mean", label_smoothing=0.0, ignore_index=-100
):
    if target.dtype.kind == "i" and ignore_index != -100 and (target == ignore_index).any():
        raise IndexError("target is out of bounds")
    return loss(input, target, weight, ignore_index, reduction, label_smoothing)


def by_place(scores, labels, weights=None, how="mean", share=0.0, ignore_index=-100):
    return loss(scores, labels, weights, ignore_index, how, share)


def by_place_only(scores, labels, weights=None, how="mean", share=0.0):
    return loss(scores, labels, weights, -100, how, share)


def by_place_and_wrong(scores, labels, weights=None, how="mean", share=0.0, ignore_index=-100):
    return loss(scores, labels, weights, ignore_index, how, share, "-100 always")
