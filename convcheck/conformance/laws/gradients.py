"""Laws of the backward functions: T(g, w, x) = <g, f(x, w)>, each gradient its derivative.

grad_x is linear in g and w and does not read x; grad_w is linear in g and x and does not read w;
and both, met with the argument they belong to, give the same number, T itself:

    <grad_x(g, w), x> = T(g, w, x) = <grad_w(g, x), w>.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from convcheck.conformance.laws.law import Call, Law, Shape, Trial
from convcheck.conformance.laws.layer import (
    along,
    exchanged,
    fits_exactly,
    rolled,
    spec_of,
    spread,
    undilated,
    unpadded,
    zeros_around,
)
from convcheck.core.case import Case
from convcheck.core.shapes import output_shape

BOTH: Any = ("conv_backward", "conv_transpose_backward")
_ALL = "np.concatenate([part.ravel() for part in {}[:2]])"


def gradient_laws() -> tuple[Law, ...]:
    """Returns the laws, the plainest first."""
    return (
        Law(name="adds in grad_output", says="df(g + h) = df(g) + df(h)", families=BOTH,
            trials=_adds_in_g),
        Law(name="adds in w", says="grad_x(g, w + u) = grad_x(g, w) + grad_x(g, u)", families=BOTH,
            trials=lambda case: _adds(case, "w", 0)),
        Law(name="adds in x", says="grad_w(g, x + u) = grad_w(g, x) + grad_w(g, u)", families=BOTH,
            trials=lambda case: _adds(case, "x", 1)),
        Law(name="does not read x for grad_x", says="grad_x(g, w; x) = grad_x(g, w; u)",
            families=BOTH, trials=lambda case: _ignores(case, "x", 0)),
        Law(name="does not read w for grad_w", says="grad_w(g, x; w) = grad_w(g, x; u)",
            families=BOTH, trials=lambda case: _ignores(case, "w", 1)),
        Law(name="pairs both gradients to one number", says="<grad_x, x> = <grad_w, w>",
            families=BOTH, trials=_pairs),
        Law(name="sums grad_output into grad_b", says="grad_b = sum of g over images and positions",
            families=BOTH, trials=_bias),
        Law(name="treats the images of a batch alone",
            says="grad_x([g, h]) = [grad_x(g), grad_x(h)]; grad_w adds", families=BOTH,
            trials=_batch),
        Law(name="permutes with the input channels", says="df(g, P x, P w) = P df(g, x, w)",
            families=BOTH, trials=lambda case: _channels(case, "x")),
        Law(name="permutes with the output channels", says="df(P g, x, P w) = P df(g, x, w)",
            families=BOTH, trials=lambda case: _channels(case, "g")),
        Law(name="treats the groups alone", says="df(g; groups) = [df(g_1; 1), ...]",
            families=BOTH, trials=_groups),
        Law(name="spreads grad_output for stride s", says="df(g; s) = df(g spread by s; 1)",
            families=("conv_backward",), trials=_stride),
        Law(name="spreads the kernel for dilation d", says="df(w; d) = df(w spread by d; 1)",
            families=BOTH, trials=_dilation),
        Law(name="pads with zeros", says="df(x; p) = df(zeros around x; 0)",
            families=("conv_backward",), trials=_padding),
        Law(name="reverses with its arguments", says="df(R g, R x, R w) = R df(g, x, w)",
            families=BOTH, trials=_reverse),
        Law(name="exchanges its axes with its arguments", says="df(transposed) = df transposed",
            families=BOTH, trials=_exchange),
        Law(name="is the adjoint of its partner", says="<g, partner(x, w)> = <grad_x(g, w), x>",
            families=BOTH, trials=_adjoint),
    )  # fmt: skip


def _shapes(case: Case) -> dict[str, Shape]:
    w = spec_of(case).weight_shape()
    return {"g": output_shape(case), "x": case.input_shape(), "w": w}


def _on(case: Case, **expressions: str) -> Call:
    named = {"grad_output": "g", "x": "x", "w": "w"}
    return Call(case=case, arrays={k: expressions.get(v, v) for k, v in named.items()})


def _same(shapes: Mapping[str, Shape], *calls: Call, left: str, right: str) -> Trial:
    return Trial(shapes=shapes, calls=calls, left=left, right=right)


def _adds_in_g(case: Case) -> Iterator[Trial]:
    shapes = _shapes(case)
    yield _same({**shapes, "h": shapes["g"]}, _on(case, g="g + h"), _on(case), _on(case, g="h"),
                left=_ALL.format("y0"),
                right=_ALL.format("y1") + " + " + _ALL.format("y2"))  # fmt: skip


def _adds(case: Case, name: str, place: int) -> Iterator[Trial]:
    shapes = _shapes(case)
    calls = (_on(case, **{name: f"{name} + u"}), _on(case), _on(case, **{name: "u"}))
    yield _same({**shapes, "u": shapes[name]}, *calls, left=f"y0[{place}]",
                right=f"y1[{place}] + y2[{place}]")  # fmt: skip


def _ignores(case: Case, name: str, place: int) -> Iterator[Trial]:
    shapes = _shapes(case)
    yield _same({**shapes, "u": shapes[name]}, _on(case), _on(case, **{name: "u"}),
                left=f"y0[{place}]", right=f"y1[{place}]")  # fmt: skip


def _pairs(case: Case) -> Iterator[Trial]:
    yield _same(_shapes(case), _on(case), left="(y0[0].astype('float64') * x).sum()",
                right="(y0[1].astype('float64') * w).sum()")  # fmt: skip


def _bias(case: Case) -> Iterator[Trial]:
    axes = tuple(axis for axis in range(spec_of(case).axes + 2) if axis != 1)
    yield _same(_shapes(case), _on(case), left="y0[2]", right=f"g.sum({axes})")


def _batch(case: Case) -> Iterator[Trial]:
    if case.batch < 2:
        return
    first, rest = replace(case, batch=1), replace(case, batch=case.batch - 1)
    calls = (_on(case), _on(first, g="g[:1]", x="x[:1]"), _on(rest, g="g[1:]", x="x[1:]"))
    yield _same(_shapes(case), *calls, left="y0[0]", right="np.concatenate([y1[0], y2[0]])")
    yield _same(_shapes(case), *calls, left="y0[1]", right="y1[1] + y2[1]")


def _channels(case: Case, which: str) -> Iterator[Trial]:
    spec, shapes = spec_of(case), _shapes(case)
    if (spec.in_channels if which == "x" else spec.out_channels) == spec.groups:
        return
    # The first axis of w runs through the groups, the second lies within one.
    whole = (which == "x") == spec.transposed

    def moved(name: str) -> str:
        if whole:
            return rolled(name, 0, shapes["w"], spec.groups)
        return f"np.roll({name}, 1, 1)"

    roll = rolled(which, 1, shapes[which], spec.groups)
    calls = (_on(case, **{which: roll}, w=moved("w")), _on(case))
    first = rolled("y1[0]", 1, shapes["x"], spec.groups) if which == "x" else "y1[0]"
    yield _same(shapes, *calls, left="y0[0]", right=first)
    yield _same(shapes, *calls, left="y0[1]", right=moved("y1[1]"))


def _groups(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    if spec.groups < 2:
        return
    c, f = spec.in_channels // spec.groups, spec.out_channels // spec.groups
    k = c if spec.transposed else f
    calls = [_on(case)]
    for cut, groups in (("[:{}]", 1), ("[{}:]", spec.groups - 1)):
        part = replace(spec, groups=groups, in_channels=c * groups, out_channels=f * groups)
        g, x = ("[:, " + cut.format(n)[1:] for n in (f, c))
        calls.append(_on(replace(case, spec=part), g="g" + g, x="x" + x, w="w" + cut.format(k)))
    yield _same(_shapes(case), *calls, left="y0[0]", right="np.concatenate([y1[0], y2[0]], 1)")
    yield _same(_shapes(case), *calls, left="y0[1]", right="np.concatenate([y1[1], y2[1]])")


def _stride(case: Case) -> Iterator[Trial]:
    spec = spec_of(case)
    if max(spec.stride) == 1 or not fits_exactly(case):
        return
    dense = replace(case, spec=replace(spec, stride=(1,) * spec.axes))
    shapes = _shapes(case)
    wide = _on(dense, g=spread("g", spec.stride, shapes["g"][2:]))
    yield _same(shapes, _on(case), wide, left=_ALL.format("y0"), right=_ALL.format("y1"))


def _dilation(case: Case) -> Iterator[Trial]:
    spec, dense = spec_of(case), undilated(case)
    if dense is None:
        return
    wide = _on(dense, w=spread("w", spec.dilation, spec.kernel_size))
    taps = ", ".join(f"::{d}" for d in spec.dilation)
    yield _same(_shapes(case), _on(case), wide, left="y0[0]", right="y1[0]")
    yield _same(_shapes(case), _on(case), wide, left="y0[1]", right=f"y1[1][..., {taps}]")


def _padding(case: Case) -> Iterator[Trial]:
    bare = unpadded(case)
    if bare is None:
        return
    around = _on(bare, x=zeros_around("x", case))
    pairs = spec_of(case).padding_pairs()
    inside = ", ".join(f"{b}:{b + n}" for n, (b, _) in zip(case.spatial, pairs, strict=True))
    yield _same(_shapes(case), _on(case), around, left="y0[0]", right=f"y1[0][..., {inside}]")
    yield _same(_shapes(case), _on(case), around, left="y0[1]", right="y1[1]")


def _reverse(case: Case) -> Iterator[Trial]:
    if isinstance(spec_of(case).padding, str) or not fits_exactly(case):
        return
    for axis in range(spec_of(case).axes):
        flip = along(axis, "::-1")
        calls = (_on(case, g="g" + flip, x="x" + flip, w="w" + flip), _on(case))
        for place in (0, 1):
            yield _same(_shapes(case), *calls, left=f"y0[{place}]", right=f"y1[{place}]{flip}")


def _exchange(case: Case) -> Iterator[Trial]:
    if spec_of(case).axes < 2:
        return
    turned = {name: f"{name}.swapaxes(-1, -2)" for name in ("g", "x", "w")}
    calls = (_on(case), _on(exchanged(case), **turned))
    for place in (0, 1):
        yield _same(_shapes(case), *calls, left=f"y0[{place}]",
                    right=f"y1[{place}].swapaxes(-1, -2)")  # fmt: skip


def _adjoint(case: Case) -> Iterator[Trial]:
    forward = Call(
        case=replace(case, op=case.op.removesuffix("_backward")), arrays={"x": "x", "w": "w"},
        by="partner",
    )  # fmt: skip
    for place, name in ((0, "x"), (1, "w")):
        yield _same(_shapes(case), _on(case), forward,
                    left=f"(y0[{place}].astype('float64') * {name}).sum()",
                    right="(y1.astype('float64') * g).sum()")  # fmt: skip
