"""The parameters of a call and their interesting levels, as data; one model per operation.

A *row* gives one level to every parameter of a model. Every row is a valid call: sizes are asked
for by the number of windows and the remainder, and the input is made just large enough (see
`rows.case_from_row`). Levels are the values at which kernels are known to break: 1, odd and even,
one past a vector or tile width, steps that differ between the axes.
"""

from __future__ import annotations

from dataclasses import dataclass

from convcheck.core.ops import Op

Level = int | str
Row = dict[str, Level]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a call and the levels that are tried, simplest first."""

    name: str
    levels: tuple[Level, ...]


AXES = {1: "w", 2: "hw", 3: "zhw"}

FLOATS: tuple[Level, ...] = ("float32", "float64", "float16", "bfloat16")
INTEGER = "int64"
LAYOUTS: tuple[Level, ...] = (
    "contiguous", "channels_last", "transposed", "fortran", "pitched", "sliced", "expanded",
    "reversed", "offset",
)  # fmt: skip
VALUES: tuple[Level, ...] = (
    "integers", "one_hot", "negative", "large", "real", "nonfinite", "negative_zero",
)  # fmt: skip

_EXTENTS: dict[int, tuple[tuple[Level, ...], ...]] = {
    1: ((1, 2, 4, 9, 17, 33),),
    2: ((1, 2, 5, 9), (1, 3, 8, 17, 33)),
    3: ((1, 2, 3), (1, 2, 4), (1, 3, 9, 17)),
}


def model(op: Op) -> tuple[Parameter, ...]:
    """Returns the parameters of an operation, in the order in which rows list them."""
    if op.family.startswith("conv") and op.family != "convolve":
        return _conv(op)
    if op.family in ("max_pool", "avg_pool"):
        return _pool(op)
    if op.family in ("cross_entropy", "kl_div"):
        return _loss(op)
    if op.family == "convolve":
        return _sequence()
    return _window(op.axes, past_half=True)[:-1]


def over_each(rows: tuple[Row, ...], bases: tuple[Row, ...]) -> tuple[Row, ...]:
    """Returns every base with every row over it."""
    return tuple({**base, **row} for row in rows for base in bases)


def _named(**levels: tuple[Level, ...]) -> tuple[Parameter, ...]:
    return tuple(Parameter(name=name, levels=values) for name, values in levels.items())


def _window(axes: int, *, past_half: bool) -> tuple[Parameter, ...]:
    padding: tuple[Level, ...] = ("none", "one", "half", "past_half")
    levels: dict[str, tuple[Level, ...]] = {}
    for axis, name in enumerate(AXES[axes]):
        levels[f"kernel_{name}"] = (1, 2, 3, 5) if axis == axes - 1 else (1, 2, 3, 4)
        levels[f"stride_{name}"] = (1, 2, 3, "past_kernel")
        levels[f"padding_{name}"] = padding if past_half else ("none", "half")
        levels[f"dilation_{name}"] = (1, 2, 3)
        levels[f"extent_{name}"] = _EXTENTS[axes][axis]
        levels[f"remainder_{name}"] = ("none", "most")
    return _named(**levels, arguments=("tuple", "int"))


def _arrays(values: tuple[Level, ...], dtypes: tuple[Level, ...] = FLOATS) -> tuple[Parameter, ...]:
    return _named(dtype=dtypes, layout=LAYOUTS, values=values)


def _conv(op: Op) -> tuple[Parameter, ...]:
    parameters = _named(
        batch=(1, 2, 3), in_per_group=(1, 2, 3, 17), out_per_group=(1, 2, 3, 17), groups=(1, 2, 3)
    ) + _window(op.axes, past_half=True)
    if op.family.startswith("conv_transpose"):
        parameters += _named(
            **{f"output_padding_{name}": ("none", "most") for name in AXES[op.axes]}
        )
    backward = op.family.endswith("backward")
    if not backward:
        parameters += _named(bias=(0, 1))
    if backward:
        return parameters + _arrays(VALUES)
    return parameters + _arrays(VALUES, (*FLOATS, INTEGER))


def _pool(op: Op) -> tuple[Parameter, ...]:
    parameters = _named(batch=(1, 2, 3), channels=(1, 2, 17)) + _window(op.axes, past_half=False)
    if op.family == "avg_pool":
        parameters = tuple(p for p in parameters if not p.name.startswith("dilation"))
        parameters += _named(count_include_pad=(1, 0))
    dtypes = (*FLOATS, INTEGER) if op.family == "max_pool" else FLOATS
    return parameters + _named(ceil_mode=(0, 1)) + _arrays(VALUES, dtypes)


def _loss(op: Op) -> tuple[Parameter, ...]:
    common = _named(batch=(1, 2, 3, 17), classes=(1, 2, 3, 17), positions=("", "1", "3", "2x3"))
    if op.family == "kl_div":
        own = _named(reduction=("mean", "sum", "none", "batchmean"), log_target=(0, 1))
    else:
        own = _named(
            reduction=("mean", "sum", "none"),
            # Two levels are named as the features that a function may refuse.
            target=("index", "probabilities", "ignored targets", "ignore_index"),
            ignored_index=(-1, 0, "class", 255),
            label_smoothing=(0, 10, 50),
            weighted=(0, 1),
        )
    values = ("integers", "one_hot", "negative", "large", "real")
    return common + own + _arrays(values)


def _sequence() -> tuple[Parameter, ...]:
    extents: tuple[Level, ...] = (1, 2, 3, 8, 17)
    return _named(
        axes=(1, 2, 3),
        f_z=(1, 2, 3),
        f_h=extents,
        f_w=(*extents, 65),
        g_z=(1, 2, 3),
        g_h=extents,
        g_w=extents,
        mode=("full", "same", "valid"),
        dtype=("float64", "float32", "int64", "int32", "int16", "int8"),
        layout=LAYOUTS,
        values=VALUES,
    )
