"""The catalogue of explanations of each operation, simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from convcheck.conformance.changes import dealt, interleaved, precision_slack, rounded, rounding
from convcheck.conformance.loss_variants import loss_variants
from convcheck.conformance.pool_variants import pool_variants
from convcheck.conformance.sequence_variants import sequence_variants
from convcheck.conformance.variants import (
    Arrays,
    Results,
    Variant,
    channel_variants,
    correct,
    kernel_variants,
    on_inputs,
    on_result,
    on_spec,
    result_variants,
    window_variants,
)
from convcheck.core.case import Case
from convcheck.core.ops import find_op
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
        return (*own, *window_variants(op.axes), *result_variants(op.axes), *_precision())
    variants = (
        *kernel_variants(op.axes),
        *window_variants(op.axes),
        *_boundaries(),
        *channel_variants(),
        Variant(says="deals the filters to the groups in turn", results=_dealt_filters),
        *result_variants(op.axes),
        *_precision(),
    )
    if op.family.endswith("backward"):
        variants += tuple(_gradient_variants(op.axes))
    return variants


def _dealt_filters(case: Case, inputs: Arrays) -> Results | None:
    if "grad_output" in inputs or not isinstance(case.spec, ConvSpec) or case.spec.transposed:
        return None
    changed = {name: dealt(inputs[name], case, 0) for name in ("w", "b") if name in inputs}
    found = correct(case, {**inputs, **changed})
    return None if found is None else (interleaved(found[0], case, 1),)


def _boundaries() -> Iterator[Variant]:
    for mode, says in (
        ("replicate", "repeats the edge where it must pad with zeros (replicate)"),
        ("reflect", "reflects at the edge where it must pad with zeros"),
        ("circular", "wraps around where it must pad with zeros (circular)"),
    ):
        yield on_spec(says, lambda spec, mode=mode: replace(spec, padding_mode=mode), (ConvSpec,))

    def padded_with(value: float) -> Callable[[Case, Arrays], Results | None]:
        def results(case: Case, inputs: Arrays) -> Results | None:
            spec = case.spec
            if not isinstance(spec, ConvSpec) or spec.transposed or "grad_output" in inputs:
                return None
            pairs = spec.padding_pairs()
            x = np.pad(inputs["x"], ((0, 0), (0, 0), *pairs), constant_values=value)
            bare = replace(spec, padding=((0, 0),) * spec.axes)
            return correct(replace(case, spec=bare, spatial=x.shape[2:]), {**inputs, "x": x})

        return results

    for value in (1.0, -1.0):
        yield Variant(says=f"pads with {value:g} instead of 0", results=padded_with(value))


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


def _gradient_variants(axes: int) -> Iterator[Variant]:
    along = tuple(range(-axes, 0))
    for place, name in enumerate(("grad_x", "grad_w", "grad_b")):
        yield on_result(f"returns zeros for {name}", lambda y, *_: np.zeros_like(y), place)
        yield on_result(f"negates {name}", lambda y, *_: -y, place)
        yield on_result(f"doubles {name}", lambda y, *_: 2 * y, place)
        yield on_result(
            f"divides {name} by the batch size", lambda y, case, _: y / max(1, case.batch), place
        )
        if place < 2:
            yield on_result(f"flips {name}", lambda y, *_: np.flip(y, along), place)
    yield on_result("returns grad_w of the first image only", _first_image(1), 1)
    yield on_result("returns grad_b of the first image only", _first_image(2), 2)
    yield on_result(
        "averages grad_b over positions instead of summing",
        lambda y, case, inputs: y / max(1, inputs["grad_output"][:, 0].size), 2,
    )  # fmt: skip
    yield on_result("exchanges the channel axes of grad_w", lambda y, *_: y.swapaxes(0, 1), 1)


def _first_image(place: int) -> Callable[[np.ndarray, Case, Arrays], np.ndarray | None]:
    def change(y: np.ndarray, case: Case, inputs: Arrays) -> np.ndarray | None:
        one = {name: a[:1] if name in ("x", "grad_output") else a for name, a in inputs.items()}
        found = correct(replace(case, batch=min(1, case.batch)), one)
        return None if found is None else found[place]

    return change


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
