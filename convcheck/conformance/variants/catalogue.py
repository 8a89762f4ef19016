"""The catalogue of explanations of each operation, simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from convcheck.conformance.variants.changes import (
    dealt,
    in_memory_order,
    interleaved,
    precision_slack,
    rounded,
    rounding,
)
from convcheck.conformance.variants.channels import channel_variants
from convcheck.conformance.variants.gradients import gradient_variants, overwritten
from convcheck.conformance.variants.losses import loss_variants
from convcheck.conformance.variants.placement import (
    boundary_variants,
    same_variants,
    spacing_variants,
    tile_variants,
)
from convcheck.conformance.variants.pools import pool_variants
from convcheck.conformance.variants.sequences import sequence_variants
from convcheck.conformance.variants.variant import (
    Arrays,
    Results,
    Variant,
    correct,
    kernel_variants,
    on_inputs,
    on_result,
    on_spec,
    result_variants,
    window_variants,
)
from convcheck.core.case import Case
from convcheck.core.ops import Op, find_op
from convcheck.core.spec import ConvSpec
from convcheck.oracle.formats import find_format


@cache
def catalogue(op_name: str) -> tuple[Variant, ...]:
    """Returns the explanations that are tried for an operation, in order."""
    op = find_op(op_name)
    if op.family == "convolve":
        return tuple(sequence_variants())
    if op.family in ("cross_entropy", "kl_div"):
        return tuple(loss_variants())
    if op.family == "output_size":
        return (*_size_variants(), *window_variants(1))
    if op.family in ("max_pool", "avg_pool"):
        own = pool_variants(op.family, op.axes)
        placed = (*window_variants(op.axes), *_memory())
        return (*own, *placed, *result_variants(op.axes), *_precision())
    backward = op.family.endswith("backward")
    variants = (
        *kernel_variants(op.axes),
        *window_variants(op.axes),
        *_boundaries(op),
        *channel_variants(),
        Variant(says="deals the filters to the groups in turn", results=_dealt_filters),
        *_memory(),
        *result_variants(op.axes),
        *_precision(),
    )
    if backward:
        return (*variants, *gradient_variants(op.axes))
    if op.family == "conv_transpose":
        faults = [
            *spacing_variants(op.axes),
            Variant(says="overwrites where windows overlap instead of adding", results=overwritten),
        ]
    else:
        faults = [*spacing_variants(op.axes), *same_variants(), *tile_variants(op.axes)]
    return (*variants, *faults, *_not_finite())


def _dealt_filters(case: Case, inputs: Arrays) -> Results | None:
    if "grad_output" in inputs or not isinstance(case.spec, ConvSpec) or case.spec.transposed:
        return None
    changed = {name: dealt(inputs[name], case, 0) for name in ("w", "b") if name in inputs}
    found = correct(case, {**inputs, **changed})
    return None if found is None else (interleaved(found[0], case, 1),)


def _boundaries(op: Op) -> Iterator[Variant]:
    if not op.family.endswith("backward"):
        yield from () if op.family == "conv_transpose" else boundary_variants(op.axes)
        return
    for mode, says in (
        ("replicate", "repeats the edge where it must pad with zeros (replicate)"),
        ("reflect", "reflects at the edge where it must pad with zeros"),
        ("circular", "wraps around where it must pad with zeros (circular)"),
    ):
        yield on_spec(says, lambda spec, mode=mode: replace(spec, padding_mode=mode), (ConvSpec,))


def _memory() -> Iterator[Variant]:
    for says, names in (("input", "x"), ("weights", "w"), ("input and weights", "xw")):
        yield on_inputs(
            f"reads the memory of its {says} as if it were contiguous",
            **dict.fromkeys(names, in_memory_order),
        )


def _precision() -> Iterator[Variant]:
    for dtype in ("float32", "float16", "bfloat16"):
        yield Variant(
            says=f"computes in {dtype}, or keeps sums in it",
            results=correct,
            spoil=_as_it_is,
            slack=_slack(dtype),
        )
        rounds = rounding(dtype)
        yield on_inputs(f"rounds its input to {dtype}", x=rounds)
        yield on_inputs(f"rounds the weights to {dtype}", w=rounds)
        yield on_inputs(f"computes in {dtype}", x=rounds, w=rounds, b=rounds)
        yield on_result(
            f"rounds the result to {dtype}", lambda y, case, _, dtype=dtype: rounded(y, dtype)
        )
    yield on_inputs("truncates its input to integers", x=lambda x, _: _whole(x))
    yield on_inputs("truncates the weights to integers", w=lambda w, _: _whole(w))
    yield on_result("truncates the result to integers", lambda y, case, _: _whole(y))


def _not_finite() -> Iterator[Variant]:
    yield on_result("clips infinities to the largest finite number", _clipped)
    for says, zero_weights in (
        ("skips weights that are zero, and with them a NaN or infinity", lambda w: w == 0),
        ("skips taps whose weights are all zero, and with them a NaN or infinity",
         lambda w: np.broadcast_to((w == 0).all(axis=(0, 1), keepdims=True), w.shape)),
        ("skips filters whose weights are all zero, and with them a NaN or infinity",
         lambda w: np.broadcast_to(
             (w == 0).all(axis=tuple(range(1, w.ndim)), keepdims=True), w.shape)),
    ):  # fmt: skip
        yield Variant(says=says, results=_skipping(zero_weights))


def _clipped(y: np.ndarray, case: Case, _: Arrays) -> np.ndarray:
    largest = find_format(case.dtype).largest
    return np.clip(y, -largest, largest)


def _skipping(skipped: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Results | None]:
    """The result where some weights are not multiplied with anything."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        x, w = inputs["x"], inputs["w"]
        left_out = skipped(w)
        if np.isfinite(x).all() or not np.isfinite(w).all() or not left_out.any():
            return None
        used = ~left_out

        def meets(data: np.ndarray, weights: np.ndarray) -> np.ndarray:
            assert isinstance(case.spec, ConvSpec)
            bare = replace(case, dtype="float64", spec=replace(case.spec, bias=False))
            found = correct(bare, {"x": data.astype(float), "w": weights.astype(float)})
            return np.zeros(()) if found is None else found[0] > 0

        nan = meets(np.isnan(x), used) | meets(np.isinf(x), used & (w == 0))
        up = meets(x == np.inf, used & (w > 0)) | meets(x == -np.inf, used & (w < 0))
        down = meets(x == np.inf, used & (w < 0)) | meets(x == -np.inf, used & (w > 0))
        finite = correct(case, {**inputs, "x": np.where(np.isfinite(x), x, x.dtype.type(0))})
        if finite is None:
            return None
        y = np.where(up, np.inf, np.where(down, -np.inf, finite[0]))
        return (np.where(nan | (up & down), np.nan, y),)

    return results


def _as_it_is(right: Results, case: Case, inputs: Arrays) -> Results:
    return right


def _slack(dtype: str) -> Callable[[Case, Arrays], Results | None]:
    """How far a sum in a format may be from the exact one; nothing where the case has no more."""
    chosen = find_format(dtype)

    def slack(case: Case, inputs: Arrays) -> Results | None:
        if find_format(case.dtype).precision <= chosen.precision or "x" not in inputs:
            return None
        magnitude = correct(case, {name: np.abs(array) for name, array in inputs.items()})
        if magnitude is None:
            return None
        terms = 4 + (inputs["w"][0].size if "w" in inputs else 0)
        return tuple(precision_slack(m, chosen, terms) for m in magnitude)

    return slack


def _whole(array: np.ndarray) -> np.ndarray:
    return np.trunc(array) if array.dtype.kind == "f" else array


def _size_variants() -> Iterator[Variant]:
    formulas: tuple[tuple[str, Callable[[int, int, int, int, int], int]], ...] = (
        ("rounds up instead of down",
         lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1),
        ("leaves out the + 1", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s),
        ("counts the padding once", lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1),
        ("takes d * k as the effective kernel", lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1),
        ("does not subtract the 1", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1),
        ("divides before it adds", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s),
        ("takes d * (k + 1) - 1 as the effective kernel",
         lambda n, k, s, p, d: (n + 2 * p - d * (k + 1)) // s + 1),
        ("rounds the quotient to the nearest integer",
         lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1),
        ("divides in floating point",
         lambda n, k, s, p, d: int((n + 2 * p - d * (k - 1) - 1) / s) + 1),
        ("divides and adds in floating point",
         lambda n, k, s, p, d: int((n + 2 * p - d * (k - 1) - 1) / s + 1)),
        ("exchanges stride and padding",
         lambda n, k, s, p, d: (n + 2 * s - d * (k - 1) - 1) // p + 1),
        ("exchanges padding and dilation",
         lambda n, k, s, p, d: (n + 2 * d - p * (k - 1) - 1) // s + 1),
        ("exchanges kernel size and stride",
         lambda n, k, s, p, d: (n + 2 * p - d * (s - 1) - 1) // k + 1),
        ("takes k + d - 1 as the effective kernel",
         lambda n, k, s, p, d: (n + 2 * p - (k + d - 1)) // s + 1),
    )  # fmt: skip
    for says, formula in formulas:
        yield Variant(says=says, results=_sized(formula))


def _sized(formula: Callable[..., int]) -> Callable[[Case, Arrays], Results | None]:
    def results(case: Case, inputs: Arrays) -> Results | None:
        spec = case.spec
        assert isinstance(spec, ConvSpec)
        try:
            size = formula(
                case.spatial[0], spec.kernel_size[0], spec.stride[0],
                spec.padding_pairs()[0][0], spec.dilation[0],
            )  # fmt: skip
        except (ZeroDivisionError, OverflowError):
            return None
        return (np.array(size),)

    return results
