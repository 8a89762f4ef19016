"""The worker's side of a test: load the function, then answer one call after another.

Nothing of the oracle is imported here, so the function under test cannot read an expected value.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

from convcheck.conformance.array_kind import detect_arrays
from convcheck.conformance.autograd import backward_of
from convcheck.conformance.calls import Callee, perform
from convcheck.conformance.compiled import is_compiled
from convcheck.conformance.messages import answer, read_question
from convcheck.conformance.targets import check_signature, load_target
from convcheck.runtime.frames import Message


def open_handler(setup: Mapping[str, Any]) -> Callable[[Message], Message]:
    """Returns the handler of a worker; see `execute.open_runner` for the keys of `setup`.

    Raises:
        TargetError: The function cannot be loaded, or not be called as the op is.
    """
    warnings.simplefilter("ignore")
    os.chdir(setup["directory"])
    function = load_target(setup["target"])
    callee = open_callee(function, setup["op"], arrays=setup["arrays"], autograd=setup["autograd"])

    def handle(message: Message) -> Message:
        if "case" not in message.header:
            return Message({"arrays": callee.arrays, "compiled": is_compiled(function)})
        case, inputs, repeat = read_question(message)
        return answer(perform(callee, case, inputs, repeat=repeat))

    return handle


def open_callee(
    function: Callable[..., Any],
    op: str,
    *,
    arrays: Literal["numpy", "torch", "auto"],
    autograd: bool,
    was_interrupted: Callable[[], bool] = lambda: False,
) -> Callee:
    """Returns `function` with the way to call it found out.

    Raises:
        TargetError: It cannot be called as the op is.
    """
    if autograd:
        forward = op.removesuffix("_backward")
        check_signature(function, forward)
        backward = backward_of(function, transposed=forward.startswith("conv_transpose"))
        return Callee(function=backward, arrays="torch")
    by_keyword = check_signature(function, op)
    if arrays == "auto":
        arrays = detect_arrays(function, op, by_keyword=by_keyword, was_interrupted=was_interrupted)
    return Callee(function=function, arrays=arrays, by_keyword=by_keyword)
