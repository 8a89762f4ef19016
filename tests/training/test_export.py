"""The exported file: its layers validated, and the exports that cannot be."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from convcheck.core.errors import InputError, UsageError
from convcheck.training import ImageSet, Recipe, TrainingResult, train
from convcheck.training import export as package
from convcheck.training.export import export

pytest.importorskip("onnx")


@pytest.fixture
def result(images: ImageSet, recipe: Recipe, tmp_path: Path) -> TrainingResult:
    few = replace(
        images, train_images=images.train_images[:16], train_labels=images.train_labels[:16]
    )
    return train(recipe, few, out=tmp_path / "run")


def test_the_exported_network_has_the_layers_of_the_trained_one(
    result: TrainingResult, tmp_path: Path
) -> None:
    report = export(result, tmp_path / "model.onnx")
    assert report.passed
    kinds = ("conv2d", "max_pool2d")
    found = [layer.output_shape[1:] for layer in report.layers if layer.op in kinds]
    assert found == [layer.output_shape[1:] for layer in result.layers if layer.op in kinds]
    assert found == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]


def test_a_place_that_cannot_be_written(result: TrainingResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        export(result, tmp_path / "nowhere" / "model.onnx")


def test_a_run_that_did_not_end_has_nothing_to_export(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    stopped = train(recipe, images, out=tmp_path / "run", max_steps=1)
    with pytest.raises(UsageError, match="no trained network"):
        export(stopped, tmp_path / "model.onnx")


def test_a_missing_package_is_named(
    result: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "_NEEDED", ("no_such_package",))
    with pytest.raises(UsageError, match="needs no_such_package"):
        export(result, tmp_path / "model.onnx")


def test_predictions_that_differ_are_noticed(result: TrainingResult, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = tmp_path / "model.onnx"
    export(result, path)
    assert result.network is not None
    pictures = package._test_pictures(result)
    assert len(pictures) == 26
    package._compare(result.network, path, pictures)
    with torch.no_grad():
        result.network.fc3.bias.add_(torch.arange(10))
    with pytest.raises(InputError, match="predicts class"):
        package._compare(result.network, path, pictures)
