"""Figures of a training run, drawn with matplotlib to deterministic SVG, or PNG for pictures.

Every function is pure: arrays in, the bytes of one file out. The background is white, so that
they read the same on a light and a dark page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

_STYLE = {
    "svg.hashsalt": "convcheck",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
_BLUE, _ORANGE = "#2a6fbb", "#d9772b"


def loss_curve(
    steps: Sequence[int], losses: Sequence[float], *, label: str, chance: float
) -> bytes:
    """Returns an SVG of the training loss.

    Args:
        steps: Step numbers.
        losses: Mean loss up to each of them.
        label: What was trained on which data.
        chance: The loss of a uniform guess, drawn as a line.
    """
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(6.0, 3.0)
        axes.plot(steps, losses, color=_BLUE, marker="o", markersize=2.5, linewidth=1.2)
        axes.axhline(chance, color=_ORANGE, linestyle="--", linewidth=1)
        axes.annotate(
            f"uniform guess: {chance:.3f}",
            (steps[-1], chance),
            color=_ORANGE,
            ha="right",
            va="bottom",
        )
        axes.set(xlabel="step", ylabel="cross-entropy (nats)", title=label)
        return _svg(figure)


def accuracy_curve(epochs: Sequence[float], accuracies: Sequence[float], *, label: str) -> bytes:
    """Returns an SVG of the test accuracy, in percent, over the epochs."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(6.0, 2.6)
        axes.plot(epochs, [100 * value for value in accuracies], color=_BLUE, marker="o")
        axes.set(xlabel="epoch", ylabel="test accuracy (%)", title=label)
        axes.set_ylim(bottom=0)
        return _svg(figure)


def class_bars(accuracy: Mapping[str, float], *, label: str) -> bytes:
    """Returns an SVG with a bar per class: its test accuracy in percent."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(6.0, 0.28 * len(accuracy) + 0.9)
        names = list(accuracy)[::-1]
        values = [100 * accuracy[name] for name in names]
        bars = axes.barh(names, values, color=_BLUE)
        axes.bar_label(bars, fmt="%.1f", padding=2)
        axes.set(xlabel="test accuracy (%)", title=label, xlim=(0, 100))
        axes.grid(axis="y", visible=False)
        return _svg(figure)


def confusion(matrix: np.ndarray, names: Sequence[str], *, label: str) -> bytes:
    """Returns an SVG of the confusion matrix; rows are true classes, columns predictions."""
    with matplotlib.rc_context({**_STYLE, "axes.grid": False}):
        figure, axes = _figure(5.6, 5.0)
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.5 else "#333333"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=6)
        ticks = range(len(names))
        axes.set_xticks(ticks, names, rotation=60, ha="right")
        axes.set_yticks(ticks, names)
        axes.set(xlabel="predicted", ylabel="true", title=label)
        return _svg(figure)


def picture_grid(
    pictures: Sequence[np.ndarray | None] | np.ndarray, captions: Sequence[str], *, columns: int = 6
) -> bytes:
    """Returns a PNG of small pictures with a caption each.

    Args:
        pictures: Each (H, W, 3) uint8, or (H, W) floats drawn in grey from least to greatest;
            None leaves a place empty.
        captions: One per picture.
        columns: Pictures in a row.
    """
    with matplotlib.rc_context({**_STYLE, "axes.grid": False}):
        rows = -(-len(pictures) // columns)
        figure = Figure(figsize=(1.35 * columns, 1.55 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel in panels:
            panel.set_axis_off()
        for panel, picture, caption in zip(panels, pictures, captions, strict=False):
            if picture is not None:
                panel.imshow(picture, cmap="gray", interpolation="nearest")
                panel.set_title(caption, fontsize=6)
        return _save(figure, "png", dpi=110)


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Figure) -> bytes:
    return _save(figure, "svg")


def _save(figure: Figure, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, metadata=metadata, **options)
    return buffer.getvalue()
