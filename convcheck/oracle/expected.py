"""`expected`: the exact result of a case, or the reason why the call must be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from convcheck.core.case import Case
from convcheck.core.errors import GeometryError
from convcheck.core.ops import find_op
from convcheck.core.shapes import output_shape
from convcheck.core.spec import LossSpec, PoolSpec
from convcheck.oracle.bounds import direct_bound
from convcheck.oracle.exact import evaluate
from convcheck.oracle.formats import Format, find_format
from convcheck.oracle.forms import Form, forms_of
from convcheck.oracle.pooling import OUTSIDE, divisors, max_pool

Algorithm = Literal["direct", "winograd", "fft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedArray:
    """One array that a call must return.

    Attributes:
        name: "output", or "grad_x", "grad_w", "grad_b".
        dtype: Name of its dtype.
        shape: Its shape.
        values: float64 (the exact value, rounded correctly where float64 cannot hold it), or int64.
        bound: Largest difference allowed, per element, float64; infinite where nothing is asked.
        exact: Whether every element must be equal, bit for bit.
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
    result = find_format(case.dtype)
    kept = find_format(accumulate or case.dtype)
    if find_op(case.op).family == "output_size":
        return Expected(outputs=(_exactly("output", "int64", np.array(shape[0])),))
    if isinstance(case.spec, PoolSpec) and case.spec.kind == "max":
        values, _ = max_pool(_as_exact(inputs["x"]), case.spec)
        return Expected(outputs=(_exactly("output", case.dtype, values),))
    if isinstance(case.spec, LossSpec):
        return Expected(outputs=(_loss(case, inputs, kept, result),))
    forms = forms_of(case)
    return Expected(outputs=tuple(_summed(case, form, inputs, kept, result) for form in forms))


def expected_indices(case: Case, inputs: Mapping[str, np.ndarray]) -> ExpectedArray | Refusal:
    """Returns the flat indices that a max pooling must give where it is asked for them.

    A window that meets no input has no index; its element is not judged.
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


def _loss(
    case: Case, inputs: Mapping[str, np.ndarray], kept: Format, result: Format
) -> ExpectedArray:
    # Arb is loaded only where a logarithm is asked for.
    from convcheck.oracle.loss_expected import expected_loss

    values, bound = expected_loss(case, inputs, kept=kept, result=result)
    return ExpectedArray(
        name="output",
        dtype=case.dtype,
        shape=values.shape,
        values=values,
        bound=bound,
        exact=False,
    )


def _summed(
    case: Case, form: Form, inputs: Mapping[str, np.ndarray], kept: Format, result: Format
) -> ExpectedArray:
    right = np.ones((), inputs[form.left].dtype) if form.right is None else inputs[form.right]
    bias = inputs[form.bias] if form.bias else None
    total = evaluate(form.product, inputs[form.left], right, bias, terms=form.terms)
    exact = total.is_exact_in(result)
    values, magnitude, terms = total.values, total.magnitude, form.terms + (bias is not None)
    if isinstance(case.spec, PoolSpec):
        return _averaged(case, values, magnitude, terms, exact, kept, result)
    if exact:
        return _exactly(form.name, case.dtype, values)
    return ExpectedArray(
        name=form.name,
        dtype=case.dtype,
        shape=values.shape,
        values=values,
        bound=direct_bound(magnitude, terms, accumulate=kept, result=result),
        exact=False,
    )


def _averaged(
    case: Case,
    values: np.ndarray,
    magnitude: np.ndarray,
    terms: int,
    exact: bool,
    kept: Format,
    result: Format,
) -> ExpectedArray:
    assert isinstance(case.spec, PoolSpec)
    divisor = np.maximum(divisors(case.spec, case.spatial), 1)
    if not result.is_float:
        # Integer division in C truncates towards zero.
        quotient = np.sign(values) * (np.abs(values) // divisor)
        return _exactly("output", case.dtype, quotient)
    if exact and not (divisor & (divisor - 1)).any():
        return _exactly("output", case.dtype, values / divisor)
    # One may divide the sum, or sum the elements each times 1 / divisor: two roundings more.
    bound = direct_bound(magnitude / divisor, terms + 2, accumulate=kept, result=result)
    return ExpectedArray(
        name="output",
        dtype=case.dtype,
        shape=values.shape,
        values=values / divisor,
        bound=bound,
        exact=False,
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
