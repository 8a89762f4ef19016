"""`Outcome`: everything that one call of a function under test can end in."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Symptom = Literal["returned", "raised", "crashed", "timed_out", "out_of_memory", "misbehaved"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """One returned array, as NumPy sees it.

    Attributes:
        values: The elements; a bfloat16 result is widened to float32, which is exact.
        dtype: Name of the element type that was returned, such as "bfloat16".
        device: Where the array was, such as "cpu" or "cuda".
    """

    values: np.ndarray[Any, Any]
    dtype: str
    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Returned:
    """The function returned arrays, its inputs and the global state unchanged.

    Attributes:
        arrays: The results, in order. A gradient of an absent bias may be missing at the end.
        seconds: Time of the call itself.
        shares: Name of an argument in whose memory a result lies; empty where none does.
    """

    arrays: tuple[Result, ...]
    seconds: float = 0.0
    shares: str = ""
    symptom: Literal["returned"] = "returned"

    def __str__(self) -> str:
        shapes = ", ".join(f"{array.dtype}{list(array.values.shape)}" for array in self.arrays)
        return f"returned {shapes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The function raised an exception.

    Attributes:
        type_name: Name of its type; anything that is no `Exception`, such as SystemExit, too.
        message: Its message, shortened.
        trace: The last lines of its traceback.
    """

    type_name: str
    message: str = ""
    trace: str = ""
    symptom: Literal["raised"] = "raised"

    def __str__(self) -> str:
        return f"raised {self.type_name}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The process of the function ended.

    Attributes:
        signal_or_status: Name of the signal ("SIGSEGV"), or "exit 0" for an exit status.
        trace: The stacks at that moment, where they could still be printed.
    """

    signal_or_status: str
    trace: str = ""
    symptom: Literal["crashed"] = "crashed"

    def __str__(self) -> str:
        return f"ended the process ({self.signal_or_status})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The function did not return in time, and not in three times the time either.

    Attributes:
        seconds: How long it was given in the last attempt.
        trace: Where it was when the time ended, where that could be printed.
    """

    seconds: float
    trace: str = ""
    symptom: Literal["timed_out"] = "timed_out"

    def __str__(self) -> str:
        return f"did not return within {self.seconds:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfMemory:
    """The function asked for more memory than it was allowed.

    Attributes:
        message: What the allocator said.
    """

    message: str = ""
    symptom: Literal["out_of_memory"] = "out_of_memory"

    def __str__(self) -> str:
        return f"ran out of memory: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaved:
    """The function did something that no result excuses.

    Attributes:
        reason: One of the constants of this module, such as `MUTATED_INPUT`.
        detail: The particulars, such as the input that it changed.
    """

    reason: str
    detail: str = ""
    symptom: Literal["misbehaved"] = "misbehaved"

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


Outcome = Returned | Raised | Crashed | TimedOut | OutOfMemory | Misbehaved

MUTATED_INPUT = "changed its input"
WROTE_OUT_OF_BOUNDS = "wrote outside the bounds of an array"
CHANGED_STATE = "changed global state"
NO_ARRAY = "returned no array"
NOT_DETERMINISTIC = "returned different bits for two identical calls"
SHARED_BUFFER = "returned the same memory from two calls"
RETURNED_INPUT = "returned memory of its input"
LEFT_THREADS = "left threads running"
PRINTED = "printed to standard output"
FLOODED = "flooded stdout or stderr"
LEFT_PROCESSES = "left a forked process running"
BROKE_CHANNEL = "broke the channel to its worker"


def signal_name(number: int) -> str:
    """Returns the name of a signal, such as "SIGSEGV"."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
