"""The arrays of the losses: logits or log-probabilities, and targets that are distributions."""

from __future__ import annotations

from math import ldexp, prod

import numpy as np

from convcheck.core.case import Case
from convcheck.core.spec import LossSpec
from convcheck.oracle.formats import round_to
from convcheck.oracle.random_bits import below

# Fractional bits of a logit: few enough for every format, so that nothing is rounded.
_FRACTION = 4
_PARTS = 64


def make_loss_inputs(case: Case) -> dict[str, np.ndarray]:
    """Returns `input`, `target` and, where there is one, `weight` of a loss, by argument name.

    Logits lie in [-4, 4] in sixteenths; the family "large" multiplies them by 256, where an
    exponential overflows unless the largest is taken out first. `kl_div` gets log-probabilities
    that are negative but need not be normalised. Targets that are probabilities are 64ths that sum
    to one, zeros among them; for `kl_div` the family "real" makes some of them tiny. Class indices
    are ignored ones only where the case says so, and where there is no other class. Weights are
    quarters from 1/4 to 2. The family "nonfinite" masks a class of the first sample, which is not
    its target, by a logit of -inf; for odd seeds a NaN is in the last one of several. It needs
    class indices without smoothing: a share of 0 times -inf is what conventions differ about.
    """
    spec = case.spec
    assert isinstance(spec, LossSpec)
    shape = tuple(max(0, size) for size in case.input_shape())
    if case.op == "kl_div":
        logits = -(below((case.seed, "input"), shape, 128) + 1)
    else:
        logits = below((case.seed, "input"), shape, 129) - 64
    scale = 8 if case.values == "large" else 0
    arrays = {"input": np.ldexp(logits.astype(np.float64), scale - _FRACTION)}
    if case.op == "cross_entropy" and spec.has_indices:
        arrays["target"] = _indices(case, spec, (shape[0], *shape[2:]))
        if case.values == "nonfinite" and not spec.label_smoothing:
            arrays["input"] = _masked(case, arrays["input"], arrays["target"])
    elif spec.log_target:
        arrays["target"] = -np.ldexp(
            below((case.seed, "target"), shape, 128).astype(np.float64) + 1, -_FRACTION
        )
    else:
        arrays["target"] = _distributions(case, shape)
    if spec.weighted:
        arrays["weight"] = np.ldexp(below((case.seed, "weight"), shape[1:2], 8) + 1.0, -2)
    return {
        name: array if array.dtype.kind == "i" else round_to(array, case.dtype)
        for name, array in arrays.items()
    }


def _masked(case: Case, logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Returns the logits with -inf for a class of the first sample, perhaps NaN in the last."""
    rows = np.moveaxis(logits.copy(), 1, -1)
    samples = list(np.ndindex(rows.shape[:-1]))
    if samples and rows.shape[-1] > 1:
        rows[samples[0]][(int(target[samples[0]]) + 1) % rows.shape[-1]] = -np.inf
    if len(samples) > 1 and case.seed % 2:
        rows[samples[-1]][0] = np.nan
    return np.moveaxis(rows, -1, 1)


def has_room_for_both(case: Case) -> bool:
    """Whether a target of indices can hold an ignored one and one that counts."""
    spec = case.spec
    assert isinstance(spec, LossSpec)
    only_class = spec.classes == 1 and spec.ignored_index == 0
    return case.batch * prod(case.spatial) > 1 and not only_class


def _indices(case: Case, spec: LossSpec, shape: tuple[int, ...]) -> np.ndarray:
    """Returns class indices, some, all or none of them ignored, the last one impossible."""
    classes = max(1, spec.classes)
    target = below((case.seed, "target"), shape, classes)
    target = np.where(target == spec.ignored_index, (target + 1) % classes, target)
    if spec.target == "all_ignored":
        target[...] = spec.ignored_index
    elif spec.target == "ignored":
        ignored = below((case.seed, "ignored"), shape, 3) == 0
        if ignored.size:
            one = int(below((case.seed, "one"), (), ignored.size))
            ignored.flat[one - 1] = False
            ignored.flat[one] = True
        target[ignored] = spec.ignored_index
    elif spec.impossible_index is not None:
        target.reshape(-1)[-1:] = spec.impossible_index
    return target


def _distributions(case: Case, shape: tuple[int, ...]) -> np.ndarray:
    """Returns 64ths that sum to one along axis 1: 64 balls thrown into the classes."""
    n, classes, *rest = shape
    counts = np.zeros((n, classes, *rest), dtype=np.int64)
    if classes:
        thrown = below((case.seed, "target"), (_PARTS, n, *rest), classes)
        for label in range(classes):
            counts[:, label] = (thrown == label).sum(axis=0)
    shares = counts * ldexp(1.0, -_PARTS.bit_length() + 1)
    if case.op == "kl_div" and case.values == "real":
        # A divergence adds up pointwise, whatever the sum: small shares must count too.
        precise = case.dtype in ("float32", "float64")
        shares = np.ldexp(shares, -below((case.seed, "tiny"), shape, 40 if precise else 6))
    return shares
