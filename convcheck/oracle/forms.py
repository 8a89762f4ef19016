"""Every result of a case that is a sum of products, as a bilinear form of two arguments.

Inputs are chosen, expected values evaluated and error bounds derived from this one table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from convcheck.core.case import Case
from convcheck.core.errors import UsageError
from convcheck.core.ops import find_op
from convcheck.core.shapes import output_shape
from convcheck.core.spec import ConvSpec, PoolSpec, SequenceSpec
from convcheck.oracle import fast
from convcheck.oracle.pooling import window_sum
from convcheck.oracle.taps import read_counts

# 1 GiB of float64.
MOST_ELEMENTS = 2**27


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One result: `product(left, right)`, plus a bias per channel where there is one.

    Attributes:
        name: Name of the result.
        left: Name of the first argument.
        right: Name of the second; None for a plain sum, whose second factor is 1.
        bias: Name of the bias, or None.
        product: The exact form, on arrays of any carrier.
        terms: The most products that one element sums.
        shape: Shape of the result.
        join: Makes both arguments of several arrays, where the result is a sum of two forms.
    """

    name: str
    left: str
    right: str | None
    product: Callable[[np.ndarray, np.ndarray], np.ndarray]
    terms: int
    shape: tuple[int, ...]
    bias: str | None = None
    join: Callable[[Mapping[str, np.ndarray]], tuple[np.ndarray, np.ndarray]] | None = None

    def operands(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """Returns the two arguments; the second is None for a plain sum."""
        if self.join is not None:
            return self.join(inputs)
        return inputs[self.left], inputs[self.right] if self.right else None


def argument_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """Returns the shape of each array argument of `case`, also where the call must be refused.

    Extents that no array can have (negative ones) are taken as 0.
    """
    spec, family = case.spec, find_op(case.op).family
    if family == "output_size":
        return {}
    shapes: dict[str, tuple[int, ...]]
    if isinstance(spec, SequenceSpec):
        shapes = {"f": case.spatial, "g": spec.kernel_size}
    elif not isinstance(spec, ConvSpec):
        shapes = {"x": case.input_shape()}
    else:
        shapes = {"x": case.input_shape(), "w": spec.weight_shape()}
        if family.endswith("backward"):
            given = {"grad_output": _grad_shape(case, spec), **shapes}
            if "double" in family:
                names = ("grad_grad_x", "grad_grad_w", "grad_grad_b")
                seconds = (shapes["x"], shapes["w"], (spec.out_channels,))
                given = dict(zip(names, seconds, strict=True)) | given
            shapes = given
        else:
            if spec.bias:
                shapes["b"] = (spec.out_channels,)
            shapes = _misfitting(case, shapes, 0 if spec.transposed else 1)
    shapes = {name: tuple(max(0, size) for size in shape) for name, shape in shapes.items()}
    check_extent(case, max(map(prod, shapes.values())))
    return shapes


def _misfitting(
    case: Case, shapes: dict[str, tuple[int, ...]], axis: int
) -> dict[str, tuple[int, ...]]:
    """Returns the shapes with the misfit of the case; `axis` is that of a weight's input."""
    size, _, name = case.misfit.partition("_")
    short, place = name[:1], axis if name == "weight" else 0
    if short not in shapes:
        return shapes
    extents = list(shapes[short])
    extents[place] += 1 if size == "wide" else -1
    return {**shapes, short: tuple(extents)}


def check_extent(case: Case, elements: int) -> None:
    """Raises UsageError where a case is possible, but larger than anyone would wait for."""
    if elements > MOST_ELEMENTS:
        raise UsageError(
            f"the case has arrays of {elements} elements",
            why=f"expected values are worked out for at most {MOST_ELEMENTS}",
            where=str(case),
            fix="use smaller extents or less padding",
        )


def forms_of(case: Case) -> tuple[Form, ...]:
    """Returns the forms of a possible case; none for max pooling and the losses.

    Raises:
        GeometryError: The case is impossible.
    """
    shape, spec, family = output_shape(case), case.spec, find_op(case.op).family
    if family == "output_size":
        return ()
    check_extent(case, max(prod(shape), _padded_elements(case)))
    if isinstance(spec, SequenceSpec):
        f_shape, g_shape, mode = case.spatial, spec.kernel_size, spec.mode
        return (
            Form(
                name="output",
                left="f",
                right="g",
                product=lambda f, g: fast.cut(fast.convolve(f, g), f_shape, g_shape, mode),
                terms=prod(map(min, f_shape, g_shape)),
                shape=shape,
            ),
        )
    if isinstance(spec, PoolSpec) and spec.kind == "avg":
        terms = prod(spec.kernel_size)
        return (
            Form(
                name="output",
                left="x",
                right=None,
                product=lambda x, one: window_sum(x, spec) * one,
                terms=terms,
                shape=shape,
            ),
        )
    if not isinstance(spec, ConvSpec):
        return ()
    if family.endswith("backward"):
        gradients = _gradients(case, spec, shape)
        return double_forms(case, spec, gradients) if "double" in family else gradients
    return (_layer_form(case, spec, shape),)


def _layer_form(case: Case, spec: ConvSpec, shape: tuple[int, ...]) -> Form:
    layer = fast.conv_transpose if spec.transposed else fast.conv
    return Form(
        name="output",
        left="x",
        right="w",
        bias="b" if spec.bias else None,
        product=lambda x, w: layer(x, w, spec=spec),
        terms=prod(spec.kernel_size) * (spec.in_channels // spec.groups),
        shape=shape,
    )


def double_forms(case: Case, spec: ConvSpec, gradients: tuple[Form, ...]) -> tuple[Form, ...]:
    """Returns the results of a double backward, from the forms of the backward.

    With T the trilinear form of `oracle.direct`, y the gradient of the output, and u, v, a what is
    given for the gradients in x, w and b, the double backward differentiates

        L = <u, T_x(y, w)> + <v, T_w(y, x)> + <a, sum of y> = T(y, w, u) + T(y, v, x) + <a, sum y>.

    T is linear in each argument, so that

        dL/dy = conv(u, w) + conv(x, v) + a,    dL/dx = T_x(y, v),    dL/dw = T_w(y, u):

    the first is one layer of twice as many input channels, u with w and x with v beside them; the
    others are the backward's own forms with v for w and u for x. For a transposed layer the same
    holds with its own T.
    """
    width = spec.in_channels // spec.groups

    def beside(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
        """Puts the channels of each group of two arrays side by side."""
        split = (*first.shape[:axis], spec.groups, width, *first.shape[axis + 1 :])
        both = np.concatenate([first.reshape(split), second.reshape(split)], axis + 1)
        return both.reshape(*first.shape[:axis], -1, *first.shape[axis + 1 :])

    def join(inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        w, v = inputs["w"], inputs["grad_grad_w"]
        weights = beside(w, v, 0) if spec.transposed else np.concatenate([w, v], 1)
        return beside(inputs["grad_grad_x"], inputs["x"], 1), weights

    wide = replace(spec, in_channels=2 * spec.in_channels, bias=False)
    layer = _layer_form(case, wide, output_shape(case))
    grad_x, grad_w, _ = gradients
    return (
        replace(layer, name="grad_grad_output", bias="grad_grad_b", join=join),
        replace(grad_x, right="grad_grad_w"),
        replace(grad_w, right="grad_grad_x"),
    )


def _gradients(case: Case, spec: ConvSpec, shape: tuple[int, ...]) -> tuple[Form, ...]:
    """The three gradients; those of the transposed layer are the layer's with x and y exchanged."""
    spatial = case.spatial
    taps = prod(spec.kernel_size)
    if spec.padding_mode != "zeros":
        # A border element may be read by one tap of several windows.
        taps = int(read_counts(spec, spatial).max())
    if spec.transposed:
        layer = fast.adjoint_spec(spec)
        # With output_padding >= stride the layer has more outputs than the adjoint has inputs.
        inside: Any = (..., *map(slice, spatial))

        def input_form(y: np.ndarray, w: np.ndarray) -> np.ndarray:
            return fast.conv(y, w, spec=layer)[inside]

        def weight_form(y: np.ndarray, x: np.ndarray) -> np.ndarray:
            return fast.weight_adjoint(x, y, spec=layer)
    else:

        def input_form(y: np.ndarray, w: np.ndarray) -> np.ndarray:
            return fast.input_adjoint(y, w, spec=spec, spatial=spatial)

        def weight_form(y: np.ndarray, x: np.ndarray) -> np.ndarray:
            return fast.weight_adjoint(y, x, spec=spec)

    axes = tuple(index for index in range(len(shape)) if index != 1)
    return (
        Form(
            name="grad_x",
            left="grad_output",
            right="w",
            product=input_form,
            terms=taps * (spec.out_channels // spec.groups),
            shape=case.input_shape(),
        ),
        Form(
            name="grad_w",
            left="grad_output",
            right="x",
            product=weight_form,
            terms=case.batch * prod(spatial if spec.transposed else shape[2:]),
            shape=spec.weight_shape(),
        ),
        Form(
            name="grad_b",
            left="grad_output",
            right=None,
            product=lambda y, one: y.sum(axis=axes) * one,
            terms=case.batch * prod(shape[2:]),
            shape=(spec.out_channels,),
        ),
    )


def _padded_elements(case: Case) -> int:
    spec = case.spec
    if not isinstance(spec, ConvSpec | PoolSpec):
        return prod(case.input_shape())
    pads = zip(case.spatial, spec.padding_pairs(), strict=True)
    return case.batch * case.channels * prod(size + sum(pair) for size, pair in pads)


def _grad_shape(case: Case, spec: ConvSpec) -> tuple[int, ...]:
    try:
        return output_shape(case)
    except ValueError:  # a GeometryError: the call must be refused, whatever the gradient
        return (case.batch, spec.out_channels, *[1] * spec.axes)
