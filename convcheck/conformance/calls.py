"""One call of a function under test, in this process: made, watched, classified."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from convcheck.conformance.arguments import (
    NAMED_ARRAYS,
    ArrayKind,
    array_names,
    call_arguments,
    is_index,
)
from convcheck.conformance.buffers import Guarded, guard
from convcheck.conformance.global_state import take_state, unusual_state
from convcheck.conformance.layouts import Array
from convcheck.conformance.outcome import (
    CHANGED_STATE,
    FLOODED,
    LEFT_THREADS,
    MUTATED_INPUT,
    NOT_DETERMINISTIC,
    PRINTED,
    SHARED_BUFFER,
    Misbehaved,
    Outcome,
    OutOfMemory,
    Raised,
    Returned,
)
from convcheck.conformance.poison import poisoned_memory
from convcheck.conformance.results import read_results, shares_memory
from convcheck.core.case import Case
from convcheck.core.errors import GeometryError
from convcheck.core.shapes import output_shape

# A call that prints this much is not logging; it floods whatever reads the stream.
FLOOD_BYTES = 2**16
_MESSAGE_LIMIT = 2000
_PRINTED_SHOWN = 60
# One seed of so many has its calls made in an unusual state, which takes time to bring about.
_UNUSUAL_EVERY = 16
# More threads than a pool has that is as large as Python makes them by default.
_POOL = 64
# What NumPy says of a write into an array that allows none; Cython, which asks for arrays that
# could be written to and may not write, begins with "buffer".
_READ_ONLY = re.compile(r"(?!buffer).*array is read-only|assignment destination is read-only")
_TRACE_LINES = 6
_ALLOCATOR_WORDS = ("can't allocate memory", "out of memory", "bad_alloc", "Cannot allocate memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """A function under test and how it is called.

    Attributes:
        function: The function.
        arrays: Which arrays it takes.
        by_keyword: Whether its parameters have the names of the signature; else by position.
    """

    function: Callable[..., Any]
    arrays: ArrayKind
    by_keyword: bool = True


_threads_known = threading.active_count()


class Interrupted(BaseException):
    """Stands for a Ctrl-C of the person, which no outcome may swallow."""


def perform(
    callee: Callee,
    case: Case,
    inputs: Mapping[str, Array],
    *,
    repeat: int = 1,
    refill: bool = False,
    was_interrupted: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Returns what a call of `callee` ends in, on arrays made afresh for it.

    Args:
        callee: The function and its manners.
        case: The call.
        inputs: Values of its arrays, by name, in NumPy (bfloat16 values in float32).
        repeat: Number of identical calls; all must give the same bits, in memory of their own.
        refill: Whether each is preceded by one on other values in the very same arrays.
        was_interrupted: Says whether a KeyboardInterrupt came from the person, not the function.
    """
    first: tuple[Any, Outcome] | None = None
    for number in range(repeat):
        one = partial(
            _perform_once, callee, case, inputs, refill, was_interrupted,
            is_first=number == 0 and not refill,
        )  # fmt: skip
        value, outcome = _in_unusual_state(one) if case.seed % _UNUSUAL_EVERY == 2 else one()
        if not isinstance(outcome, Returned):
            return outcome
        if first is None:
            first = value, outcome
            continue
        assert isinstance(first[1], Returned)
        if difference := _differs(first[1], outcome):
            return Misbehaved(reason=NOT_DETERMINISTIC, detail=difference)
        if shares_memory(first[0], value):
            return Misbehaved(reason=SHARED_BUFFER)
    assert first is not None
    if left := _threads_left():
        return Misbehaved(reason=LEFT_THREADS, detail=f"{left} more than before")
    return first[1]


def _in_unusual_state(one: Callable[[], tuple[Any, Outcome]]) -> tuple[Any, Outcome]:
    """Makes one call in an unusual state, or as usual where it needs torch to derive gradients."""
    with unusual_state():
        value, outcome = one()
    if isinstance(outcome, Raised) and "grad" in outcome.message:
        return one()
    return value, outcome


def _threads_left() -> int:
    """Returns how many threads run that did not when this was last asked for, if that is many.

    A pool that is kept for later calls is no fault: it has an end.
    """
    global _threads_known
    more = threading.active_count() - _threads_known
    if more <= _POOL:
        _threads_known = min(_threads_known, threading.active_count())
        return 0
    _threads_known += more
    return more


def _perform_once(
    callee: Callee,
    case: Case,
    inputs: Mapping[str, Array],
    refill: bool,
    was_interrupted: Callable[[], bool],
    *,
    is_first: bool,
) -> tuple[Any, Outcome]:
    guarded = _arguments(callee, case, inputs)
    names = array_names(case, guarded, by_keyword=callee.by_keyword)
    by_place, named = call_arguments(case, by_keyword=callee.by_keyword)
    apart = NAMED_ARRAYS if callee.by_keyword else ()
    arrays = [guarded[n].array if n in guarded else None for n in names if n not in apart]
    named |= {n: guarded[n].array for n in names if n in apart and n in guarded}
    call = partial(callee.function, *arrays, *by_place, **named)
    state = take_state()
    try:
        if refill and case.layout != "expanded":
            # What an expanded array repeats cannot be written through torch.
            _call_on_others(call, case, guarded)
            state.changes()
        with poisoned_memory(_expected_bytes(case)), silenced() as (printed, logged):
            filters = list(warnings.filters)
            start = time.perf_counter()
            value = call()
            seconds = time.perf_counter() - start
            replaced = sys.stdout is not printed or sys.stderr is not logged
            # The first call may import packages, which have filters of their own.
            filtered = not is_first and list(warnings.filters) != filters
        results = read_results(value, case, callee.arrays)
    except BaseException as error:
        changed = state.changes()
        if isinstance(error, KeyboardInterrupt) and was_interrupted():
            raise
        if isinstance(error, ValueError) and _READ_ONLY.fullmatch(str(error)):
            for name, argument in guarded.items():
                if isinstance(argument.array, np.ndarray) and not argument.array.flags.writeable:
                    return None, Misbehaved(reason=MUTATED_INPUT, detail=name)
        if changed and isinstance(error, Exception):
            return None, Misbehaved(reason=CHANGED_STATE, detail=", ".join(changed))
        return None, classify(error)
    changed = state.changes() + ["standard streams"] * replaced + ["warning filters"] * filtered
    for argument in guarded.values():
        if damage := argument.damage():
            return value, damage
    if isinstance(results, Misbehaved):
        return value, results
    if changed:
        return value, Misbehaved(reason=CHANGED_STATE, detail=", ".join(changed))
    if printed.tell() + logged.tell() >= FLOOD_BYTES:
        count = printed.tell() + logged.tell()
        return value, Misbehaved(reason=FLOODED, detail=f"{count} characters in one call")
    if printed.tell() and not is_first:
        # The first call may tell once what it was compiled for.
        begins = printed.getvalue()[:_PRINTED_SHOWN]
        return value, Misbehaved(reason=PRINTED, detail=repr(begins))
    shared = (name for name, each in guarded.items() if shares_memory(each.array, value))
    return value, Returned(arrays=results, seconds=seconds, shares=next(shared, ""))


def _call_on_others(call: Callable[[], Any], case: Case, guarded: Mapping[str, Guarded]) -> None:
    """Makes the call on other values in the memory of the arrays, which is then put back."""
    # Indices stay what they are: others may be out of range.
    numbers = [g for g in guarded.values() if not is_index(g.elements, case)]
    for argument in numbers:
        argument.spoil()
    try:
        with poisoned_memory(_expected_bytes(case)), silenced():
            call()
    except Exception:
        return  # The call that counts will say what is wrong.
    finally:
        for argument in numbers:
            argument.restore()


def classify(error: BaseException) -> Raised | OutOfMemory:
    """Returns the outcome of a call that raised `error`, whose own methods may raise too."""
    try:
        message = str(error)[:_MESSAGE_LIMIT]
    except BaseException as second:
        message = f"its message cannot be printed: {type(second).__name__}"
    name = type(error).__name__
    if isinstance(error, MemoryError) or name == "OutOfMemoryError":
        return OutOfMemory(message=message)
    if isinstance(error, RuntimeError) and any(words in message for words in _ALLOCATOR_WORDS):
        return OutOfMemory(message=message)
    lines = traceback.extract_tb(error.__traceback__, limit=-_TRACE_LINES)
    trace = "".join(f"{line.filename}:{line.lineno} in {line.name}\n" for line in lines)
    return Raised(type_name=name, message=message, trace=trace)


@contextmanager
def silenced() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Takes what is printed inside, through Python, and keeps warnings from being errors.

    Yields what goes to standard output, and to standard error.
    """
    taken = io.StringIO(), io.StringIO()
    stdout, stderr = sys.stdout, sys.stderr
    with warnings.catch_warnings():
        # Not the filter that code is likely to set: its own would not show beside the same.
        warnings.filterwarnings("ignore", module=".*")
        sys.stdout, sys.stderr = taken
        try:
            yield taken
        finally:
            sys.stdout, sys.stderr = stdout, stderr


def _arguments(callee: Callee, case: Case, inputs: Mapping[str, Array]) -> dict[str, Guarded]:
    torch = callee.arrays == "torch"
    guarded = {}
    for place, (name, values) in enumerate(inputs.items()):
        dtype = values.dtype.name if is_index(values, case) else case.dtype
        guarded[name] = guard(name, values, dtype, case.layout, torch=torch, first=place == 0)
    return guarded


def _expected_bytes(case: Case) -> int:
    try:
        elements = prod(output_shape(case))
    except GeometryError:
        return 0
    return elements * {"float64": 8, "int64": 8, "float32": 4, "int32": 4}.get(case.dtype, 2)


def _differs(first: Returned, second: Returned) -> str:
    """Returns where two results differ in any bit, empty where they do not."""
    if len(first.arrays) != len(second.arrays):
        return "different numbers of results"
    for place, (one, other) in enumerate(zip(first.arrays, second.arrays, strict=True)):
        if (one.dtype, one.values.shape) != (other.dtype, other.values.shape):
            return f"result {place} changed its dtype or shape"
        if one.values.tobytes() != other.values.tobytes():
            # Which NaN it is depends on the order of two operands, which no one promises.
            same_nan = np.isnan(one.values) & np.isnan(other.values)
            same_bits = _bits(one.values) == _bits(other.values)
            if not (same_nan | same_bits).all():
                return f"result {place} changed"
    return ""


def _bits(values: Array) -> Array:
    """Returns each element's bits as an integer; an element that no integer holds, as it is."""
    if values.dtype.kind == "c" or values.dtype.itemsize > 8:
        return values
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}").reshape(values.shape)
