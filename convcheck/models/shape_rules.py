"""The shape that each operator must return, by its closed formula, with the formula worked out.

A rule reads the arguments of the call, never the attributes of the module that made it: a
subclass may pad by itself, and what was called is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, prod
from typing import Any

from convcheck.core.errors import GeometryError
from convcheck.core.sizes import per_axis
from convcheck.models.graph import Call, Shape
from convcheck.models.predictions import Prediction, once_each, text
from convcheck.models.window_rules import WINDOW_RULES


def predict(call: Call) -> Prediction | None:
    """Returns what the closed formula says of a call, or None where there is none for it.

    Raises:
        GeometryError: The call is impossible.
    """
    rule = _RULES.get(call.op)
    return rule(call) if rule and call.inputs else None


def has_rule(op: str) -> bool:
    """Whether there is a closed formula for `op`."""
    return op in _RULES


def _pixel_shuffle(call: Call) -> Prediction:
    shape, r = call.input_shape, int(call.options["upscale_factor"])
    c, h, w = shape[-3:]
    if r < 1 or c % (r * r):
        raise GeometryError(
            f"{c} channels are not divisible by upscale_factor^2 = {r * r}",
            why=f"{c} = {c // (r * r) if r else 0} * {r * r} + {c % (r * r) if r else c}",
        )
    out = (c // (r * r), h * r, w * r)
    return Prediction(
        shape=(*shape[:-3], *out), formula=f"{c} / {r}^2 = {out[0]}; {h} * {r} = {h * r}"
    )


def _pixel_unshuffle(call: Call) -> Prediction:
    shape, r = call.input_shape, int(call.options["downscale_factor"])
    c, h, w = shape[-3:]
    if r < 1 or h % r or w % r:
        raise GeometryError(
            f"{h}x{w} is not divisible by downscale_factor {r}",
            why=f"{h} mod {r} = {h % r if r else h}, {w} mod {r} = {w % r if r else w}",
        )
    return Prediction(
        shape=(*shape[:-3], c * r * r, h // r, w // r),
        formula=f"{c} * {r}^2 = {c * r * r}; {h} / {r} = {h // r}",
    )


def _interpolate(call: Call) -> Prediction:
    shape = call.input_shape
    extents = shape[2:]
    size, scale = call.options.get("size"), call.options.get("scale_factor")
    if size is not None:
        sizes = per_axis(size, len(extents), "size")
        return Prediction(shape=(*shape[:2], *sizes), formula=f"size = {text(sizes)}")
    scales = scale if isinstance(scale, Sequence) else (scale,) * len(extents)
    sizes = tuple(floor(float(n) * float(s)) for n, s in zip(extents, scales, strict=True))
    formula = once_each(
        f"floor({n} * {s}) = {out}" for n, s, out in zip(extents, scales, sizes, strict=True)
    )
    return Prediction(shape=(*shape[:2], *sizes), formula=formula)


def _pad(call: Call) -> Prediction:
    shape, pads = list(call.input_shape), [int(p) for p in call.options["pad"]]
    clauses = []
    for i in range(len(pads) // 2):
        before, after = pads[2 * i], pads[2 * i + 1]
        axis = len(shape) - 1 - i
        if before or after:
            clauses.append(f"{shape[axis]} + {before} + {after} = {shape[axis] + before + after}")
        _check_pad(call, shape[axis], before, after)
        shape[axis] += before + after
    return Prediction(shape=tuple(shape), formula=once_each(reversed(clauses)) or "no padding")


def _check_pad(call: Call, size: int, before: int, after: int) -> None:
    mode = call.options.get("mode", "constant")
    most = {"reflect": size - 1, "circular": size}.get(str(mode))
    if most is not None and max(before, after) > most:
        raise GeometryError(
            f"{mode} padding {max(before, after)} on an input of {size}",
            why=f"{mode} padding can be at most {most} there",
        )


def _flatten(call: Call) -> Prediction:
    shape = call.input_shape
    if not shape:
        return Prediction(shape=(1,), formula="1")
    start = int(call.options.get("start_dim", 0)) % len(shape)
    end = int(call.options.get("end_dim", -1)) % len(shape)
    merged = shape[start : end + 1]
    return Prediction(
        shape=(*shape[:start], prod(merged), *shape[end + 1 :]),
        formula=f"{' * '.join(map(str, merged))} = {prod(merged)}",
    )


def _unflatten(call: Call) -> Prediction | None:
    shape, dim = call.input_shape, call.options.get("dim")
    if not isinstance(dim, int):
        return None
    dim %= len(shape)
    sizes = _inferred(call.options["sizes"], shape[dim])
    return Prediction(
        shape=(*shape[:dim], *sizes, *shape[dim + 1 :]),
        formula=f"{shape[dim]} = {' * '.join(map(str, sizes))}",
    )


def _view(call: Call) -> Prediction | None:
    wanted = call.options.get("shape")
    if isinstance(wanted, int):
        wanted = (wanted,)
    if not isinstance(wanted, Sequence):
        return None
    sizes = _inferred(wanted, prod(call.input_shape))
    return Prediction(
        shape=sizes,
        formula=f"{text(call.input_shape)} = {prod(call.input_shape)} = {text(sizes)}",
    )


def _inferred(wanted: Sequence[Any], count: int) -> Shape:
    sizes = [int(n) for n in wanted]
    known = prod(n for n in sizes if n != -1)
    if -1 in sizes and known and count % known == 0:
        sizes[sizes.index(-1)] = count // known
    if prod(sizes) != count or -1 in sizes:
        raise GeometryError(
            f"{count} elements do not fill the shape {text(wanted)}",
            why=f"{count} = {_divided(count, known)}",
        )
    return tuple(sizes)


def _divided(count: int, by: int) -> str:
    return f"{count // by} * {by} + {count % by}" if by else f"nothing by {by}"


def _linear(call: Call) -> Prediction:
    shape, weight = call.input_shape, call.inputs[1].shape
    wanted = weight[-1]
    if not shape or shape[-1] != wanted:
        raise GeometryError(
            f"the input has {shape[-1] if shape else 0} features, the layer wants {wanted}",
            why=f"input {text(shape)}, weight {text(weight)}",
        )
    out = weight[:1] if len(weight) == 2 else ()
    return Prediction(
        shape=(*shape[:-1], *out),
        formula=f"{wanted} in, {out[0] if out else 1} out",
        macs=prod(shape[:-1]) * prod(weight),
    )


def _unchanged(call: Call) -> Prediction:
    return Prediction(shape=call.input_shape, formula="unchanged")


def _attention(call: Call) -> Prediction:
    query, value = call.inputs[0].shape, call.inputs[2].shape
    return Prediction(shape=(*query[:-1], value[-1]), formula="one value per query")


def _embedding(call: Call) -> Prediction | None:
    if len(call.inputs) < 2:
        return None
    return Prediction(
        shape=(*call.input_shape, call.inputs[1].shape[-1]), formula="one row per index"
    )


_RULES: dict[str, Callable[[Call], Prediction | None]] = {
    **WINDOW_RULES,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "channel_shuffle": _unchanged,
    "interpolate": _interpolate,
    "pad": _pad,
    "flatten": _flatten,
    "unflatten": _unflatten,
    "view": _view,
    "reshape": _view,
    "linear": _linear,
    "batch_norm": _unchanged,
    "instance_norm": _unchanged,
    "layer_norm": _unchanged,
    "rms_norm": _unchanged,
    "group_norm": _unchanged,
    "prelu": _unchanged,
    "embedding": _embedding,
    "multi_head_attention_forward": _unchanged,
    "scaled_dot_product_attention": _attention,
}
