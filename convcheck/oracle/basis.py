"""What a bilinear operation makes of two basis vectors: a single 1, or nothing.

An element of x and one of w meet in one product at most, o s = i + p - k d having at most one
solution o; so the result for a pair of one-hot arguments is one-hot or zero. With the results for
all pairs a bilinear function is known everywhere:

    B(x, w) = sum over i, j of x_i w_j B(e_i, e_j).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from convcheck.core.case import Case
from convcheck.core.ops import find_op
from convcheck.core.shapes import output_shape
from convcheck.core.spec import ConvSpec, SequenceSpec
from convcheck.oracle.direct import terms
from convcheck.oracle.fast import kept_part
from convcheck.oracle.forms import argument_shapes

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilinear:
    """One bilinear part of an operation.

    Attributes:
        left: Name of its first argument.
        right: Name of its second.
        output: Which result it is.
        shape: Shape of that result.
        ones: The flat index of the 1 for each pair of flat indices that meet.
    """

    left: str
    right: str
    output: int
    shape: Shape
    ones: Mapping[tuple[int, int], int]


def bilinear_parts(case: Case) -> tuple[Bilinear, ...]:
    """Returns the bilinear parts of a possible case; none where its operation is not bilinear.

    Raises:
        GeometryError: The case is impossible.
    """
    spec, family, shape = case.spec, find_op(case.op).family, output_shape(case)
    if isinstance(spec, SequenceSpec):
        return (_sequence(case, spec, shape),)
    if not isinstance(spec, ConvSpec) or family == "output_size":
        return ()
    shapes = argument_shapes(case)
    x, w = shapes["x"], shapes["w"]
    # The products (y, w, x) of the trilinear form, as flat indices.
    products = []
    for n in range(case.batch):
        for f, c, o, k, i in terms(spec, case.spatial):
            weight = (c, f % w[1], *k) if spec.transposed else (f, c % w[1], *k)
            products.append((_flat((n, f, *o), shape), _flat(weight, w), _flat((n, c, *i), x)))
    if not family.endswith("backward"):
        ones = {(i, j): o for o, j, i in products}
        return (Bilinear(left="x", right="w", output=0, shape=shape, ones=ones),)
    return (
        Bilinear(left="grad_output", right="w", output=0, shape=x,
                 ones={(o, j): i for o, j, i in products}),
        Bilinear(left="grad_output", right="x", output=1, shape=w,
                 ones={(o, i): j for o, j, i in products}),
    )  # fmt: skip


def _sequence(case: Case, spec: SequenceSpec, shape: Shape) -> Bilinear:
    starts = tuple(
        kept_part(m, n, spec.mode)[0] for m, n in zip(case.spatial, spec.kernel_size, strict=True)
    )
    ones = {}
    for i in np.ndindex(case.spatial):
        for j in np.ndindex(spec.kernel_size):
            o = tuple(a + b - start for a, b, start in zip(i, j, starts, strict=True))
            if all(0 <= at < size for at, size in zip(o, shape, strict=True)):
                ones[_flat(i, case.spatial), _flat(j, spec.kernel_size)] = _flat(o, shape)
    return Bilinear(left="f", right="g", output=0, shape=shape, ones=ones)


def _flat(index: Shape, shape: Shape) -> int:
    return int(np.ravel_multi_index(index, shape))
