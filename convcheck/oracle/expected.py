"""`expected`: the exact result of a case, or the reason why the call must be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np

from convcheck.core.case import Case
from convcheck.core.errors import GeometryError, UsageError
from convcheck.core.ops import find_op
from convcheck.core.shapes import output_shape
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec
from convcheck.oracle.bounds import direct_bound
from convcheck.oracle.exact import evaluate, sum_of_small_integers
from convcheck.oracle.formats import Format, find_format
from convcheck.oracle.forms import Form, forms_of
from convcheck.oracle.pooling import OUTSIDE, divisors, max_pool
from convcheck.oracle.transform_bounds import fft_bound, winograd_bound

Algorithm = Literal["direct", "winograd", "fft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """How an implementation computes: the format it sums in, that of its result, its algorithm."""

    accumulate: Format
    result: Format
    algorithm: Algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedArray:
    """One array that a call must return.

    Attributes:
        name: "output", or "grad_x", "grad_w", "grad_b".
        dtype: Name of its dtype.
        shape: Its shape.
        values: float64 (the exact value, rounded correctly where float64 cannot hold it), or int64.
        bound: Largest difference allowed, per element, float64; infinite where nothing is asked.
        exact: Whether every element that is judged must be equal, bit for bit.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    values: np.ndarray
    bound: np.ndarray
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a call must return, in order."""

    outputs: tuple[ExpectedArray, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The call is impossible and must raise, for this reason."""

    reason: GeometryError


def expected(
    case: Case,
    inputs: Mapping[str, np.ndarray],
    *,
    accumulate: str | None = None,
    algorithm: Algorithm = "direct",
) -> Expected | Refusal:
    """Returns what `case` must give on `inputs`.

    Args:
        case: The call.
        inputs: Its arrays, by argument name; see `oracle.inputs.make_inputs`.
        accumulate: Dtype in which the implementation claims to sum; that of the case by default.
        algorithm: "direct" sums the products as they are; "winograd" and "fft" transform first
            and round, so that they are held to a bound by norms, never to bits.
    """
    try:
        shape = output_shape(case)
    except GeometryError as error:
        return Refusal(reason=error)
    if not find_format(case.dtype).is_float or _is_one_product(case):
        # Who transforms integers can round them; and the transform of a number is the number.
        algorithm = "direct"
    arithmetic = Arithmetic(
        accumulate=find_format(accumulate or case.dtype),
        result=find_format(case.dtype),
        algorithm=algorithm,
    )
    if find_op(case.op).family == "output_size":
        return Expected(outputs=(_exactly("output", "int64", np.array(shape[0])),))
    if isinstance(case.spec, PoolSpec) and case.spec.kind == "max":
        values, _ = max_pool(_as_exact(inputs["x"]), case.spec)
        return Expected(outputs=(_exactly("output", case.dtype, values),))
    if isinstance(case.spec, LossSpec):
        return Expected(outputs=(_loss(case, inputs, arithmetic),))
    forms = forms_of(case)
    return Expected(outputs=tuple(_summed(case, form, inputs, arithmetic) for form in forms))


def _is_one_product(case: Case) -> bool:
    """Whether there is one position, padding counted, and one tap."""
    spec = case.spec
    if not isinstance(spec, ConvSpec) or prod((*spec.kernel_size, *case.spatial)) != 1:
        return False
    return not any(map(sum, spec.padding_pairs()))


def expected_indices(case: Case, inputs: Mapping[str, np.ndarray]) -> ExpectedArray | Refusal:
    """Returns the flat indices that a max pooling must give where it is asked for them.

    The convention is torch's: an index counts through the plane of its own image and channel,
    without padding, row by row; of equal maxima the first in that order wins, and of several NaN,
    which beat everything, the last. A window that meets no input has no index; its element is not
    judged.
    """
    try:
        output_shape(case)
    except GeometryError as error:
        return Refusal(reason=error)
    assert isinstance(case.spec, PoolSpec)
    _, index = max_pool(_as_exact(inputs["x"]), case.spec)
    bound = np.where(index == OUTSIDE, np.inf, 0.0)
    return ExpectedArray(
        name="indices", dtype="int64", shape=index.shape, values=index, bound=bound, exact=True
    )


def rounding_of_transform(
    case: Case, inputs: Mapping[str, np.ndarray], algorithm: Algorithm, accumulate: str | None
) -> float:
    """Returns how far a transform may round any element of a possible case; 0 for "direct"."""
    chosen = find_format(accumulate or case.dtype)
    arithmetic = Arithmetic(accumulate=chosen, result=find_format(case.dtype), algorithm=algorithm)
    one = np.ones((), find_format(case.dtype).carrier)
    bounds = (
        _transform_bound(
            case, left, one if right is None else right, form.terms, arithmetic
        )
        for form in forms_of(case)
        for left, right in [form.operands(inputs)]
    )  # fmt: skip
    return max(bounds, default=0.0)


def _loss(case: Case, inputs: Mapping[str, np.ndarray], arithmetic: Arithmetic) -> ExpectedArray:
    # Arb is loaded only where a logarithm is asked for.
    from convcheck.oracle.loss_expected import expected_loss

    if not arithmetic.result.is_float:
        raise UsageError(
            f"{case.op} of {case.dtype}", why="a loss is a logarithm", fix="use a float dtype"
        )
    kept, result = arithmetic.accumulate, arithmetic.result
    return _within(case, "output", *expected_loss(case, inputs, kept=kept, result=result))


def _summed(
    case: Case, form: Form, inputs: Mapping[str, np.ndarray], arithmetic: Arithmetic
) -> ExpectedArray:
    left, second = form.operands(inputs)
    right = np.ones((), left.dtype) if second is None else second
    bias = inputs[form.bias] if form.bias else None
    total = None
    if arithmetic.algorithm == "direct" and not isinstance(case.spec, PoolSpec):
        budget = min(arithmetic.result.budget, arithmetic.accumulate.budget)
        total = sum_of_small_integers(
            form.product, left, right, bias, terms=form.terms, budget=budget
        )
    total = total or evaluate(form.product, left, right, bias, terms=form.terms)
    exact = (
        arithmetic.algorithm == "direct"
        and total.is_exact_in(arithmetic.result)
        and total.is_exact_in(arithmetic.accumulate)
    )
    values, magnitude, terms = total.values, total.magnitude, form.terms + (bias is not None)
    if isinstance(case.spec, PoolSpec):
        divisor = np.maximum(divisors(case.spec, case.spatial), 1)
        if not arithmetic.result.is_float:
            # Integer division in C truncates towards zero.
            return _exactly("output", case.dtype, np.sign(values) * (np.abs(values) // divisor))
        # One may divide the sum, or sum the elements each times 1 / divisor: two roundings more.
        values, magnitude, terms = values / divisor, magnitude / divisor, terms + 2
        exact = exact and not (divisor & (divisor - 1)).any()
    if exact:
        bound = np.zeros(values.shape)
    else:
        bound = direct_bound(
            values, magnitude, terms, accumulate=arithmetic.accumulate, result=arithmetic.result
        )
        bound = np.maximum(bound, _transform_bound(case, left, right, form.terms, arithmetic))
        # A transform may spread a NaN, and may not lose one.
        bound = np.where(np.isfinite(values), bound, 0.0)
    bound = np.where(total.unclear, np.inf, bound)
    if arithmetic.result.is_float and arithmetic.algorithm == "direct":
        # Terms of one sign, of twice what is finite in all: infinite, whatever the order.
        over = (np.abs(values) == magnitude) & (magnitude >= 2 * arithmetic.result.largest)
        if over.any():
            values = np.where(over, np.copysign(np.inf, values), values)
            bound = np.where(over, 0.0, bound)
    return _within(case, form.name, values, bound, exact=exact)


def _transform_bound(
    case: Case, left: np.ndarray, right: np.ndarray, terms: int, arithmetic: Arithmetic
) -> float:
    """Returns the bound by norms of the algorithm that was declared; 0 for a direct sum."""
    spec, unit = case.spec, arithmetic.accumulate.unit_roundoff
    if arithmetic.algorithm == "direct" or not isinstance(spec, ConvSpec | SequenceSpec):
        return 0.0
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return np.inf  # A transform spreads a NaN over the whole of its tile.
    if arithmetic.algorithm == "winograd":
        channels = -(-terms // prod(spec.kernel_size))
        kernel = spec.kernel_size
        return winograd_bound(left, right, kernel_size=kernel, channels=channels, unit=unit)
    if isinstance(spec, SequenceSpec):
        lengths = tuple(map(sum, zip(case.spatial, spec.kernel_size, strict=True)))
    else:
        # Long enough for the layer, its gradients and its transpose.
        lengths = tuple(
            size * s + sum(pair) + d * k
            for size, s, pair, d, k in zip(
                case.spatial, spec.stride, spec.padding_pairs(), spec.dilation, spec.kernel_size,
                strict=True,
            )
        )  # fmt: skip
    return fft_bound(left, right, lengths=lengths, unit=unit)


def _within(
    case: Case, name: str, values: np.ndarray, bound: np.ndarray, *, exact: bool = False
) -> ExpectedArray:
    return ExpectedArray(
        name=name, dtype=case.dtype, shape=values.shape, values=values, bound=bound, exact=exact
    )


def _exactly(name: str, dtype: str, values: np.ndarray) -> ExpectedArray:
    return ExpectedArray(
        name=name,
        dtype=dtype,
        shape=values.shape,
        values=values,
        bound=np.zeros(values.shape),
        exact=True,
    )


def _as_exact(array: np.ndarray) -> np.ndarray:
    return array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)
