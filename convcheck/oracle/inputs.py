"""`make_inputs`: the arrays of a case, the same bytes on every machine.

Small integers are chosen so that every partial sum, in any order, is exact in the dtype of the
case: then any correct implementation returns the same bits. How many bits there are to spend is
the dtype's business (float16 counts to 2048, bfloat16 to 256, int8 to 127), so that magnitudes
first and then the density of non-zeros are lowered until the sum of the magnitudes fits, which is
checked on the very arrays. Inputs must also discriminate: the weights of a filter are distinct
while there are distinct values left, and no weight is zero.
"""

from __future__ import annotations

from contextlib import suppress
from math import prod

import numpy as np

from convcheck.core.case import Case
from convcheck.core.errors import GeometryError
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec
from convcheck.oracle.formats import Format, find_format
from convcheck.oracle.forms import Form, argument_shapes, forms_of
from convcheck.oracle.loss_inputs import make_loss_inputs
from convcheck.oracle.random_bits import below, chance, words
from convcheck.oracle.special_inputs import with_specials
from convcheck.oracle.taps import read_counts
from convcheck.oracle.uniform_inputs import fraction_bits, large_ones, uniform

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]

BIAS_LIMIT = 7
# (largest weight, largest datum, non-zeros in 2**power): lowered until every sum is exact.
_LADDER = (
    *((0, 9, 0), (0, 4, 0), (0, 2, 0), (5, 3, 0), (3, 2, 0), (3, 2, 1), (3, 2, 2), (2, 2, 3)),
    *((2, 1, power) for power in range(3, 24)),
)
# Exponent of the power of two by which the data of the family "large" are scaled: sums stay finite.
_LARGE_SCALE = {"float64": 100, "float32": 30, "bfloat16": 30, "float16": 4}
_SHORT = ("float16", "bfloat16")


def make_inputs(case: Case) -> Arrays:
    """Returns the arrays of `case` by argument name, C-contiguous, in the dtype's carrier.

    The families: "integers", small and of both signs; "one_hot", a single 1 in the first
    argument and counting weights, so that the result is a picture of the kernel; "negative", no
    datum above zero; "large", integers that use every bit of the significand, times a power of two
    that makes them large for odd seeds and small for even ones; "huge", positive
    data whose every product overflows; "tiny", integers times the smallest number of the dtype, so
    that most sums are subnormal; "real", fractions that
    use every bit, whose sums round; "nonfinite", integers with a NaN and both infinities among
    them; "negative_zero", integers with zeros of both signs among them; "all_zeros", a first
    argument of zeros; "zero_ends", zeros at the ends of a kernel, and of both sequences;
    "all_ones", arguments of ones, but for a bias; "near_ones", weights of ones but for the last of
    each filter, which is larger by half of the significand's bits; "large_ones", weights of ones
    and data that use every bit; "balanced", integers of which the second half is the first with the
    other sign, so that each argument but a bias sums to zero. A dtype without signs, NaN or -0.0
    has plain integers instead.
    """
    if isinstance(case.spec, LossSpec):
        return make_loss_inputs(case)
    chosen = find_format(case.dtype)
    shapes = argument_shapes(case)
    if not shapes:
        return {}
    try:
        forms = forms_of(case)
    except GeometryError:
        forms = ()  # The call must be refused, whatever its values.
    if case.values == "real" and chosen.is_float:
        arrays = {name: _fractions(case, name, shape, chosen) for name, shape in shapes.items()}
    elif case.values == "large":
        arrays = _large(case, shapes, forms, chosen)
    elif case.values == "huge" and chosen.is_float and chosen.precision < 53:
        arrays = _huge(case, shapes, chosen)
    elif case.values == "large_ones" and _most_terms(forms) < chosen.budget // 4:
        arrays = large_ones(case, shapes, _most_terms(forms), chosen)
    elif case.values == "one_hot":
        arrays = _one_hot(case, shapes, forms, chosen)
    else:
        arrays = _small(case, shapes, forms, chosen)
    if case.values == "near_ones":
        arrays = _scaled(arrays, -fraction_bits(chosen))
    if case.values == "tiny" and chosen.is_float:
        arrays = _scaled(arrays, chosen.min_exponent - chosen.precision + 1)
    if chosen.is_float:
        arrays = with_specials(case, arrays)
    return {
        name: np.ascontiguousarray(array).astype(chosen.carrier) for name, array in arrays.items()
    }


def _most_terms(forms: tuple[Form, ...]) -> int:
    return max((form.terms for form in forms), default=1)


def _small(case: Case, shapes: Shapes, forms: tuple[Form, ...], chosen: Format) -> Arrays:
    for weight_limit, limit, power in _LADDER:
        arrays = {}
        for name, shape in shapes.items():
            if name in ("w", "g", "grad_grad_w"):
                arrays[name] = _weights(case, name, shape, weight_limit, chosen)
            elif name in ("b", "grad_grad_b"):
                most = min(BIAS_LIMIT, limit)
                arrays[name] = _data(case, name, shape, most, 0, chosen, signed=True)
            else:
                thin = power if name == next(iter(shapes)) else 0
                arrays[name] = _data(case, name, shape, limit, thin, chosen)
        arrays = uniform(case, arrays, chosen)
        if _fits(arrays, forms, chosen.budget):
            return arrays
    raise AssertionError(f"no exact inputs for {case}")


def _fits(arrays: Arrays, forms: tuple[Form, ...], budget: int) -> bool:
    """Whether no sum of magnitudes passes the budget; the arrays hold integers."""
    for form in forms:
        first, second = form.operands(arrays)
        left = np.abs(first.astype(np.float64))
        right = np.ones(()) if second is None else np.abs(second.astype(np.float64))
        bias = float(np.abs(arrays[form.bias]).max(initial=0)) if form.bias else 0.0
        if form.terms * left.max(initial=0) * right.max(initial=0) + bias <= budget:
            continue
        if form.product(left, right).max(initial=0) + bias > budget:
            return False
    return True


def _data(
    case: Case,
    name: str,
    shape: tuple[int, ...],
    limit: int,
    thin: int,
    chosen: Format,
    *,
    signed: bool | None = None,
) -> np.ndarray:
    """Returns integers of magnitude 1 to `limit`, all but one in 2**thin of them zero."""
    key = (case.seed, name)
    values = below((*key, "magnitude"), shape, limit) + 1
    if isinstance(case.spec, PoolSpec):
        values = _pool_values(case, key, shape, chosen, values)
    if not chosen.signed:
        negative = np.zeros(shape, dtype=bool)
    elif case.values == "negative" and not signed:
        negative = np.ones(shape, dtype=bool)
    else:
        negative = chance((*key, "sign"), shape, 1)
    values = np.where(negative, -values, values)
    return np.where(chance((*key, "kept"), shape, thin), values, 0)


def _pool_values(
    case: Case, key: tuple[object, ...], shape: tuple[int, ...], chosen: Format, values: np.ndarray
) -> np.ndarray:
    """Returns magnitudes that suit a pooling: with ties for a maximum, divisible for a quotient."""
    assert isinstance(case.spec, PoolSpec)
    if case.spec.kind == "max":
        return below((*key, "tied"), shape, min(chosen.budget, 2 * prod(case.spec.kernel_size))) + 1
    return values


def _weights(
    case: Case, name: str, shape: tuple[int, ...], limit: int, chosen: Format
) -> np.ndarray:
    """Returns (F, C, *kernel) or (*kernel) integers, distinct within a filter while they last.

    Each filter walks through 1, -2, 3, -4, ... and then the other signs, from its own start, its
    elements shuffled: no filter is symmetric, and no two neighbours are alike.
    """
    filters = shape[0] if name != "g" else 1
    elements = prod(shape) if name == "g" else prod(shape[1:])
    limit = limit or max(3, elements)
    ladder = np.arange(1, limit + 1)
    if chosen.signed:
        ladder = np.where(ladder % 2, ladder, -ladder)
        ladder = np.concatenate([ladder, -ladder])
    order = words((case.seed, name, "order"), (filters, elements)).argsort(axis=1, kind="stable")
    start = below((case.seed, name, "start"), (), len(ladder)) + np.arange(filters)[:, None]
    return ladder[(order + start) % len(ladder)].reshape(shape)


def _one_hot(case: Case, shapes: Shapes, forms: tuple[Form, ...], chosen: Format) -> Arrays:
    first, *others = shapes
    hot = np.zeros(shapes[first], dtype=np.int64)
    if hot.size:
        hot[_hot_position(case, first, shapes[first])] = 1
    count = chosen.budget - BIAS_LIMIT
    while count:
        arrays = {first: hot}
        for name in others:
            most = BIAS_LIMIT if name in ("b", "grad_grad_b") else count
            arrays[name] = np.arange(prod(shapes[name])).reshape(shapes[name]) % most + 1
        # Where the padding repeats the input, one output may read the 1 more than once.
        if _fits(arrays, forms, chosen.budget):
            return arrays
        count //= 2
    return _small(case, shapes, forms, chosen)


def _hot_position(case: Case, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns an index that the result depends on: with large strides some are never read."""
    pick = int(words((case.seed, name, "hot"), ()))
    readable = np.ones(shape, dtype=bool)
    if name == "x" and isinstance(case.spec, ConvSpec | PoolSpec):
        with suppress(GeometryError):  # A call that must be refused reads nothing.
            readable = np.broadcast_to(read_counts(case.spec, case.spatial) > 0, shape)
    places = np.flatnonzero(readable)
    place = int(places[pick % len(places)]) if len(places) else 0
    return tuple(map(int, np.unravel_index(place, shape)))


def _large(case: Case, shapes: Shapes, forms: tuple[Form, ...], chosen: Format) -> Arrays:
    """Integers whose sums need the whole significand, times a power of two."""
    if case.dtype in _SHORT and isinstance(case.spec, ConvSpec) and len(forms) == 1:
        return _scaled(_full_width(case, shapes, chosen), _LARGE_SCALE[case.dtype])
    terms = _most_terms(forms) + 1
    # Who sums the integers of a layer in float64 keeps all of them that are asked for.
    most = 62 if isinstance(case.spec, SequenceSpec) else 53
    bits = min(chosen.precision, most) - (terms - 1).bit_length()
    if bits < 4:
        return _small(case, shapes, forms, chosen)
    has_weights = len(shapes.keys() & {"w", "g"}) > 0
    data_bits = -(-3 * bits // 5) if has_weights else bits
    arrays = {}
    for place, (name, shape) in enumerate(shapes.items()):
        width = data_bits if place == 0 else bits - data_bits
        # The top bit is set, so that no value is small.
        top = 2 ** (width - 1)
        values = below((case.seed, name, "large"), shape, top) + top
        values = np.minimum(values, 2**width - 1)
        if chosen.signed:
            values = np.where(chance((case.seed, name, "sign"), shape, 1), -values, values)
        arrays[name] = values
    if not chosen.is_float:
        return arrays
    # Large for odd seeds, small for even ones: some code takes what is small for nothing.
    power = _LARGE_SCALE[case.dtype]
    return _scaled(arrays, power if case.seed % 2 or case.dtype == "float16" else -power)


def _full_width(case: Case, shapes: Shapes, chosen: Format) -> Arrays:
    """Data of the whole significand, and one weight of 1 or -1 a filter: each result is a datum.

    A short significand has no bits to spare for sums: with more weights the data would be so short
    that code which computes in a still shorter format is exact.
    """
    assert isinstance(case.spec, ConvSpec)
    top = 2 ** (chosen.precision - 1)
    key = (case.seed, "x")
    x = below((*key, "large"), shapes["x"], top) + top
    x = np.where(chance((*key, "sign"), shapes["x"], 1), -x, x)
    groups, spec = case.spec.groups, case.spec
    filters, width = spec.out_channels, spec.in_channels // groups
    weights = np.zeros((filters, width * prod(spec.kernel_size)), dtype=np.int64)
    hot = below((case.seed, "w", "hot"), (filters,), weights.shape[1])
    sign = np.where(chance((case.seed, "w", "sign"), (filters,), 1), -1, 1)
    weights[np.arange(filters), hot] = sign
    w = weights.reshape(groups, filters // groups, width, *spec.kernel_size)
    if spec.transposed:
        w = w.swapaxes(1, 2)
    arrays = {"x": x, "w": w.reshape(shapes["w"])}
    if "b" in shapes:
        arrays["b"] = np.zeros(shapes["b"], dtype=np.int64)
    return arrays


def _huge(case: Case, shapes: Shapes, chosen: Format) -> Arrays:
    """Positive numbers, each product of which is at least twice the largest finite one."""
    first, *others = shapes
    drawn = {name: below((case.seed, name, "huge"), shapes[name], 3) + 4 for name in shapes}
    arrays = {name: 4 * drawn[name] for name in others}
    arrays |= {name: 0 * drawn[name] for name in others if name in ("b", "grad_grad_b")}
    return {first: np.ldexp(drawn[first].astype(np.float64), chosen.max_exponent - 4), **arrays}


def _scaled(arrays: Arrays, power: int) -> Arrays:
    """Returns the arrays with one factor of each product, and each bias, times 2**power."""
    first = next(iter(arrays))
    scaled = {first, "b", "grad_grad_b"} | ({"x"} if first == "grad_grad_x" else set())
    return {
        name: np.ldexp(array.astype(np.float64), power if name in scaled else 0)
        for name, array in arrays.items()
    }


def _fractions(case: Case, name: str, shape: tuple[int, ...], chosen: Format) -> np.ndarray:
    """Returns odd multiples of 2**-precision in (-1, 1): every bit of the significand is used."""
    span = 2 ** (chosen.precision - 1)
    odd = 2 * below((case.seed, name, "real"), shape, span) + 1
    signs = np.where(chance((case.seed, name, "sign"), shape, 1), -1, 1)
    return np.ldexp((odd * signs).astype(np.float64), -chosen.precision)
