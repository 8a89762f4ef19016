"""Cases, arrays and outcomes as messages between the worker and its parent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from convcheck.conformance.arguments import ArrayKind
from convcheck.conformance.layouts import Array
from convcheck.conformance.outcome import (
    Crashed,
    Misbehaved,
    Outcome,
    OutOfMemory,
    Raised,
    Result,
    Returned,
    TimedOut,
)
from convcheck.core.case import Case, parse_case
from convcheck.runtime.frames import GarbledError, Message

_PLAIN: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Raised, OutOfMemory, Misbehaved, Crashed, TimedOut)
}


def question(
    case: Case,
    inputs: Mapping[str, Array],
    repeat: int,
    arrays_kind: ArrayKind,
    *,
    refill: bool = False,
) -> Message:
    """Returns the message that asks for one call on arrays of a kind."""
    arrays = {name: np.ascontiguousarray(values) for name, values in inputs.items()}
    header = {
        "case": str(case),
        "repeat": repeat,
        "refill": refill,
        "arrays": arrays_kind,
        "inputs": [
            # ascontiguousarray makes a vector of a number; the shape is that of the input.
            [name, values.dtype.name, list(inputs[name].shape)]
            for name, values in arrays.items()
        ],
    }
    return Message(header, [_raw(values) for values in arrays.values()])


def read_question(message: Message) -> tuple[Case, dict[str, Array], int, bool]:
    """Returns the case, its inputs, the number of calls, and whether arrays are refilled."""
    header = message.header
    inputs = {
        name: np.frombuffer(buffer, dtype).reshape(shape)
        for (name, dtype, shape), buffer in zip(header["inputs"], message.buffers, strict=True)
    }
    return parse_case(header["case"]), inputs, header["repeat"], header["refill"]


def answer(outcome: Outcome) -> Message:
    """Returns the message that tells an outcome."""
    if isinstance(outcome, Returned):
        header = {
            "kind": "Returned",
            "seconds": outcome.seconds,
            "shares": outcome.shares,
            "arrays": [
                [each.dtype, each.device, each.values.dtype.str, list(each.values.shape)]
                for each in outcome.arrays
            ],
        }
        return Message(header, [_raw(each.values) for each in outcome.arrays])
    fields = {name: getattr(outcome, name) for name in outcome.__slots__ if name != "symptom"}
    return Message({"kind": type(outcome).__name__, "fields": fields})


def read_answer(message: Message) -> Outcome:
    """Returns the outcome that a message tells.

    Raises:
        GarbledError: It is no answer: the process that sent it was not left alone by the function.
    """
    header = message.header
    try:
        if header["kind"] != "Returned":
            outcome: Outcome = _PLAIN[header["kind"]](**header["fields"])
            return outcome
        arrays = []
        for (dtype, device, item, shape), buffer in zip(
            header["arrays"], message.buffers, strict=True
        ):
            values = np.frombuffer(buffer, np.dtype(item)).reshape(shape)
            arrays.append(Result(values=values, dtype=dtype, device=device))
        seconds, shares = float(header["seconds"]), str(header["shares"])
        return Returned(arrays=tuple(arrays), seconds=seconds, shares=shares)
    except (KeyError, TypeError, ValueError) as error:
        raise GarbledError(f"{type(error).__name__}: {error}") from None


def _raw(values: Array) -> memoryview:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
