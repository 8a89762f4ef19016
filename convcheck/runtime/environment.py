"""Facts about the machine, for a report: what ran, on what, with which versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = ("convcheck", "numpy", "scipy", "torch", "torchvision", "sympy", "z3-solver", "onnx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a run depended on.

    Attributes:
        python: Version and implementation.
        system: Operating system, its release and the processor's architecture.
        processor: Model name, empty where the system does not tell.
        cores: Processor cores that this process may use.
        memory_bytes: Physical memory, 0 where unknown.
        packages: Version of each package that is installed; None for one that is not.
        threads: Environment variables that set the number of threads or the instruction set.
    """

    python: str
    system: str
    processor: str
    cores: int
    memory_bytes: int
    packages: dict[str, str | None]
    threads: dict[str, str]

    def to_json(self) -> dict[str, object]:
        """Returns the facts as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


_VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip


def describe_environment(packages: Iterable[str] = PACKAGES) -> Environment:
    """Returns the facts of this machine; no package is imported for them."""
    return Environment(
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=_cores(),
        memory_bytes=_memory(),
        packages={name: _version(name) for name in packages},
        threads={name: os.environ[name] for name in _VARIABLES if name in os.environ},
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
