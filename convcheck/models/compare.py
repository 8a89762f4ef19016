"""Two models side by side: the shapes that agree, and the parameters that do not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from convcheck.core.text import for_markdown_code
from convcheck.models.layers import LayerCall
from convcheck.models.model_report import ModelReport
from convcheck.models.predictions import text


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """The layer calls of two models, paired in call order.

    Attributes:
        names: What the two are called.
        rows: The pairs; None where one model has no further call.
    """

    names: tuple[str, str]
    rows: tuple[tuple[LayerCall | None, LayerCall | None], ...]

    @property
    def same_end(self) -> bool:
        """Whether both models end in the same shape."""
        ends = [[row[i].output_shape for row in self.rows if row[i]][-1:] for i in (0, 1)]  # type: ignore[union-attr]
        return bool(ends[0]) and ends[0] == ends[1]

    def markdown(self) -> str:
        """Returns the pairs as a Markdown table."""
        first, second = map(for_markdown_code, self.names)
        lines = [
            f"| layer | {first}: output | parameters | {second}: output | parameters |",
            "| --- | --- | --- | --- | --- |",
        ]
        for pair in self.rows:
            name = next(layer.name for layer in pair if layer)
            cells = [for_markdown_code(name)]
            for layer in pair:
                cells += [text(layer.output_shape), str(layer.parameters)] if layer else ["", ""]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


def side_by_side(
    first: ModelReport, second: ModelReport, *, names: tuple[str, str] | None = None
) -> SideBySide:
    """Returns two checked models side by side.

    Shapes alone do not tell a kernel of 3 from one of 5 where a pooling rounds the difference
    away; the parameters do.
    """
    return SideBySide(
        names=names or (first.name, second.name),
        rows=tuple(zip_longest(first.layers, second.layers)),
    )
