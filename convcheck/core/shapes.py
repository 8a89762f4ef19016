"""The shape of a case's result, or the `GeometryError` that says why it must be refused."""

from __future__ import annotations

from functools import lru_cache

from convcheck.core.case import Case
from convcheck.core.errors import ConvcheckError, GeometryError
from convcheck.core.sizes import conv_axis, conv_transpose_axis, pool_output_size
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec


@lru_cache(maxsize=4096)
def output_shape(case: Case) -> tuple[int, ...]:
    """Returns the shape of the forward result of `case`.

    For a backward op this is the shape of `grad_output`; for `output_size` it is the size itself.

    Raises:
        GeometryError: No such call is possible; the message ends with the case's descriptor.
    """
    try:
        return _output_shape(case)
    except ConvcheckError as error:
        raise GeometryError(error.what, why=error.why, where=str(case), fix=error.fix) from None


def _output_shape(case: Case) -> tuple[int, ...]:
    spec = case.spec
    _check_counts(case)
    if isinstance(spec, ConvSpec):
        return _conv_shape(case, spec)
    if isinstance(spec, PoolSpec):
        pads = spec.padding
        out = pool_output_size(
            case.spatial,
            spec.kernel_size,
            stride=spec.stride,
            padding=pads,
            dilation=spec.dilation,
            ceil_mode=spec.ceil_mode,
            kind=spec.kind,
        )
        assert isinstance(out, tuple)
        return (case.batch, case.channels, *out)
    if isinstance(spec, LossSpec):
        if spec.reduction == "none":
            return case.input_shape() if case.op == "kl_div" else (case.batch, *case.spatial)
        return ()
    return _sequence_shape(case.spatial, spec)


def _check_counts(case: Case) -> None:
    spec = case.spec
    if isinstance(spec, ConvSpec | PoolSpec) and len(case.spatial) != spec.axes:
        raise GeometryError(
            f"kernel_size {spec.kernel_size} has {spec.axes} axes",
            why=f"the input has {len(case.spatial)} spatial axes",
        )
    counts = [("batch", case.batch, 0)]
    if isinstance(spec, ConvSpec):
        counts += [("in_channels", spec.in_channels, 1), ("out_channels", spec.out_channels, 1)]
        counts += [("groups", spec.groups, 1)]
    elif isinstance(spec, PoolSpec):
        counts += [("channels", case.channels, 1)]
    elif isinstance(spec, LossSpec):
        counts += [("classes", spec.classes, 1)]
    for name, count, least in counts:
        if count < least:
            raise GeometryError(f"{name} {count}", why=f"it must be at least {least}")
    if isinstance(spec, ConvSpec) and case.misfit.endswith("bias") and spec.bias:
        raise GeometryError(
            f"bias of a length other than {spec.out_channels}", why="each filter has one"
        )
    if isinstance(spec, ConvSpec) and case.misfit.endswith("weight"):
        raise GeometryError(
            "weight whose input channels do not fit the input",
            why=f"the input has {spec.in_channels} in {spec.groups} groups",
        )
    if isinstance(spec, LossSpec):
        _check_target(spec)


def _check_target(spec: LossSpec) -> None:
    index, classes = spec.impossible_index, spec.classes
    if index is not None:
        sign = "negative " if index < 0 else ""
        raise GeometryError(
            f"{sign}class index {index} of {classes} classes", why="indices start at 0"
        )
    if not spec.has_indices and spec.ignored_index >= 0:
        raise GeometryError(
            f"ignore_index {spec.ignore_index} with probabilities",
            why="a distribution has no index to ignore",
        )


def _conv_shape(case: Case, spec: ConvSpec) -> tuple[int, ...]:
    for name, count in (("in_channels", spec.in_channels), ("out_channels", spec.out_channels)):
        if count % spec.groups:
            raise GeometryError(
                f"{name} {count} is not divisible by groups {spec.groups}",
                why=f"{count} = {count // spec.groups} x {spec.groups} + {count % spec.groups}",
            )
    if spec.transposed:
        _check_transposed(spec)
    pairs = spec.padding_pairs()
    if spec.transposed:
        sizes = (case.spatial, spec.kernel_size, spec.stride)
        out = tuple(map(conv_transpose_axis, *sizes, pairs, spec.output_padding, spec.dilation))
    else:
        out = tuple(
            map(conv_axis, case.spatial, spec.kernel_size, spec.stride, pairs, spec.dilation)
        )
        _check_boundary(case, spec)
    return out if case.op == "output_size" else (case.batch, spec.out_channels, *out)


def _check_transposed(spec: ConvSpec) -> None:
    if isinstance(spec.padding, str):
        raise GeometryError(
            f"padding {spec.padding!r}", why="a transposed convolution takes ints only"
        )
    if spec.padding_mode != "zeros":
        raise GeometryError(
            f"padding_mode {spec.padding_mode!r}",
            why="a transposed convolution cuts its padding off and has no boundary",
            fix='use padding_mode "zeros"',
        )


def _check_boundary(case: Case, spec: ConvSpec) -> None:
    if spec.padding_mode not in ("reflect", "circular"):
        return
    for size, pair in zip(case.spatial, spec.padding_pairs(), strict=True):
        most = size - 1 if spec.padding_mode == "reflect" else size
        if max(pair) > most:
            raise GeometryError(
                f"{spec.padding_mode} padding {max(pair)} on an input of {size}",
                why=f"{spec.padding_mode} padding can be at most {most} there",
            )


def _sequence_shape(spatial: tuple[int, ...], spec: SequenceSpec) -> tuple[int, ...]:
    if len(spatial) != spec.axes:
        raise GeometryError(f"f has {len(spatial)} axes and g has {spec.axes}")
    if min((*spatial, *spec.kernel_size)) < 1:
        raise GeometryError("an empty sequence", why="every extent must be at least 1")
    if spec.mode == "same":
        return spatial
    pairs = list(zip(spatial, spec.kernel_size, strict=True))
    if spec.mode == "full":
        return tuple(m + n - 1 for m, n in pairs)
    if not (all(m >= n for m, n in pairs) or all(m <= n for m, n in pairs)):
        raise GeometryError(
            "neither sequence contains the other",
            why='mode "valid" needs one of them to be at least as large on every axis',
        )
    return tuple(abs(m - n) + 1 for m, n in pairs)
