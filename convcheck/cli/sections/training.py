"""Section: the training run, its layers validated first, with curves and pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from math import log
from typing import Any

import numpy as np

from convcheck.cli.sections.context import Context
from convcheck.cli.sections.training_runs import comparison, further_runs, spreads
from convcheck.core.finding import Finding
from convcheck.core.text import for_markdown
from convcheck.core.verdict import Verdict
from convcheck.report import figures
from convcheck.report.document import Block, Figure, Folded, Paragraph, Section, Table


def build(context: Context) -> Section:
    """Returns the section; the run happens now, in `training/` below the report's directory."""
    from convcheck.training import train

    out = context.out / "training"
    if not context.resume:
        shutil.rmtree(out, ignore_errors=True)
    recipe = "notes" if context.full or context.data != "shapes10" else None
    result = train(
        recipe,
        context.data,
        seed=context.seed,
        out=out,
        resume=context.resume,
        device="cpu",
        log=context.say,
    )
    if result.interrupted:
        raise KeyboardInterrupt
    label = f"{result.recipe} on {result.data}, seed {result.seed}"
    findings = (*result.findings, _learned(result))
    if result.accuracy is None:
        return Section(
            key="training",
            title="The training run",
            says=f"{label}: stopped after {result.steps} steps",
            findings=findings,
        )
    others = further_runs(context)
    runs = [result, *others]
    found = [f"recipe {label}: test accuracy {100 * result.accuracy:.2f} % after "
             f"{result.steps:,} steps"]  # fmt: skip
    found += [text.removesuffix(".") for text in spreads(runs)]
    found += [f"recipe {run.recipe}, seed {run.seed}: {100 * run.accuracy:.2f} %"
              for run in others if run.recipe != result.recipe and run.accuracy]  # fmt: skip
    for run in others:
        where = f"{run.recipe}, seed {run.seed}"
        findings += tuple(
            replace(finding, where=f"{where}: {finding.where}")
            for finding in (*run.findings, _learned(run))
        )
    return Section(
        key="training",
        title="The training run",
        says="; ".join(found),
        blocks=(
            Paragraph(
                f"Data: **{for_markdown(result.data)}**. Every figure here was obtained on it; "
                "none may be put beside a result on other data. The layers were validated, and "
                "the first batch's loss and gradient compared with their exact values, before the "
                "first step."
            ),
            _layers(result),
            _checks(result),
            *comparison(runs),
            _settings(result),
            *_figures(result, label, pictures=context.pictures),
        ),
        findings=findings,
        data={
            **_without_time(result),
            "further_runs": [_without_time(run) for run in others],
        },
    )


def _without_time(result: Any) -> dict[str, Any]:
    """Returns a result as JSON values that a second run gives again."""
    return dict(json.loads(json.dumps({**result.to_json(), "seconds": None})))


def _learned(result: Any) -> Finding:
    """A run that does not beat a guess by three standard deviations has not learned."""
    if result.accuracy is None:
        what = f"the run stopped after {result.steps} of {result.total_steps} steps"
        return Finding(verdict=Verdict.UNKNOWN, where="accuracy", what=what)
    pictures = int(np.sum(result.confusion))
    guess = 1 / len(result.classes)
    least = guess + 3 * (guess * (1 - guess) / pictures) ** 0.5
    return Finding(
        verdict=Verdict.PASS if result.accuracy > least else Verdict.FAIL,
        where="accuracy",
        what=f"{100 * result.accuracy:.2f} % of {pictures:,} test pictures; a guess reaches "
        f"{100 * guess:.0f} %, and by chance at most {100 * least:.1f} %",
    )


def _checks(result: Any) -> Table:
    return Table(
        ("before the first step", "verdict", "found"),
        tuple(
            (for_markdown(finding.where), str(finding.verdict), for_markdown(finding.what))
            for finding in result.findings
        ),
    )


def _layers(result: Any) -> Table:
    def size(shape: Any) -> str:
        return "x".join(map(str, shape[1:])) if shape else "-"

    return Table(
        ("layer", "op", "input", "output", "by the formula", "parameters"),
        tuple(
            (
                for_markdown(layer.path),
                layer.op,
                size(layer.input_shape),
                size(layer.output_shape),
                size(layer.expected_shape),
                f"{layer.parameters:,}",
            )
            for layer in result.layers
        ),
    )


def _settings(result: Any) -> Folded:
    rows = tuple((name, for_markdown(str(value))) for name, value in result.settings.items())
    return Folded("The recipe, setting by setting", (Table(("setting", "value"), rows),))


def _figures(result: Any, label: str, *, pictures: bool) -> list[Block]:
    steps, losses = zip(*result.loss_curve, strict=True)
    epochs = [step / result.total_steps * result.settings["epochs"]
              for step, _ in result.evaluations]  # fmt: skip
    accuracies = [accuracy for _, accuracy in result.evaluations]
    blocks: list[Block] = [
        Figure(
            "loss.svg",
            f"Training loss, {label}",
            figures.loss_curve(steps, losses, label=label, chance=log(len(result.classes))),
        ),
        Figure(
            "accuracy.svg",
            f"Test accuracy by epoch, {label}",
            figures.accuracy_curve(epochs, accuracies, label=label),
        ),
        Figure(
            "classes.svg",
            f"Test accuracy by class, {label}",
            figures.class_bars(result.per_class, label=label),
        ),
        Figure(
            "confusion.svg",
            f"Confusion matrix, {label}",
            figures.confusion(result.confusion, result.classes, label=label),
        ),
    ]
    if result.pictures is not None:
        blocks.extend(_pictures(result, of_data=pictures))
    return blocks


def _pictures(result: Any, *, of_data: bool) -> list[Block]:
    arrays = result.pictures
    filters = np.concatenate([arrays.filters_before, arrays.filters_after])
    count = len(arrays.filters_before)
    captions = [f"{when} {n}" for when in ("before", "after") for n in range(count)]
    columns = 6
    maps: list[np.ndarray | None] = []
    names: list[str] = []
    if of_data:
        maps = [arrays.sample.transpose(1, 2, 0), *[None] * (columns - 1)]
        names = [result.classes[arrays.sample_label], *[""] * (columns - 1)]
    for path, channels in arrays.feature_maps.items():
        if channels.ndim != 3:  # the linear layers have no maps
            continue
        size = "x".join(map(str, channels.shape))
        maps.extend(channels[:columns])
        names.extend([f"{path} {size}"] * len(channels[:columns]))
    drawn: list[Block] = [
        Figure(
            "filters.png",
            "First-layer filters, before training and after",
            figures.picture_grid(_as_pictures(filters), captions, columns=count),
        ),
        Figure(
            "feature_maps.png",
            "Feature maps of one test picture, layer by layer, of the sizes validated above",
            figures.picture_grid(maps, names, columns=columns),
        ),
    ]
    if not of_data:
        return [*drawn, Paragraph("The most confident mistakes are left out, with the pictures.")]
    labels = [
        f"{result.classes[true]}, said {result.classes[said]} {share:.0%}"
        for true, said, share in zip(
            arrays.mistake_labels,
            arrays.mistake_predictions,
            arrays.mistake_confidences,
            strict=True,
        )
    ]
    grid = figures.picture_grid(arrays.mistakes[:24].transpose(0, 2, 3, 1), labels)
    return [*drawn, Figure("mistakes.png", "The most confident mistakes", grid)]


def _as_pictures(filters: np.ndarray) -> np.ndarray:
    """Returns filters (F, 3, K, K) as pictures (F, K, K, 3), each scaled to its own range."""
    low = filters.min(axis=(1, 2, 3), keepdims=True)
    span = np.maximum(filters.max(axis=(1, 2, 3), keepdims=True) - low, np.finfo(np.float32).tiny)
    return (255 * (filters - low) / span).astype(np.uint8).transpose(0, 2, 3, 1)
