"""The further runs of a full report: the notes' recipe from other seeds, and the typical one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcheck.cli.sections.context import Context
from convcheck.core.text import for_markdown
from convcheck.report.document import Block, Paragraph, Table

if TYPE_CHECKING:
    from convcheck.training import TrainingResult


def further_runs(context: Context) -> list[TrainingResult]:
    """Returns two more seeds of the notes' recipe, and one run of `typical`.

    Only a full report on pictures that were named has them: they take a quarter of an hour.

    Raises:
        KeyboardInterrupt: A run was interrupted; its checkpoint is kept.
    """
    from convcheck.training import train

    results: list[TrainingResult] = []
    if not context.full or context.data == "shapes10":
        return results
    for recipe, seed in (
        ("notes", context.seed + 1),
        ("notes", context.seed + 2),
        ("typical", context.seed),
    ):
        result = train(
            recipe,
            context.data,
            seed=seed,
            out=context.out / "training" / f"{recipe}-seed{seed}",
            resume=context.resume,
            device="cpu",
            log=context.say,
        )
        if result.interrupted:
            raise KeyboardInterrupt
        results.append(result)
    return results


def comparison(results: Sequence[TrainingResult]) -> list[Block]:
    """Returns the runs side by side, mean and spread of each recipe among them."""
    if len(results) < 2:
        return []
    rows = tuple(
        (
            result.recipe,
            str(result.seed),
            for_markdown(result.data),
            _percent(result.accuracy),
            _percent(result.mirrored_accuracy),
            f"{result.steps:,}",
            f"{result.seconds:.0f}",
        )
        for result in results
    )
    header = (
        "recipe", "seed", "data", "test accuracy", "with mirror images", "steps",
        "seconds of training and evaluation",
    )  # fmt: skip
    return [
        Paragraph("### Every run\n\n" + " ".join(spreads(results))),
        Table(header, rows),
    ]


def spreads(results: Sequence[TrainingResult]) -> list[str]:
    """Returns a sentence for each recipe that ended more than once: mean, deviation, range."""
    by_recipe: dict[str, list[float]] = {}
    for result in results:
        if result.accuracy is not None:
            by_recipe.setdefault(result.recipe, []).append(100 * result.accuracy)
    return [
        f"Recipe {recipe} over {len(values)} seeds: {statistics.mean(values):.1f} ± "
        f"{statistics.stdev(values):.1f} % ({min(values):.2f} to {max(values):.2f})."
        for recipe, values in by_recipe.items()
        if len(values) > 1
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"
