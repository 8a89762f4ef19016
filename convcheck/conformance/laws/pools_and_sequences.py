"""Laws of the pools and of `convolve`.

A maximum is preserved by every increasing map, and the maximum of a union is the larger of two
maxima. An average is linear; its laws of arithmetic are put only where every divisor is a power of
two, so that both sides are exact. `convolve` commutes and associates, and its three modes are
parts of one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from convcheck.conformance.laws.law import Call, Law, Trial
from convcheck.conformance.laws.layer import along
from convcheck.core.case import Case
from convcheck.core.errors import GeometryError
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import PoolSpec, SequenceSpec
from convcheck.oracle.pooling import divisors

_POOLS: Any = ("max_pool", "avg_pool")


def pool_laws() -> tuple[Law, ...]:
    """Returns the laws of both pools, the plainest first."""
    return (
        Law(name="commutes with increasing maps", says="f(2 x + 3) = 2 f(x) + 3; f(x^3) = f(x)^3",
            families=("max_pool",), trials=_monotone),
        Law(name="takes the larger of two maxima", says="f(max(x, u)) = max(f(x), f(u))",
            families=("max_pool",), trials=_maximum),
        Law(name="adds in x", says="f(x + u) = f(x) + f(u)", families=("avg_pool",), trials=_adds),
        Law(name="scales in x", says="f(-3 x) = -3 f(x)", families=("avg_pool",), trials=_scales),
        Law(name="treats the images of a batch alone", says="f([x, u]) = [f(x), f(u)]",
            families=_POOLS, trials=_batch),
        Law(name="permutes with the channels", says="f(P x) = P f(x)", families=_POOLS,
            trials=_channels),
        Law(name="takes every s-th output for stride s", says="f(x; s) = f(x; 1)[::s]",
            families=_POOLS, trials=_stride),
        Law(name="pads with what never wins", says="f(x; p) = f(lowest around x; 0)",
            families=("max_pool",), trials=_padding),
        Law(name="pads with zeros", says="f(x; p) = f(zeros around x; 0)", families=("avg_pool",),
            trials=_padding),
        Law(name="crops with the input", says="f(a part of x) = that part of f(x)",
            families=_POOLS, trials=_crop),
        Law(name="reverses with the input", says="f(R x) = R f(x)", families=_POOLS,
            trials=_reverse),
        Law(name="exchanges its axes with the input", says="f(x^T; swapped) = f(x)^T",
            families=_POOLS, trials=_exchange),
    )  # fmt: skip


def sequence_laws() -> tuple[Law, ...]:
    """Returns the laws of `convolve`, the plainest first."""
    only: Any = ("convolve",)
    return (
        Law(name="commutes", says="f * g = g * f", families=only, trials=_commutes),
        Law(name="associates", says="(f * g) * h = f * (g * h)", families=only,
            trials=_associates),
        Law(name="adds in f", says="(f + u) * g = f * g + u * g", families=only,
            trials=lambda case: _adds_in(case, "f")),
        Law(name="adds in g", says="f * (g + u) = f * g + f * u", families=only,
            trials=lambda case: _adds_in(case, "g")),
        Law(name="scales in f", says="(-3 f) * g = -3 (f * g)", families=only,
            trials=_scales_in_f),
        Law(name="shifts with f", says="(0, f) * g = (0, f * g)", families=only, trials=_shifts),
        Law(name="reverses with both", says="R f * R g = R (f * g)", families=only,
            trials=_reverses),
        Law(name="keeps parts of one result", says='"full" contains "same" contains "valid"',
            families=only, trials=_modes),
    )  # fmt: skip


def _spec(case: Case) -> PoolSpec:
    assert isinstance(case.spec, PoolSpec)
    return case.spec


def _on(case: Case, x: str = "x") -> Call:
    return Call(case=case, arrays={"x": x})


def _put(case: Case, *calls: Call, left: str = "y0", right: str, **more: tuple) -> Trial:
    shapes = {"x": case.input_shape(), **more}
    return Trial(shapes=shapes, calls=calls, left=left, right=right, factors=1)


def _monotone(case: Case) -> Iterator[Trial]:
    yield _put(case, _on(case, "2 * x + 3"), _on(case), right="2 * y1 + 3")
    yield _put(case, _on(case, "x**3"), _on(case), right="y1**3")


def _maximum(case: Case) -> Iterator[Trial]:
    yield _put(case, _on(case, "np.maximum(x, u)"), _on(case), _on(case, "u"),
               right="np.maximum(y1, y2)", u=case.input_shape())  # fmt: skip


def _divides_exactly(case: Case) -> bool:
    counts = divisors(_spec(case), case.spatial)
    return not ((counts & (counts - 1)).any() or (counts == 0).any())


def _adds(case: Case) -> Iterator[Trial]:
    if _divides_exactly(case):
        yield _put(case, _on(case, "x + u"), _on(case), _on(case, "u"), right="y1 + y2",
                   u=case.input_shape())  # fmt: skip


def _scales(case: Case) -> Iterator[Trial]:
    if _divides_exactly(case):
        yield _put(case, _on(case, "-3 * x"), _on(case), right="-3 * y1")


def _batch(case: Case) -> Iterator[Trial]:
    if case.batch > 1:
        first, rest = replace(case, batch=1), replace(case, batch=case.batch - 1)
        yield _put(case, _on(case), _on(first, "x[:1]"), _on(rest, "x[1:]"),
                   right="np.concatenate([y1, y2])")  # fmt: skip


def _channels(case: Case) -> Iterator[Trial]:
    if case.channels > 1:
        yield _put(case, _on(case, "np.roll(x, 1, 1)"), _on(case), right="np.roll(y1, 1, 1)")


def _stride(case: Case) -> Iterator[Trial]:
    spec = _spec(case)
    assert spec.stride is not None
    if max(spec.stride) == 1 or spec.ceil_mode:
        return
    dense = replace(case, spec=replace(spec, stride=(1,) * spec.axes))
    part = ", ".join(f"::{s}" for s in spec.stride)
    yield _put(case, _on(case), _on(dense), right=f"y1[..., {part}]")


def _padding(case: Case) -> Iterator[Trial]:
    spec = _spec(case)
    # A dilated window may lie wholly in padding; a partly covered one has its own divisor.
    if not any(map(sum, spec.padding)) or spec.ceil_mode or max(spec.dilation) > 1:
        return
    if not spec.count_include_pad:
        return
    extents = tuple(n + sum(pair) for n, pair in zip(case.spatial, spec.padding, strict=True))
    bare = replace(case, spec=replace(spec, padding=((0, 0),) * spec.axes), spatial=extents)
    value = -99 if spec.kind == "max" else 0
    around = f"np.pad(x, {((0, 0), (0, 0), *spec.padding)}, constant_values={value})"
    yield _put(case, _on(case), _on(bare, around), right="y1")


def _crop(case: Case) -> Iterator[Trial]:
    spec = _spec(case)
    assert spec.stride is not None
    if spec.ceil_mode or any(map(sum, spec.padding)):
        return
    for axis, s in enumerate(spec.stride):
        out = output_shape(case)[2 + axis]
        if out < 2:
            continue
        first, last = max(1, out // 3), max(max(1, out // 3) + 1, out - out // 3)
        span = effective_kernel(spec.kernel_size[axis], spec.dilation[axis])
        start, end = first * s, (last - 1) * s + span
        spatial = (*case.spatial[:axis], end - start, *case.spatial[axis + 1 :])
        part = _on(replace(case, spatial=spatial), "x" + along(axis, f"{start}:{end}"))
        yield _put(case, part, _on(case), right="y1" + along(axis, f"{first}:{last}"))


def _reverse(case: Case) -> Iterator[Trial]:
    spec = _spec(case)
    assert spec.stride is not None
    for axis, s in enumerate(spec.stride):
        span = effective_kernel(spec.kernel_size[axis], spec.dilation[axis])
        if (case.spatial[axis] + sum(spec.padding[axis]) - span) % s == 0:
            flip = along(axis, "::-1")
            yield _put(case, _on(case, "x" + flip), _on(case), right="y1" + flip)


def _exchange(case: Case) -> Iterator[Trial]:
    spec = _spec(case)
    if spec.axes < 2:
        return

    def swap(values: Any) -> Any:
        return (*values[:-2], values[-1], values[-2])

    names = ("kernel_size", "stride", "padding", "dilation")
    changes: dict[str, Any] = {name: swap(getattr(spec, name)) for name in names}
    swapped = replace(case, spec=replace(spec, **changes), spatial=swap(case.spatial))
    yield _put(case, _on(case), _on(swapped, "x.swapaxes(-1, -2)"),
               right="y1.swapaxes(-1, -2)")  # fmt: skip


def _in_mode(case: Case, mode: Any, f: tuple[int, ...], g: tuple[int, ...]) -> Case:
    return replace(case, spatial=f, spec=SequenceSpec(kernel_size=g, mode=mode))


def _times(case: Case, f: str = "f", g: str = "g") -> Call:
    return Call(case=case, arrays={"f": f, "g": g})


def _full(case: Case) -> Case:
    return _in_mode(case, "full", case.spatial, case.spec.kernel_size)  # type: ignore[union-attr]


def _pair(case: Case) -> dict[str, tuple[int, ...]]:
    assert isinstance(case.spec, SequenceSpec)
    return {"f": case.spatial, "g": case.spec.kernel_size}


def _commutes(case: Case) -> Iterator[Trial]:
    shapes = _pair(case)
    other = _times(_in_mode(case, "full", shapes["g"], shapes["f"]), "g", "f")
    yield Trial(shapes=shapes, calls=(_times(_full(case)), other), left="y0", right="y1")


def _associates(case: Case) -> Iterator[Trial]:
    shapes = _pair(case)
    h = (2,) * len(case.spatial)
    grown = tuple(m + n - 1 for m, n in zip(shapes["f"], shapes["g"], strict=True))
    other = tuple(n + 1 for n in shapes["g"])
    yield Trial(
        shapes={**shapes, "h": h}, factors=3, left="y1", right="y3",
        calls=(
            _times(_full(case)), _times(_in_mode(case, "full", grown, h), "y0", "h"),
            _times(_in_mode(case, "full", shapes["g"], h), "g", "h"),
            _times(_in_mode(case, "full", shapes["f"], other), "f", "y2"),
        ),
    )  # fmt: skip


def _adds_in(case: Case, name: str) -> Iterator[Trial]:
    shapes = _pair(case)
    calls = tuple(_times(case, **{name: text}) for text in (f"{name} + u", name, "u"))
    yield Trial(shapes={**shapes, "u": shapes[name]}, calls=calls, left="y0", right="y1 + y2")


def _scales_in_f(case: Case) -> Iterator[Trial]:
    calls = (_times(case, "-3 * f"), _times(case))
    yield Trial(shapes=_pair(case), calls=calls, left="y0", right="-3 * y1")


def _shifts(case: Case) -> Iterator[Trial]:
    shapes = _pair(case)
    for axis in range(len(case.spatial)):
        pads = tuple((int(place == axis), 0) for place in range(len(case.spatial)))
        longer = tuple(n + before for n, (before, _) in zip(shapes["f"], pads, strict=True))
        late = _times(_in_mode(case, "full", longer, shapes["g"]), f"np.pad(f, {pads})")
        yield Trial(shapes=shapes, calls=(late, _times(_full(case))), left="y0",
                    right=f"np.pad(y1, {pads})")  # fmt: skip


def _reverses(case: Case) -> Iterator[Trial]:
    calls = (_times(_full(case), "np.flip(f)", "np.flip(g)"), _times(_full(case)))
    yield Trial(shapes=_pair(case), calls=calls, left="y0", right="np.flip(y1)")


def _modes(case: Case) -> Iterator[Trial]:
    shapes = _pair(case)
    for mode in ("same", "valid"):
        part = _in_mode(case, mode, shapes["f"], shapes["g"])
        try:
            output_shape(part)
        except GeometryError:
            continue  # neither contains the other
        cuts = []
        for m, n in zip(shapes["f"], shapes["g"], strict=True):
            start, size = ((n - 1) // 2, m) if mode == "same" else (min(m, n) - 1, abs(m - n) + 1)
            cuts.append(f"{start}:{start + size}")
        yield Trial(shapes=shapes, calls=(_times(part), _times(_full(case))), left="y0",
                    right=f"y1[{', '.join(cuts)}]")  # fmt: skip
