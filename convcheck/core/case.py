"""`Case`: one call of an operation, whole, with its one-line descriptor.

The descriptor is the interface, as in oneDNN's benchdnn: it is what is printed, stored and
replayed, and `parse_case(str(case)) == case` for every case.

    conv2d n1 c3 h4 w9 f8 k3x3 s1 p1 d3 g1
    conv2d n2 c4 h5 w7 f6 k3x2 s2x1 p1:0x0:2 d1 g2 b1 float64 channels_last one_hot seed7
    conv_transpose2d n1 c2 h3 w3 f2 k2x2 s2 p0 d1 g1 op1
    max_pool2d n1 c1 h4 w4 k2x2 s2 p0 d1 ceil
    avg_pool1d n1 c1 w5 k3 s1 p1 exclude_pad
    cross_entropy n2 c3 mean index weighted
    cross_entropy n2 c3 sum ignored ignore-1
    kl_div n2 c3 batchmean log_target
    convolve h5 w4 k2x2 full
    output_size w32 k5 s1 p0 d1
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal, get_args

from convcheck.core.errors import UsageError, nearest
from convcheck.core.ops import find_op
from convcheck.core.sizes import Pair
from convcheck.core.spec import (
    PADDING_MODES,
    TARGETS,
    ConvSpec,
    LossSpec,
    PoolSpec,
    SequenceSpec,
    Spec,
)

Dtype = Literal[
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"
]
Layout = Literal[
    "contiguous",
    "channels_last",
    "transposed",
    "fortran",
    "pitched",
    "sliced",
    "expanded",
    "reversed",
    "offset",
]
Values = Literal[
    "integers",
    "one_hot",
    "negative",
    "large",
    "huge",
    "tiny",
    "real",
    "nonfinite",
    "negative_zero",
    "all_zeros",
    "zero_ends",
    "all_ones",
    "near_ones",
    "large_ones",
    "balanced",
]
Misfit = Literal["none", "short_bias", "wide_weight", "narrow_weight"]
DTYPES: tuple[Dtype, ...] = get_args(Dtype)
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
VALUES: tuple[Values, ...] = get_args(Values)
MISFITS: tuple[Misfit, ...] = get_args(Misfit)

_AXIS_NAMES = {1: "w", 2: "hw", 3: "zhw"}


@dataclass(frozen=True, slots=True)
class Case:
    """One call: an operation, its spec, the input's shape, and how the arrays are made.

    Attributes:
        op: Name of the operation; see `core.ops`.
        spec: Its parameters; `ConvSpec`, `PoolSpec`, `LossSpec` or `SequenceSpec`.
        spatial: Extents of the input's spatial axes; empty for the losses.
        batch: Batch size N, >= 0.
        channels: Channels of a pooling input; follows from the spec elsewhere.
        dtype: Element type of the arrays.
        layout: How the arrays lie in memory.
        values: Family of values that fill them.
        seed: Seed of the generator that fills them.
        int_arguments: Whether a parameter that is equal on all axes is passed as one int.
        defaults: Whether arguments that have their default value are left out of the call.
        misfit: Which array of a convolution does not fit the others by one element (a bias too
            short, the input channels of a weight), so that the call must be refused. A bias too
            long is refused by torch, and read as far as it goes by code that cuts it into groups; a
            bias of one element is broadcast by code that adds it as NumPy does.
    """

    _: KW_ONLY
    op: str
    spec: Spec
    spatial: tuple[int, ...] = ()
    batch: int = 1
    channels: int = 1
    dtype: Dtype = "float32"
    layout: Layout = "contiguous"
    values: Values = "integers"
    seed: int = 0
    int_arguments: bool = False
    defaults: bool = False
    misfit: Misfit = "none"

    def __post_init__(self) -> None:
        """Makes `channels` agree with the spec."""
        if isinstance(self.spec, ConvSpec):
            object.__setattr__(self, "channels", self.spec.in_channels)
        elif isinstance(self.spec, LossSpec):
            object.__setattr__(self, "channels", self.spec.classes)

    def input_shape(self) -> tuple[int, ...]:
        """Returns the shape of the first argument: (N, C, *spatial), or spatial alone."""
        if isinstance(self.spec, SequenceSpec):
            return self.spatial
        return (self.batch, self.channels, *self.spatial)

    def __str__(self) -> str:
        """Returns the one-line descriptor."""
        spec = _spec_tokens(self.spec)
        if self.op == "output_size":
            spec = [token for token in spec if token[0] in "kspd"]
        return " ".join([self.op, *_size_tokens(self), *spec, *_array_tokens(self)])


def parse_case(text: str) -> Case:
    """Returns the case that a descriptor names; the inverse of `str`.

    Args:
        text: A descriptor, as in the module's docstring; tokens after the op in any order.

    Raises:
        UsageError: The op or a token is unknown, stands twice, or a size is missing.
    """
    words = text.split()
    if not words:
        raise UsageError("the case is empty", fix="e.g. conv2d n1 c1 h5 w5 f1 k3x3 s1 p0 d1 g1")
    op = find_op(words[0])
    found: dict[str, Any] = {}
    for word in words[1:]:
        key, value = _read_token(word, text)
        if key in found:
            raise UsageError(f"{key} stands twice", where=text)
        found[key] = value
    try:
        return _build(op.name, op.family, op.axes, found)
    except KeyError as error:
        raise UsageError(
            f"{error.args[0]} is missing", where=text, fix=f"e.g. {_EXAMPLES[op.family]}"
        ) from None


_EXAMPLES = {
    "conv": "conv2d n1 c1 h5 w5 f1 k3x3 s1 p0 d1 g1",
    "conv_transpose": "conv_transpose2d n1 c1 h3 w3 f1 k2x2 s2 p0 d1 g1 op0",
    "conv_backward": "conv2d_backward n1 c1 h5 w5 f1 k3x3 s1 p0 d1 g1",
    "conv_transpose_backward": "conv_transpose2d_backward n1 c1 h3 w3 f1 k2x2 s2 p0 d1 g1 op0",
    "conv_double_backward": "conv2d_double_backward n1 c1 h5 w5 f1 k3x3 s1 p0 d1 g1",
    "conv_transpose_double_backward": "conv_transpose2d_double_backward n1 c1 h3 w3 f1 k2x2 s2 p0"
    " d1 g1 op0",
    "max_pool": "max_pool2d n1 c1 h4 w4 k2x2 s2 p0 d1",
    "avg_pool": "avg_pool2d n1 c1 h4 w4 k2x2 s2 p0",
    "cross_entropy": "cross_entropy n2 c3 mean index",
    "kl_div": "kl_div n2 c3 mean",
    "convolve": "convolve w5 k3 full",
    "output_size": "output_size w32 k5 s1 p0 d1",
}


def _size_tokens(case: Case) -> list[str]:
    names = _AXIS_NAMES.get(len(case.spatial), "")
    sizes = [f"{name}{size}" for name, size in zip(names, case.spatial, strict=True)]
    if isinstance(case.spec, SequenceSpec) or case.op == "output_size":
        return sizes
    return [f"n{case.batch}", f"c{case.channels}", *sizes]


def _spec_tokens(spec: Spec) -> list[str]:
    if isinstance(spec, LossSpec):
        words = [spec.reduction, spec.target if not spec.log_target else "log_target"]
        words += [f"ls{spec.label_smoothing}"] if spec.label_smoothing else []
        words += ["weighted"] if spec.weighted else []
        return [*words, *([] if spec.ignore_index is None else [f"ignore{spec.ignore_index}"])]
    kernel = "k" + "x".join(map(str, spec.kernel_size))
    if isinstance(spec, SequenceSpec):
        return [kernel, spec.mode]
    assert spec.stride is not None
    window = [kernel, _joined("s", spec.stride), _padding_token(spec.padding)]
    window.append(_joined("d", spec.dilation))
    if isinstance(spec, PoolSpec):
        flags = (("ceil", spec.ceil_mode), ("exclude_pad", not spec.count_include_pad))
        return [*window, *(word for word, is_set in flags if is_set)]
    tokens = [f"f{spec.out_channels}", *window, f"g{spec.groups}"]
    if spec.transposed:
        tokens.append(_joined("op", spec.output_padding))
    if spec.bias:
        tokens.append("b1")
    if spec.padding_mode != "zeros":
        tokens.append(spec.padding_mode)
    return tokens


def _array_tokens(case: Case) -> list[str]:
    arrays: tuple[str, ...] = (case.dtype, case.layout, case.values)
    defaults = ("float32", "contiguous", "integers")
    tokens = [value for value, default in zip(arrays, defaults, strict=True) if value != default]
    if case.seed:
        tokens.append(f"seed{case.seed}")
    flags = (
        ("int_arguments", case.int_arguments), ("defaults", case.defaults),
        (case.misfit, case.misfit != "none"),
    )  # fmt: skip
    return [*tokens, *(word for word, is_set in flags if is_set)]


def _joined(key: str, values: tuple[int, ...]) -> str:
    short = values[:1] if len(set(values)) == 1 else values
    return key + "x".join(map(str, short))


def _padding_token(padding: tuple[Pair, ...] | str) -> str:
    if isinstance(padding, str):
        return f"p{padding}"
    sides = [str(b) if b == a else f"{b}:{a}" for b, a in padding]
    return "p" + (sides[0] if len(set(sides)) == 1 else "x".join(sides))


_NUMBER = re.compile(r"(seed|op|ls|ignore|[nczhwfgb])(-?\d{1,30})")
_NUMBERS = re.compile(r"(op|[ksd])(-?\d{1,30}(?:x-?\d{1,30})*)")
_PADDING = re.compile(r"p(same|valid|-?\d{1,30}(?::-?\d{1,30})?(?:x-?\d{1,30}(?::-?\d{1,30})?)*)")
_WORDS: dict[str, tuple[str, Any]] = {
    **{word: ("dtype", word) for word in DTYPES},
    **{word: ("layout", word) for word in LAYOUTS},
    **{word: ("values", word) for word in VALUES},
    **{word: ("padding_mode", word) for word in PADDING_MODES},
    **{word: ("misfit", word) for word in MISFITS if word != "none"},
    **{word: ("reduction", word) for word in ("mean", "sum", "none", "batchmean")},
    **{word: ("target", word) for word in (*TARGETS, "log_target")},
    **{word: ("mode", word) for word in ("full", "same", "valid")},
    "ceil": ("ceil_mode", True),
    "exclude_pad": ("count_include_pad", False),
    "int_arguments": ("int_arguments", True),
    "defaults": ("defaults", True),
    "weighted": ("weighted", True),
}


def _read_token(word: str, text: str) -> tuple[str, Any]:
    if word in _WORDS:
        return _WORDS[word]
    if match := _NUMBERS.fullmatch(word):
        return match[1], tuple(map(int, match[2].split("x")))
    if match := _NUMBER.fullmatch(word):
        return match[1], int(match[2])
    if match := _PADDING.fullmatch(word):
        if match[1] in ("same", "valid"):
            return "p", match[1]
        sides = (tuple(map(int, side.split(":"))) for side in match[1].split("x"))
        return "p", tuple((side[0], side[-1]) for side in sides)
    raise UsageError(f"token {word!r} is unknown", where=text, fix=nearest(word, _WORDS))


def _build(op: str, family: str, axes: int, found: dict[str, Any]) -> Case:
    spatial = tuple(found[name] for name in _AXIS_NAMES.get(axes, "zhw") if axes or name in found)
    arrays: dict[str, Any] = {
        name: found[name]
        for name in ("dtype", "layout", "values", "seed", "int_arguments", "defaults")
        if name in found
    }
    common: dict[str, Any] = {"op": op, "spatial": spatial, **arrays}
    if family == "convolve":
        kernel, mode = found["k"], found.get("mode", "full")
        return Case(**common, spec=SequenceSpec(kernel_size=kernel, mode=mode))
    if family in ("cross_entropy", "kl_div"):
        return Case(**common, batch=found["n"], spec=_loss_spec(family, found))
    window = {
        "kernel_size": found["k"] * axes if len(found["k"]) == 1 else found["k"],
        "dilation": found.get("d", (1,)),
        "padding": found.get("p", ((0, 0),)),
    }
    if "s" in found:
        window["stride"] = found["s"]
    if family in ("max_pool", "avg_pool"):
        flags = {key: found[key] for key in ("ceil_mode", "count_include_pad") if key in found}
        pool = PoolSpec(kind="max" if family == "max_pool" else "avg", **window, **flags)
        return Case(**common, batch=found["n"], channels=found["c"], spec=pool)
    if family == "output_size":
        return Case(**common, spec=ConvSpec(**window))
    transposed = family.startswith("conv_transpose")
    spec = ConvSpec(
        **window,
        in_channels=found["c"],
        out_channels=found["f"],
        groups=found.get("g", 1),
        bias=bool(found.get("b", 0)),
        padding_mode=found.get("padding_mode", "zeros"),
        transposed=transposed,
        output_padding=found.get("op", (0,)),
    )
    if "misfit" in found and not family.endswith("backward"):
        common["misfit"] = found["misfit"]
    return Case(**common, batch=found["n"], spec=spec)


def _loss_spec(family: str, found: dict[str, Any]) -> LossSpec:
    spec = LossSpec(
        classes=found["c"],
        reduction=found.get("reduction", "mean"),
        label_smoothing=found.get("ls", 0),
        weighted=found.get("weighted", False),
        ignore_index=found.get("ignore"),
    )
    target = found.get("target", "index")
    if target == "log_target":
        return replace(spec, log_target=True)
    return replace(spec, target=target)
