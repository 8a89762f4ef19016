"""`convcheck size`: a layer's output size, with the formula worked."""

from __future__ import annotations

import click

from convcheck.cli.options import common_options, write_json
from convcheck.core.errors import GeometryError, UsageError

OPS = ("conv", "conv_transpose", "max_pool", "avg_pool", "unfold", "fold")


@click.command(name="size")
@click.argument("op", type=click.Choice(OPS))
@click.option("--input", "input_size", required=True, help="Extents: 32, or 32,48 per axis.")
@click.option("--kernel", required=True, help="Kernel size: 5, or 5,3 per axis.")
@click.option("--stride", help="Step of the window; a pool's default is its kernel.")
@click.option("--padding", default="0", help='1; 1,2 per axis; 1:2 before:after; "same", "valid".')
@click.option("--dilation", default="1", help="Distance between taps.")
@click.option("--output-padding", default="0", help="For conv_transpose.")
@click.option("--ceil-mode", is_flag=True, help="Round up, for the pools.")
@common_options
def command(
    op: str,
    input_size: str,
    kernel: str,
    stride: str | None,
    padding: str,
    dilation: str,
    output_padding: str,
    ceil_mode: bool,
    json_file: str | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Work out a layer's output size, step by step.

    \b
    convcheck size conv --input 32 --kernel 5
    convcheck size max_pool --input 28 --kernel 2 --ceil-mode
    convcheck size conv --input 32,48 --kernel 3 --padding same --dilation 2
    """
    from math import prod

    from convcheck.core.explanation import WorkedSize, explain_axis
    from convcheck.core.sizes import padding_pairs, per_axis, pool_output_size

    extents = _ints(input_size, "--input")
    axes = len(extents)
    kernels = per_axis(_ints(kernel, "--kernel"), axes, "--kernel")
    is_pool = op in ("max_pool", "avg_pool")
    strides = per_axis(
        _ints(stride, "--stride") if stride else kernels if is_pool else 1, axes, "--stride"
    )
    dilations = per_axis(_ints(dilation, "--dilation"), axes, "--dilation")
    extras = per_axis(_ints(output_padding, "--output-padding"), axes, "--output-padding")
    pairs = padding_pairs(_padding(padding), kernels, dilations, strides)
    rule = "conv" if op in ("unfold", "fold") else op
    worked: list[WorkedSize] = [
        explain_axis(
            rule,  # type: ignore[arg-type]
            *(extents[axis], kernels[axis]),
            stride=strides[axis],
            padding=pairs[axis],
            dilation=dilations[axis],
            output_padding=extras[axis],
            ceil_mode=ceil_mode,
        )
        for axis in range(axes)
    ]
    for axis, work in enumerate(worked):
        if not quiet and json_file != "-":
            click.echo(_axis_text(work, axis, axes), err=work.size is None)
        if work.refusal is not None:
            raise work.refusal
    if op == "avg_pool":  # 3-D average pooling has a refusal that no single axis shows
        pool_output_size(extents, kernels, stride=strides, padding=pairs, dilation=dilations,
                         ceil_mode=ceil_mode, kind="avg")  # fmt: skip
    sizes = [work.size for work in worked if work.size is not None]
    columns = prod(sizes) if op in ("unfold", "fold") else None
    write_json(json_file, _as_json(op, extents, worked, columns))
    if json_file != "-":
        click.echo(_summary(op, extents, sizes, columns))
    return 0


def _axis_text(work: object, axis: int, axes: int) -> str:
    from convcheck.core.explanation import WorkedSize

    assert isinstance(work, WorkedSize)
    width = max(len(str(step)) for step in work.steps)
    lines = [f"  {step!s:<{width}}   {step.says}" for step in work.steps]
    if work.unread:
        plural = "s" if work.unread > 1 else ""
        lines.append(f"  the last {work.unread} element{plural} of the padded input: never read")
    return "\n".join([f"axis {axis}:", *lines] if axes > 1 else lines)


def _summary(op: str, extents: tuple[int, ...], sizes: list[int], columns: int | None) -> str:
    def joined(values: tuple[int, ...] | list[int]) -> str:
        return " x ".join(map(str, values))

    if columns is None:
        return f"{op}: {joined(extents)} -> {joined(sizes)}"
    side = "->" if op == "unfold" else "<-"
    positions = f" ({joined(sizes)})" if len(sizes) > 1 else ""
    return f"{op}: {joined(extents)} {side} {columns} columns{positions}"


def _as_json(op: str, extents: tuple[int, ...], worked: list, columns: int | None) -> dict:
    return {
        "op": op,
        "input": list(extents),
        "output": [work.size for work in worked],
        "columns": columns,
        "axes": [
            {
                "steps": [
                    {
                        "name": step.name,
                        "formula": step.formula,
                        "numbers": step.numbers,
                        "value": step.value,
                    }
                    for step in work.steps
                ],
                "unread": work.unread,
            }
            for work in worked
        ],
    }


def _ints(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is not an integer or integers with commas", fix=f"e.g. {option} 3,3"
        ) from None


def _padding(text: str) -> object:
    if not any(char.isdigit() for char in text):
        if text not in ("same", "valid"):
            raise GeometryError(f"--padding {text!r} is unknown", fix='use ints, "same" or "valid"')
        return text
    sides = [_ints(part.replace(":", ","), "--padding") for part in text.split(",")]
    if any(len(side) > 2 for side in sides):
        raise UsageError(f"--padding {text!r}: an axis has two sides", fix="e.g. --padding 1:2")
    pairs = [(side[0], side[-1]) for side in sides]
    if len(pairs) > 1:
        return pairs
    return pairs[0][0] if pairs[0][0] == pairs[0][1] else pairs
