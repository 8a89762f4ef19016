"""What can be said of a case in one number or word: the vocabulary of conditions."""

from __future__ import annotations

from convcheck.core.case import Case
from convcheck.core.errors import GeometryError
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec

Value = int | str
_AXES = {1: ("W",), 2: ("H", "W"), 3: ("Z", "H", "W")}


def features(case: Case) -> dict[str, Value]:
    """Returns the features of a case by name; numbers are compared by size, words by identity."""
    spec = case.spec
    found: dict[str, Value] = {
        "dtype": case.dtype,
        "layout": case.layout,
        "values": case.values,
        "default arguments left out": int(case.defaults),
    }
    if isinstance(spec, (ConvSpec, PoolSpec)):
        found["batch size"] = case.batch
        if isinstance(spec, ConvSpec):
            found |= {
                "groups": spec.groups,
                "bias": int(spec.bias),
                "input channels": spec.in_channels,
                "output channels": spec.out_channels,
            }
            if spec.groups > 0:
                found["input channels per group"] = spec.in_channels // spec.groups
                found["output channels per group"] = spec.out_channels // spec.groups
        else:
            found |= {
                "channels": case.channels,
                "ceil_mode": int(spec.ceil_mode),
                "count_include_pad": int(spec.count_include_pad),
            }
        found |= _of_window(case, spec)
    elif isinstance(spec, SequenceSpec):
        found |= {"mode": spec.mode, "axes": spec.axes}
        for axis, (m, n) in enumerate(zip(case.spatial, spec.kernel_size, strict=True)):
            name = _AXES[spec.axes][axis]
            found |= {f"extent of f along {name}": m, f"extent of g along {name}": n}
            found[f"g longer than f by, along {name}"] = n - m
            found[f"parity of g along {name}"] = "even" if n % 2 == 0 else "odd"
    elif isinstance(spec, LossSpec):
        found |= {
            "batch size": case.batch,
            "classes": spec.classes,
            "reduction": spec.reduction,
            "ignored targets": int(spec.target in ("ignored", "all_ignored")),
            "only ignored targets": int(spec.target == "all_ignored"),
            "ignore_index": spec.ignored_index,
            "target": "index" if spec.target in ("ignored", "all_ignored") else spec.target,
            "log_target": int(spec.log_target),
            "label_smoothing": spec.label_smoothing,
            "class weights": int(spec.weighted),
            "positions": len(case.spatial),
        }
    return found


def _of_window(case: Case, spec: ConvSpec | PoolSpec) -> dict[str, Value]:
    found: dict[str, Value] = {"int arguments": int(case.int_arguments)}
    assert spec.stride is not None
    if isinstance(spec.padding, str):
        found["padding given as"] = spec.padding
        pairs: tuple[tuple[int, int], ...] = ((0, 0),) * spec.axes
    else:
        found["padding given as"] = "numbers"
        pairs = spec.padding
    names = _AXES[spec.axes]
    out = _output(case)
    parts: dict[str, list[int]] = {
        "kernel": list(spec.kernel_size),
        "stride": list(spec.stride),
        "dilation": list(spec.dilation),
        "padding": [max(pair) for pair in pairs],
        "input extent": list(case.spatial),
    }
    if isinstance(spec, ConvSpec) and spec.transposed:
        parts["output_padding"] = list(spec.output_padding)
    if out:
        parts["output extent"] = list(out)
    parts["stride minus kernel"] = [
        s - k for s, k in zip(spec.stride, spec.kernel_size, strict=True)
    ]
    parts["padding minus half the kernel"] = [
        max(pair) - effective_kernel(k, d) // 2
        for pair, k, d in zip(pairs, spec.kernel_size, spec.dilation, strict=True)
    ]
    if min(spec.stride) > 0:
        parts["unread remainder"] = [
            (n + sum(pair) - effective_kernel(k, d)) % s
            for n, pair, k, d, s in zip(
                case.spatial, pairs, spec.kernel_size, spec.dilation, spec.stride, strict=True
            )
        ]
    for part, values in parts.items():
        if spec.axes == 1:
            found[part] = values[0]
            continue
        for name, value in zip(names, values, strict=True):
            found[f"{part} along {name}"] = value
        found[f"largest {part}"] = max(values)
        found[f"smallest {part}"] = min(values)
        found[f"{part} on the axes"] = "equal" if len(set(values)) == 1 else "different"
    for name, kernel in zip(names, spec.kernel_size, strict=True):
        found[f"parity of the kernel along {name}"] = "even" if kernel % 2 == 0 else "odd"
    return found


def _output(case: Case) -> tuple[int, ...]:
    try:
        return output_shape(case)[2:]
    except GeometryError:
        return ()
