"""What the command line asks of a model, answered: target, guessed input, lock, sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.models.check import check_model
from convcheck.models.lock import changed, write_lock
from convcheck.models.model_report import ModelReport
from convcheck.models.target import find_model, parse_shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The arguments of `convcheck model`.

    Attributes:
        target: The model.
        input_text: Shape of the input as text; guessed from the first layer where None.
        sizes: Whether to find the input sizes that the model takes.
        strict: Whether a receptive field that is not exact fails.
        training: Whether to run in training mode.
        lock: File to write every layer's shape to.
        check: File to compare every layer's shape with.
    """

    target: str
    input_text: str | None = None
    sizes: bool = False
    strict: bool = False
    training: bool = False
    lock: Path | None = None
    check: Path | None = None


def answer(asked: Asked, *, say: Callable[[str], None]) -> ModelReport:
    """Returns the report that was asked for; `say` takes remarks on progress."""
    model = find_model(asked.target)
    shape = parse_shape(asked.input_text) if asked.input_text else None
    if isinstance(model, Path):
        report = check_model(model, *([shape] if shape else []))
    else:
        if shape is None:
            from convcheck.models.guess import guess_input

            shape, why = guess_input(model)
            say(f"guessed --input {','.join(map(str, shape))} ({why})")
        training = True if asked.training else None
        report = check_model(model, shape, training=training)
        report = replace(report, name=asked.target)
    extra: list[Finding] = []
    if asked.sizes and report.model is not None:
        from convcheck.models.input_sizes import input_sizes

        extra.append(input_sizes(report).finding())
    if asked.strict:
        extra += _not_exact(report)
    if asked.check:
        extra += changed(report, asked.check)
    if asked.lock:
        write_lock(report, asked.lock)
        say(f"wrote {asked.lock}")
    return replace(report, findings=(*report.findings, *extra))


def _not_exact(report: ModelReport) -> list[Finding]:
    return [
        Finding(
            verdict=Verdict.FAIL,
            code="CC501",
            where=layer.name,
            what=f"the receptive field is {layer.receptive_field.status}, not exact",
            why=layer.receptive_field.reason,
        )
        for layer in report.layers
        if layer.receptive_field and layer.receptive_field.status != "exact"
    ]
