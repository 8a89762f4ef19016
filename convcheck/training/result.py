"""`TrainingResult`: what a run gave, ready to be drawn, stored or asserted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict, combine
from convcheck.models import LayerCall
from convcheck.runtime.atomic import write_atomic


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """Arrays for figures.

    Attributes:
        filters_before: Kernels of the first convolution before training, (C_out, C_in, K, K).
        filters_after: The same after training.
        sample: The test picture of the feature maps, (3, H, W), uint8.
        sample_label: Its class.
        feature_maps: By layer path, in call order: the layer's output on the sample, (C, H, W).
        mistakes: The most confident wrong predictions, (M, 3, H, W), uint8.
        mistake_labels: Their true classes, (M,).
        mistake_predictions: The classes predicted, (M,).
        mistake_confidences: The probability given to the predicted class, (M,).
    """

    filters_before: NDArray[np.float32]
    filters_after: NDArray[np.float32]
    sample: NDArray[np.uint8]
    sample_label: int
    feature_maps: Mapping[str, NDArray[np.float32]]
    mistakes: NDArray[np.uint8]
    mistake_labels: NDArray[np.int64]
    mistake_predictions: NDArray[np.int64]
    mistake_confidences: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Writes the arrays to an .npz file; the feature maps as `feature_map.PATH`.

        Raises:
            InputError: The file cannot be written.
        """
        arrays: dict[str, Any] = {
            name: getattr(self, name) for name in self.__slots__ if name != "feature_maps"
        }
        for name, value in self.feature_maps.items():
            arrays[f"feature_map.{name}"] = value
        content = BytesIO()
        np.savez_compressed(content, **arrays)
        write_atomic(path, content.getvalue())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingResult:
    """A finished, stopped or refused run.

    Attributes:
        recipe: Name of the recipe.
        settings: Every field of the recipe, as JSON values.
        data: The name under which the pictures' results are reported.
        data_sha256: Digest of the pictures.
        classes: Names of the classes.
        seed: The run's seed.
        device: "cpu" or "cuda", with the device's name.
        versions: Versions of python, torch, torchvision and convcheck.
        layers: Every layer call with its validated shapes, from before the first step.
        findings: What the checks before the first step found, and why a run stopped.
        steps: Steps taken.
        total_steps: Steps that the recipe asks for.
        seconds: Time spent on training and on the evaluations between epochs.
        losses: The loss of every step taken, (steps,).
        loss_curve: (step, mean loss of the steps since the last), as printed: every `log_every`
            steps of an epoch, and at its end.
        evaluations: (step, test accuracy) after each epoch.
        accuracy: On the test pictures at the end, 0 to 1; None where the run did not end.
        mirrored_accuracy: The same where each picture's mirror image has a say.
        per_class: Accuracy by class name.
        confusion: Counts (classes, classes): row the true class, column the predicted one.
        weights_sha256: Digest of the final weights and momentum.
        pictures: Arrays for figures; None where the run did not end.
        network: The network as it stands; None where no step was taken.
        out: Directory with checkpoints, metrics and arrays.
        interrupted: Whether the run was stopped by a signal or by `max_steps`.
    """

    recipe: str
    settings: Mapping[str, object]
    data: str
    data_sha256: str
    classes: tuple[str, ...]
    seed: int
    device: str
    versions: Mapping[str, str]
    layers: tuple[LayerCall, ...]
    findings: tuple[Finding, ...]
    steps: int = 0
    total_steps: int
    seconds: float = 0.0
    losses: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    loss_curve: tuple[tuple[int, float], ...] = ()
    evaluations: tuple[tuple[int, float], ...] = ()
    accuracy: float | None = None
    mirrored_accuracy: float | None = None
    per_class: Mapping[str, float] = field(default_factory=dict)
    confusion: NDArray[np.int64] | None = None
    weights_sha256: str = ""
    pictures: Pictures | None = None
    network: nn.Module | None = field(default=None, repr=False)
    out: Path
    interrupted: bool = False

    @property
    def verdict(self) -> Verdict:
        """FAIL where a check failed; UNKNOWN where the run did not end; PASS otherwise."""
        found = combine(finding.verdict for finding in self.findings)
        if found is Verdict.PASS and self.accuracy is None:
            return Verdict.UNKNOWN
        return found

    @property
    def passed(self) -> bool:
        """Whether every check passed and the run came to its end."""
        return self.verdict is Verdict.PASS

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON values, without the arrays for figures."""
        layers = [
            {
                "path": layer.path,
                "op": layer.op,
                "input_shape": list(layer.input_shape),
                "output_shape": list(layer.output_shape),
                "expected_shape": list(layer.expected_shape or ()) or None,
                "parameters": layer.parameters,
            }
            for layer in self.layers
        ]
        return {
            "verdict": str(self.verdict),
            "recipe": self.recipe,
            "settings": dict(self.settings),
            "data": self.data,
            "data_sha256": self.data_sha256,
            "classes": list(self.classes),
            "seed": self.seed,
            "device": self.device,
            "versions": dict(self.versions),
            "layers": layers,
            "findings": [finding.to_json() for finding in self.findings],
            "steps": self.steps,
            "total_steps": self.total_steps,
            "seconds": round(self.seconds, 3),
            "loss_curve": [list(point) for point in self.loss_curve],
            "evaluations": [list(point) for point in self.evaluations],
            "accuracy": self.accuracy,
            "mirrored_accuracy": self.mirrored_accuracy,
            "per_class": dict(self.per_class),
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "weights_sha256": self.weights_sha256,
            "interrupted": self.interrupted,
        }
