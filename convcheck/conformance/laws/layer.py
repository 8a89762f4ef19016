"""Laws of the convolution layer and of its transpose.

The layer is y = B(x, w) + b with B bilinear. Each parameter is reduced to its neutral value: a
stride is a choice of outputs, a dilation a kernel with zeros between its taps, a padding zeros
around the input, a group a layer of its own. What is left over, the layer with stride 1 and no
padding, is linear and commutes with shifts, with channel permutations, with reversal and exchange
of the axes.

No law can tell the layer from a function that obeys them all: one that flips every kernel, or
doubles every result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

from convcheck.conformance.laws.law import Call, Law, Shape, Trial
from convcheck.core.case import Case
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import ConvSpec
from convcheck.oracle.fast import adjoint_spec

BOTH: Any = ("conv", "conv_transpose")


def layer_laws() -> tuple[Law, ...]:
    """Returns the laws, the plainest first."""
    return (
        Law(name="adds in x", says="f(x + u, w) = f(x, w) + f(u, w)", families=BOTH,
            trials=lambda case: _adds(case, "x")),
        Law(name="scales in x", says="f(-3 x, w) = -3 f(x, w)", families=BOTH,
            trials=lambda case: _scales(case, "x")),
        Law(name="adds in w", says="f(x, w + u) = f(x, w) + f(x, u)", families=BOTH,
            trials=lambda case: _adds(case, "w")),
        Law(name="scales in w", says="f(x, -3 w) = -3 f(x, w)", families=BOTH,
            trials=lambda case: _scales(case, "w")),
        Law(name="adds the bias once to every element", says="f(x, w, b) = f(x, w) + b",
            families=BOTH, trials=_bias),
        Law(name="treats the images of a batch alone", says="f([x, u]) = [f(x), f(u)]",
            families=BOTH, trials=_batch),
        Law(name="permutes with the input channels", says="f(P x, P w) = f(x, w)", families=BOTH,
            trials=_input_channels),
        Law(name="permutes with the output channels", says="f(x, P w, P b) = P f(x, w, b)",
            families=BOTH, trials=_output_channels),
        Law(name="treats the groups alone", says="f(x, w; g) = [f(x_1, w_1; 1), ...]",
            families=BOTH, trials=_groups),
        Law(name="takes every s-th output for stride s", says="f(x, w; s) = f(x, w; 1)[::s]",
            families=("conv",), trials=_stride),
        Law(name="spreads the input for stride s", says="f(x, w; s) = f(x spread by s, w; 1)",
            families=("conv_transpose",), trials=_spread_stride),
        Law(name="spreads the kernel for dilation d", says="f(x, w; d) = f(x, w spread by d; 1)",
            families=BOTH, trials=_dilation),
        Law(name="pads with zeros", says="f(x, w; p) = f(zeros around x, w; 0)",
            families=("conv",), trials=_padding),
        Law(name="cuts its padding off", says="f(x, w; p) = f(x, w; 0)[p:-p]",
            families=("conv_transpose",), trials=_cut_padding),
        Law(name="shifts with the input", says="f(x shifted by s)[o + 1] = f(x)[o]",
            families=("conv",), trials=_shift),
        Law(name="crops with the input", says="f(a part of x) = that part of f(x)",
            families=("conv",), trials=_crop),
        Law(name="reverses with input and kernel", says="f(R x, R w) = R f(x, w)", families=BOTH,
            trials=_reverse),
        Law(name="exchanges its axes with input and kernel",
            says="f(x^T, w^T; swapped) = f(x, w)^T", families=BOTH, trials=_exchange),
        Law(name="is the adjoint of its partner", says="<f(x, w), v> = <x, partner(v, w)>",
            families=("conv_transpose",), trials=_adjoint),
    )  # fmt: skip


def along(axis: int, part: str) -> str:
    """Returns the index of a part of a spatial axis, 0 the first."""
    return "[" + ", ".join([":"] * (2 + axis) + [part]) + "]"


def shapes_of(case: Case) -> dict[str, Shape]:
    """Returns the shapes of x, w and, where there is one, b."""
    spec = spec_of(case)
    shapes: dict[str, Shape] = {"x": case.input_shape(), "w": spec.weight_shape()}
    return {**shapes, "b": (spec.out_channels,)} if spec.bias else shapes


def spec_of(case: Case) -> ConvSpec:
    """Returns the spec of a layer's case."""
    assert isinstance(case.spec, ConvSpec)
    return case.spec


def on(case: Case, **expressions: str) -> Call:
    """Returns a call of `case` on its arrays as they are, but those for which it says otherwise."""
    names = ["x", "w", *(["b"] if spec_of(case).bias else [])]
    return Call(case=case, arrays={name: expressions.get(name, name) for name in names})


def spread(name: str, steps: Shape, extents: Shape) -> str:
    """Returns an array with zeros put between its elements along the spatial axes."""
    if set(steps) == {1}:
        return name
    hole = f"np.eye(1, {prod(steps)}).reshape({(1, 1, *steps)})"
    cuts = ", ".join(f":{(n - 1) * s + 1}" for n, s in zip(extents, steps, strict=True))
    return f"np.kron({name}, {hole})[..., {cuts}]"


def undilated(case: Case) -> Case | None:
    """Returns the case with dilation 1 and the kernel's extent as it was; None if it has that."""
    spec = spec_of(case)
    if max(spec.dilation) == 1 or any(spec.output_padding):
        return None
    spans = tuple(map(effective_kernel, spec.kernel_size, spec.dilation))
    return replace(case, spec=replace(spec, kernel_size=spans, dilation=(1,) * spec.axes))


def unpadded(case: Case) -> Case | None:
    """Returns the case with its padding made part of the input; None if it has none."""
    spec = spec_of(case)
    pairs = spec.padding_pairs()
    if not any(map(sum, pairs)):
        return None
    extents = tuple(n + sum(pair) for n, pair in zip(case.spatial, pairs, strict=True))
    return replace(case, spec=replace(spec, padding=((0, 0),) * spec.axes), spatial=extents)


def zeros_around(name: str, case: Case) -> str:
    """Returns an array with the padding of a case around it."""
    return f"np.pad({name}, {((0, 0), (0, 0), *spec_of(case).padding_pairs())})"


def rolled(name: str, axis: int, shape: Shape, groups: int) -> str:
    """Returns an array whose channels are rolled by one within each group."""
    if groups == 1:
        return f"np.roll({name}, 1, {axis})"
    split = (*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
    return f"np.roll({name}.reshape({split}), 1, {axis + 1}).reshape({shape})"


def interior(case: Case, axis: int) -> tuple[int, int]:
    """Returns the outputs [low, high) along an axis whose windows lie wholly in the input."""
    spec = spec_of(case)
    before, s = spec.padding_pairs()[axis][0], spec.stride[axis]
    span = effective_kernel(spec.kernel_size[axis], spec.dilation[axis])
    return -(-before // s), (case.spatial[axis] + before - span) // s + 1


def _linear(case: Case) -> Case:
    return replace(case, spec=replace(spec_of(case), bias=False))


def _adds(case: Case, name: str) -> Iterator[Trial]:
    case = _linear(case)
    shapes = shapes_of(case)
    calls = (on(case, **{name: f"{name} + u"}), on(case), on(case, **{name: "u"}))
    yield Trial(shapes={**shapes, "u": shapes[name]}, calls=calls, left="y0", right="y1 + y2")


def _scales(case: Case, name: str) -> Iterator[Trial]:
    case = _linear(case)
    calls = (on(case, **{name: f"-3 * {name}"}), on(case))
    yield Trial(shapes=shapes_of(case), calls=calls, left="y0", right="-3 * y1")


def _bias(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    with_bias = replace(case, spec=replace(spec, bias=True))
    added = f"y1 + b.reshape({(1, -1, *[1] * spec.axes)})"
    yield Trial(shapes=shapes_of(with_bias), calls=(on(with_bias), on(_linear(case))),
                left="y0", right=added)  # fmt: skip


def _batch(case: Case) -> Iterator[Trial]:
    if case.batch < 2:
        return
    first, rest = replace(case, batch=1), replace(case, batch=case.batch - 1)
    calls = (on(case), on(first, x="x[:1]"), on(rest, x="x[1:]"))
    yield Trial(shapes=shapes_of(case), calls=calls, left="y0", right="np.concatenate([y1, y2])")


def _input_channels(case: Case) -> Iterator[Trial]:
    spec, shapes = spec_of(case), shapes_of(case)
    if spec.in_channels == spec.groups:
        return
    w = rolled("w", 0, shapes["w"], spec.groups) if spec.transposed else "np.roll(w, 1, 1)"
    moved = on(case, x=rolled("x", 1, shapes["x"], spec.groups), w=w)
    yield Trial(shapes=shapes, calls=(moved, on(case)), left="y0", right="y1")


def _output_channels(case: Case) -> Iterator[Trial]:
    spec, shapes = spec_of(case), shapes_of(case)
    if spec.out_channels == spec.groups:
        return
    w = "np.roll(w, 1, 1)" if spec.transposed else rolled("w", 0, shapes["w"], spec.groups)
    b = rolled("b", 0, (spec.out_channels,), spec.groups)
    right = rolled("y1", 1, output_shape(case), spec.groups)
    yield Trial(shapes=shapes, calls=(on(case, w=w, b=b), on(case)), left="y0", right=right)


def _groups(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    if spec.groups < 2:
        return
    c, f = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    k = c if spec.transposed else f
    parts = []
    for cut, groups in (("[:{}]", 1), ("[{}:]", spec.groups - 1)):
        part = replace(spec, groups=groups, in_channels=c * groups, out_channels=f * groups)
        x = "x[:, " + cut.format(c)[1:]
        alone = replace(case, spec=part)
        parts.append(on(alone, x=x, w="w" + cut.format(k), b="b" + cut.format(f)))
    yield Trial(shapes=shapes_of(case), calls=(on(case), *parts), left="y0",
                right="np.concatenate([y1, y2], 1)")  # fmt: skip


def _stride(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    if max(spec.stride) == 1:
        return
    dense = replace(case, spec=replace(spec, stride=(1,) * spec.axes))
    part = ", ".join(f"::{s}" for s in spec.stride)
    yield Trial(shapes=shapes_of(case), calls=(on(case), on(dense)), left="y0",
                right=f"y1[..., {part}]")  # fmt: skip


def _spread_stride(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    if max(spec.stride) == 1 or any(spec.output_padding):
        return
    wide = tuple((n - 1) * s + 1 for n, s in zip(case.spatial, spec.stride, strict=True))
    dense = replace(case, spec=replace(spec, stride=(1,) * spec.axes), spatial=wide)
    calls = (on(case), on(dense, x=spread("x", spec.stride, case.spatial)))
    yield Trial(shapes=shapes_of(case), calls=calls, left="y0", right="y1")


def _dilation(case: Case) -> Iterator[Trial]:
    dense = undilated(case)
    if dense is None:
        return
    wide = on(dense, w=spread("w", spec_of(case).dilation, spec_of(case).kernel_size))
    yield Trial(shapes=shapes_of(case), calls=(on(case), wide), left="y0", right="y1")


def _padding(case: Case) -> Iterator[Trial]:
    bare = unpadded(case)
    if bare is None:
        return
    around = on(bare, x=zeros_around("x", case))
    yield Trial(shapes=shapes_of(case), calls=(on(case), around), left="y0", right="y1")


def _cut_padding(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    pairs = spec.padding_pairs()
    if not any(map(sum, pairs)) or any(spec.output_padding):
        return
    bare = replace(case, spec=replace(spec, padding=((0, 0),) * spec.axes))
    full = output_shape(bare)[2:]
    part = ", ".join(f"{b}:{n - a}" for n, (b, a) in zip(full, pairs, strict=True))
    yield Trial(shapes=shapes_of(case), calls=(on(case), on(bare)), left="y0",
                right=f"y1[..., {part}]")  # fmt: skip


def _shift(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    for axis, s in enumerate(spec.stride):
        low, high = interior(case, axis)
        if high - low < 2:
            continue
        moved = on(case, x=f"np.roll(x, {s}, {2 + axis})")
        yield Trial(
            shapes=shapes_of(case), calls=(moved, on(case)),
            left="y0" + along(axis, f"{low + 1}:{high}"),
            right="y1" + along(axis, f"{low}:{high - 1}"),
        )  # fmt: skip


def _crop(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    if isinstance(spec.padding, str):
        return
    for axis, s in enumerate(spec.stride):
        low, high = interior(case, axis)
        if high - low < 2:
            continue
        # The inner third of the outputs, from the first that is not the first.
        first = low + max(1, (high - low) // 3)
        last = max(first + 1, high - (high - low) // 3)
        start = first * s - spec.padding[axis][0]
        span = effective_kernel(spec.kernel_size[axis], spec.dilation[axis])
        end = start + (last - first - 1) * s + span
        pads = (*spec.padding[:axis], (0, 0), *spec.padding[axis + 1 :])
        spatial = (*case.spatial[:axis], end - start, *case.spatial[axis + 1 :])
        part = replace(case, spec=replace(spec, padding=pads), spatial=spatial)
        yield Trial(
            shapes=shapes_of(case),
            calls=(on(part, x="x" + along(axis, f"{start}:{end}")), on(case)),
            left="y0", right="y1" + along(axis, f"{first}:{last}"),
        )  # fmt: skip


def fits_exactly(case: Case) -> bool:
    """Whether no element is left over after the last window, along any axis."""
    spec = spec_of(case)
    if any(spec.output_padding):
        return False
    if spec.transposed:
        return True
    rests = (
        (n + sum(pair) - effective_kernel(k, d)) % s
        for n, pair, k, d, s in zip(
            case.spatial, spec.padding_pairs(), spec.kernel_size, spec.dilation, spec.stride,
            strict=True,
        )
    )  # fmt: skip
    return not any(rests)


def _reverse(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    if isinstance(spec.padding, str) or not fits_exactly(case):
        return
    for axis in range(spec.axes):
        flip = along(axis, "::-1")
        yield Trial(shapes=shapes_of(case), calls=(on(case, x="x" + flip, w="w" + flip), on(case)),
                    left="y0", right="y1" + flip)  # fmt: skip


def exchanged(case: Case) -> Case:
    """Returns the case with its last two axes exchanged in every parameter."""
    spec = spec_of(case)

    def swap(values: Any) -> Any:
        return values if isinstance(values, str) else (*values[:-2], values[-1], values[-2])

    names = ("kernel_size", "stride", "padding", "dilation", "output_padding")
    changes: dict[str, Any] = {name: swap(getattr(spec, name)) for name in names}
    return replace(case, spec=replace(spec, **changes), spatial=swap(case.spatial))


def _exchange(case: Case) -> Iterator[Trial]:
    if spec_of(case).axes < 2:
        return
    swapped = on(exchanged(case), x="x.swapaxes(-1, -2)", w="w.swapaxes(-1, -2)")
    yield Trial(shapes=shapes_of(case), calls=(on(case), swapped), left="y0",
                right="y1.swapaxes(-1, -2)")  # fmt: skip


def _adjoint(case: Case) -> Iterator[Trial]:
    case = _linear(case)
    spec = spec_of(case)
    if any(op >= s for op, s in zip(spec.output_padding, spec.stride, strict=True)):
        return  # the partner would have more outputs than x has elements
    shape = output_shape(case)
    layer = replace(
        case, op=case.op.replace("_transpose", ""), spec=adjoint_spec(spec), spatial=shape[2:]
    )
    partner = Call(case=layer, arrays={"x": "v", "w": "w"}, by="partner")
    yield Trial(
        shapes={**shapes_of(case), "v": shape}, calls=(on(case), partner),
        left="(y0.astype('float64') * v).sum()", right="(y1.astype('float64') * x).sum()",
    )  # fmt: skip
