"""`convcheck test`: does a function compute what its operation says?"""

from __future__ import annotations

import sys
from typing import Any

import click

from convcheck.cli.options import common_options, write_json
from convcheck.core.errors import UsageError
from convcheck.core.ops import OPS, find_op
from convcheck.core.verdict import exit_code

_OPERATIONS = "\b\nOperations, and how the function is called:\n" + "\n".join(
    f"  {op.name:<27} {op.signature}" for op in OPS.values()
)


@click.command("test", epilog=_OPERATIONS)
@click.argument("target")
@click.option("--op", default="conv2d", show_default=True, help="What the function claims to be.")
@click.option("--strength", type=click.IntRange(2, 4), default=3, show_default=True,
              help="How many parameters are combined.")  # fmt: skip
@click.option("--max-cases", type=click.IntRange(1), help="Most cases of the search.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=20.0,
              show_default=True, help="Time for the search.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the values.")
@click.option("--in-process", is_flag=True, help="Call the function here, unprotected but faster.")
@click.option("--dtype", "dtypes", multiple=True, metavar="DTYPE",
              help="An element type that TARGET is for, of several; all by default.")  # fmt: skip
@click.option("--accumulate", metavar="DTYPE", help="Dtype in which sums are kept.")
@click.option("--algorithm", type=click.Choice(["direct", "winograd", "fft"]),
              help="Whose error bound holds; found out by default.")  # fmt: skip
@click.option("--arrays", type=click.Choice(["auto", "numpy", "torch"]), default="auto",
              show_default=True, help="Which arrays the function takes.")  # fmt: skip
@click.option("--autograd", is_flag=True, help="TARGET is a forward function to differentiate.")
@click.option("--machines", is_flag=True,
              help="Try other numbers of threads and instruction sets too.")  # fmt: skip
@click.option(
    "--laws", is_flag=True, help="Put the laws of the operation too, and run large shapes."
)
@click.option("--only-laws", is_flag=True, help="Put the laws alone: no expected value is needed.")
@click.option(
    "--law",
    "names",
    multiple=True,
    metavar="NAME",
    help="With --only-laws: this law; may be given again.",
)
@click.option("--partner", metavar="TARGET",
              help="With --only-laws: the other half of an adjoint pair.")  # fmt: skip
@click.option("--prove-shape", "shape", metavar="CASE",
              help="Try every pair of basis arguments of this one shape instead.")  # fmt: skip
@click.option("--record", metavar="FILE", help="Write the outcome of every case to FILE.")
@click.option("--against", metavar="FILE",
              help="Run the cases of such a FILE again, and name what changed.")  # fmt: skip
@click.option("--no-keep", is_flag=True, help="Do not keep failing cases in .convcheck/.")
@common_options
def command(
    target: str, op: str, strength: int, max_cases: int | None, seconds: float, seed: int,
    in_process: bool, dtypes: tuple[str, ...], accumulate: str | None, algorithm: Any, arrays: Any,
    autograd: bool, machines: bool, laws: bool, only_laws: bool, names: tuple[str, ...],
    partner: str | None, shape: str | None, record: str | None, against: str | None, no_keep: bool,
    json_file: str | None, quiet: bool, verbose: int, color: str,
) -> int:  # fmt: skip
    """Test TARGET against the exact oracle, and explain every fault.

    TARGET is package.module:function or path/to/file.py:function.

    \b
    convcheck test torch.nn.functional:conv2d --op conv2d
    convcheck test kernels.py:my_conv --op conv2d --seconds 5
    """
    find_op(op)
    from convcheck.conformance.check import check_implementation

    live = sys.stderr.isatty() and not quiet

    def show(cases: int, phase: str) -> None:
        sys.stderr.write(f"\r{cases} cases, {phase}   ")
        sys.stderr.flush()

    if against is not None:
        from convcheck.conformance.record import compare_with

        return _tell(compare_with(against, target, op, isolated=not in_process, arrays=arrays,
                                  autograd=autograd), json_file)  # fmt: skip
    if shape is not None:
        from convcheck.conformance.shape_proof import prove_shape

        whole = shape if shape.split()[:1] == [op] else f"{op} {shape}"
        return _tell(
            prove_shape(target, whole, seed=seed, isolated=not in_process, arrays=arrays,
                        autograd=autograd), json_file,
        )  # fmt: skip
    if (names or partner) and not only_laws:
        raise UsageError("--law and --partner say something of --only-laws", fix="add --only-laws")
    if only_laws:
        from convcheck.conformance.laws.check import check_laws

        if not quiet:
            click.echo(f"putting the laws of {op} to {target}", err=True)
        obeyed = check_laws(
            target, op, laws=names, partner=partner, seconds=seconds, seed=seed,
            isolated=not in_process, arrays=arrays, accumulate=accumulate,
            algorithm=algorithm or "direct", autograd=autograd,
        )  # fmt: skip
        return _tell(obeyed, json_file)
    if not quiet:
        click.echo(f"testing {target} as {op} for at most {seconds:g} s", err=True)
    report = check_implementation(
        target, op, strength=strength, max_cases=max_cases, seconds=seconds, seed=seed,
        isolated=not in_process, dtypes=dtypes, accumulate=accumulate, algorithm=algorithm,
        arrays=arrays, autograd=autograd, keep=not no_keep, machines=machines, laws=laws,
        record=record, progress=show if live else None,
    )  # fmt: skip
    if live:
        sys.stderr.write("\r" + " " * 40 + "\r")
    return _tell(report, json_file)


def _tell(report: Any, json_file: str | None) -> int:
    write_json(json_file, report.to_json())
    if json_file != "-":
        click.echo(str(report))
    return exit_code(report.verdict)
