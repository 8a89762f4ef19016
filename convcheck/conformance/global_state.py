"""The state that every function in a process shares: taken before a call, compared, put back.

A function that leaves NumPy's error handling, a default dtype, the floating-point mode or a
global random generator changed makes innocent code elsewhere fail or compute something else.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

# 2500 bytes: the 624 words of an MT19937 and its position, which every draw moves.
_MT19937_BYTES = 625 * 4
_LIBRARY_VARIABLES = (
    "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "CUDA_", "ONEDNN_", "DNNL_", "ATEN_",
)  # fmt: skip
_TINY = 5e-324
_HALF_ULP = 2.0**-53
_FE_DEFAULT = ctypes.c_void_p(-1)
# NumPy's stubs do not know its own `get_bit_generator`.
_numpy_random: Any = np.random


@dataclass(frozen=True, slots=True)
class State:
    """The shared state at one moment, by name."""

    values: dict[str, Any]

    def changes(self) -> list[str]:
        """Returns the names of what has changed since, and puts each of them back.

        What is put back without a word is what compilers change for good reasons.
        """
        now = take_state().values
        changed = [name for name, value in self.values.items() if now[name] != value]
        for name in changed:
            _RESTORE[name](self.values[name])
        return [name for name in changed if name not in _FORGIVEN]


def take_state() -> State:
    """Returns the state now; that of torch only if torch is loaded."""
    values: dict[str, Any] = {
        "numpy error handling": np.geterr(),
        "numpy print options": np.get_printoptions(),
        "floating-point mode": floating_point_mode(),
        "numpy random generator": _numpy_generator(),
        "python random generator": random.getstate(),
        "recursion limit": sys.getrecursionlimit(),
        "working directory": _directory(),
        "garbage collector": gc.isenabled(),
        "environment of libraries": _library_environment(),
        "interrupt handler": signal.getsignal(signal.SIGINT),
        "alarm clock": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_default_dtype"):
        values |= {name: read(torch) for name, (read, _) in _TORCH.items()}
    return State(values)


@contextmanager
def unusual_state() -> Iterator[None]:
    """Changes what is harmless: who sets it to what it is by default, for good, shows it only then.

    NumPy warns of underflow; torch has two threads where it had one, and derives no gradients.
    """
    torch = sys.modules.get("torch")
    with np.errstate(under="warn"):
        if torch is None or not hasattr(torch, "get_num_threads"):
            yield
            return
        threads, derives = torch.get_num_threads(), torch.is_grad_enabled()
        torch.set_num_threads(max(2, threads))
        torch.set_grad_enabled(False)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_grad_enabled(derives)


def floating_point_mode() -> tuple[bool, bool, bool, bool]:
    """Returns how the processor computes: whether subnormals vanish, and three rounding probes.

    With rounding to nearest, 1 + half an ulp and -1 - half an ulp are even, and 1 + 1.5 half ulps
    is not; each other direction fails one of the three.
    """
    tiny, half = _TINY, _HALF_ULP
    return tiny * 1.0 == 0.0, 1.0 + half == 1.0, -1.0 - half == -1.0, 1.0 + 1.5 * half > 1.0


def reset_floating_point(_: object = None) -> None:
    """Puts the processor back to rounding to nearest, with subnormals."""
    ctypes.CDLL(ctypes.util.find_library("m")).fesetenv(_FE_DEFAULT)


def _directory() -> str:
    """Returns the working directory; empty where it was removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib costs ten times as much, on every call
    except OSError:
        return ""


def _numpy_generator() -> object:
    """Returns the global generator's state; read in place, since a copy by name costs 70 us."""
    generator = _numpy_random.get_bit_generator()
    if type(generator) is np.random.MT19937:
        return ctypes.string_at(generator.ctypes.state_address, _MT19937_BYTES)
    return repr(generator.state)


def _restore_numpy_generator(state: object) -> None:
    generator = _numpy_random.get_bit_generator()
    if isinstance(state, bytes) and type(generator) is np.random.MT19937:
        ctypes.memmove(generator.ctypes.state_address, state, _MT19937_BYTES)


_CUDNN = ("cudnn_enabled", "cudnn_benchmark", "cudnn_deterministic", "cudnn_allow_tf32")
_TORCH: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "torch default dtype": (
        lambda torch: torch.get_default_dtype(),
        lambda torch, value: torch.set_default_dtype(value),
    ),
    "torch number of threads": (
        lambda torch: torch.get_num_threads(),
        lambda torch, value: torch.set_num_threads(value),
    ),
    "torch gradient mode": (
        lambda torch: torch.is_grad_enabled(),
        lambda torch, value: torch.set_grad_enabled(value),
    ),
    "torch deterministic algorithms": (
        lambda torch: torch.are_deterministic_algorithms_enabled(),
        lambda torch, value: torch.use_deterministic_algorithms(value),
    ),
    "torch mkldnn switch": (
        lambda torch: torch._C._get_mkldnn_enabled(),
        lambda torch, value: torch._C._set_mkldnn_enabled(value),
    ),
    "torch autocast": (
        lambda torch: torch.is_autocast_enabled("cpu"),
        lambda torch, value: torch.set_autocast_enabled("cpu", value),
    ),
    "torch precision of float32 products": (
        lambda torch: torch._C._get_float32_matmul_precision(),
        lambda torch, value: torch._C._set_float32_matmul_precision(value),
    ),
    "torch cudnn switches": (
        lambda torch: [getattr(torch._C, f"_get_{name}")() for name in _CUDNN],
        lambda torch, values: [
            getattr(torch._C, f"_set_{name}")(value)
            for name, value in zip(_CUDNN, values, strict=True)
        ],
    ),
    "torch default device": (
        # None where none was chosen: choosing "cpu" would have every call look at its device.
        lambda torch: getattr(
            getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None), "device", None
        ),
        lambda torch, value: torch.set_default_device(value),
    ),
    "torch anomaly detection": (
        lambda torch: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda torch, value: torch._C.set_anomaly_enabled(*value),
    ),
    "torch print options": (
        lambda torch: dict(vars(torch._tensor_str.PRINT_OPTS)),
        lambda torch, value: vars(torch._tensor_str.PRINT_OPTS).update(value),
    ),
    "torch random generator": (
        lambda torch: torch.default_generator.get_state().numpy().tobytes(),
        lambda torch, value: torch.default_generator.set_state(
            torch.frombuffer(bytearray(value), dtype=torch.uint8)
        ),
    ),
}


def _library_environment() -> dict[str, str]:
    """Returns the variables by which libraries choose threads, devices and instructions."""
    return {name: os.environ[name] for name in os.environ if name.startswith(_LIBRARY_VARIABLES)}


def _restore_library_environment(before: dict[str, str]) -> None:
    for name in _library_environment():
        del os.environ[name]
    os.environ.update(before)


def _restore_interrupt_handler(handler: Any) -> None:
    # Only the main thread may, and only for a handler that Python knows.
    with suppress(ValueError, TypeError):
        signal.signal(signal.SIGINT, handler)


def _restore_torch(name: str) -> Callable[[Any], object]:
    return lambda value: _TORCH[name][1](sys.modules["torch"], value)


_FORGIVEN = ("recursion limit",)
_RESTORE: dict[str, Callable[[Any], object]] = {
    "numpy error handling": lambda value: np.seterr(**value),
    "floating-point mode": reset_floating_point,
    "numpy random generator": _restore_numpy_generator,
    "python random generator": random.setstate,
    "recursion limit": sys.setrecursionlimit,
    "working directory": lambda value: os.chdir(str(value)) if value else None,
    "garbage collector": lambda value: gc.enable() if value else gc.disable(),
    "numpy print options": lambda value: np.set_printoptions(**value),
    "environment of libraries": _restore_library_environment,
    "interrupt handler": _restore_interrupt_handler,
    # An alarm of the caller's own goes on, and is no change.
    "alarm clock": lambda value: None if value else signal.setitimer(signal.ITIMER_REAL, 0),
    **{name: _restore_torch(name) for name in _TORCH},
}
