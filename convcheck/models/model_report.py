"""`ModelReport`: what `check_model` found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict, combine
from convcheck.models.graph import LayerGraph
from convcheck.models.layers import LayerCall


class ModelError(AssertionError):
    """A model failed its check; `report` tells what was found."""

    def __init__(self, report: ModelReport) -> None:
        lines = [f"{report.name}: {report.verdict}"]
        for finding in report.findings:
            if finding.verdict is not Verdict.SKIP:
                lines.append(f"{finding.code} {finding.where}: {finding.what}")
                lines += [f"  why: {finding.why}"] if finding.why else []
                lines += [f"  fix: {finding.fix}"] if finding.fix else []
        super().__init__("\n".join(lines))
        self.report = report


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """The layer calls of one model, and what is wrong with it.

    Attributes:
        name: What was checked.
        layers: The layer calls, in call order.
        findings: Faults (FAIL), and remarks that change no verdict (SKIP).
        graph: Every call, for those who need more than the layers.
        model: What can be run again with other sizes (`input_sizes`); None for an ONNX file.
    """

    name: str
    layers: tuple[LayerCall, ...]
    findings: tuple[Finding, ...]
    graph: LayerGraph
    model: Any = field(default=None, repr=False)

    @property
    def verdict(self) -> Verdict:
        """FAIL where a finding or a layer fails; UNKNOWN where nothing was checked."""
        return combine(
            [*(layer.verdict for layer in self.layers), *(f.verdict for f in self.findings)]
        )

    @property
    def passed(self) -> bool:
        """Whether every layer call agrees with its formula and no fault was found."""
        return self.verdict is Verdict.PASS

    @property
    def parameters(self) -> int:
        """Distinct parameter elements of the model."""
        return self.graph.parameters

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the convolutions and linear layers."""
        return sum(layer.macs for layer in self.layers)

    def raise_for_findings(self) -> None:
        """Raises `ModelError` unless the check passed.

        Raises:
            ModelError: A fault was found, or nothing was checked; the message carries the findings.
        """
        if not self.passed:
            raise ModelError(self)

    def select(self, wanted: Callable[[LayerCall], bool]) -> tuple[LayerCall, ...]:
        """Returns the layer calls for which `wanted` is true."""
        return tuple(filter(wanted, self.layers))
