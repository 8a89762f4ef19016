"""What a run is: the facts that decide its weights, the machine they were made on, their digest."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import torch

from convcheck import __version__
from convcheck.core.errors import UsageError
from convcheck.training.learner import Learner
from convcheck.training.processes import Processes
from convcheck.training.recipe import Recipe


def find_device(name: str) -> torch.device:
    """Returns the device that "auto", "cpu" or "cuda" names.

    Raises:
        UsageError: It is unknown, or not at hand.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r} is unknown", fix="use auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device is at hand", fix="use --device cpu")
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """Returns the device with what decides how it rounds, such as "cpu (1 threads, AVX2)"."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name()})"
    return f"cpu ({torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()})"


def run_identity(
    recipe: Recipe,
    label: str,
    digest: str,
    seed: int,
    device: torch.device,
    processes: Processes,
) -> Mapping[str, Any]:
    """Returns all that decides the weights; a resumed run must agree in every entry."""
    return {
        **recipe.deciding_settings(),
        "data": label,
        "data_sha256": digest,
        "seed": seed,
        "device": device_name(device),
        "processes": processes.size,
        "torch": torch.__version__,
    }


def weights_digest(learner: Learner) -> str:
    """Returns a digest of the weights and the momentum: equal digests mean equal bits."""
    digest = hashlib.sha256()
    for name, value in sorted(learner.tensors().items()):
        if name.startswith(("network.", "momentum.")):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Returns the versions of all that computes."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "convcheck": __version__,
    }
