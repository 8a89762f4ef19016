"""A trained network as an ONNX file, read back and validated."""

from __future__ import annotations

import warnings
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from convcheck.core.errors import InputError, UsageError
from convcheck.models import ModelReport, check_model
from convcheck.training.result import TrainingResult

# Reading back needs onnx; onnxruntime, where it is installed, compares predictions.
_NEEDED = ("onnx",)


def check_export_possible() -> None:
    """Raises where a package that the export needs is missing: better before a run than after it.

    Raises:
        UsageError: A package is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the export to ONNX needs {' and '.join(missing)}",
            why="the file is read back and every layer validated",
            fix=f"pip install {' '.join(missing)}, or leave --export out",
        )


def export(result: TrainingResult, path: str | Path) -> ModelReport:
    """Writes the network of a finished run as ONNX and returns the check of the file.

    Raises:
        UsageError: A package is missing, or the run has no network.
        InputError: The file cannot be written, or what was written does not hold.
    """
    check_export_possible()
    if result.network is None or result.pictures is None:
        raise UsageError("the run has no trained network to export")
    network = deepcopy(result.network).cpu().eval()
    example = torch.zeros(1, *result.pictures.sample.shape)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            # The newer exporter builds on onnxscript; the older one stands alone.
            is_newer = find_spec("onnxscript") is not None
            torch.onnx.export(network, (example,), str(path), dynamo=is_newer, external_data=False)
    except OSError as error:
        raise InputError(f"cannot write {path}", why=error.strerror or str(error)) from None
    report = check_model(str(path))
    if not report.passed:
        told = "; ".join(f"{finding.where}: {finding.what}" for finding in report.findings)
        raise InputError(f"the exported {path} does not hold", why=told or "nothing was checked")
    if find_spec("onnxruntime") is not None:
        _compare(network, Path(path), _test_pictures(result))
    return report


def _test_pictures(result: TrainingResult) -> torch.Tensor:
    """Returns the test pictures that the result holds, (N, 3, H, W), normalised."""
    assert result.pictures is not None
    raw = np.concatenate((result.pictures.sample[None], result.pictures.mistakes))
    mean, std = (
        torch.tensor(result.settings[name], dtype=torch.float32).view(3, 1, 1)
        for name in ("mean", "std")
    )
    return (torch.from_numpy(raw) / 255 - mean) / std


def _compare(network: torch.nn.Module, path: Path, pictures: torch.Tensor) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    name = session.get_inputs()[0].name
    with torch.inference_mode():
        ours = network(pictures).argmax(dim=1).tolist()
    for number, (picture, wanted) in enumerate(zip(pictures, ours, strict=True)):
        found = int(np.asarray(session.run(None, {name: picture[None].numpy()})[0]).argmax())
        if found != wanted:
            raise InputError(
                f"{path} predicts class {found} where the network predicts {wanted}",
                where=f"picture {number} of {len(pictures)}",
            )
