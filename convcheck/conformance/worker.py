"""The worker's side of a test: load the function, then answer one call after another.

Nothing of the oracle is imported here, so the function under test cannot read an expected value.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from convcheck.conformance.array_kind import answers_to, detect_arrays, possible_arrays
from convcheck.conformance.autograd import backward_of, double_backward_of
from convcheck.conformance.calls import Callee, perform
from convcheck.conformance.compiled import is_compiled
from convcheck.conformance.messages import answer, read_question
from convcheck.conformance.targets import check_signature, load_target
from convcheck.core.errors import TargetError
from convcheck.core.ops import forward_of
from convcheck.runtime.frames import Message


def open_handler(setup: Mapping[str, Any]) -> Callable[[Message], Message]:
    """Returns the handler of a worker; see `execute.open_runner` for the keys of `setup`.

    The function is not called here: a call may end the process, and which arrays it takes is
    found out by questions of its own.

    Raises:
        TargetError: The function cannot be loaded, or not be called as the op is.
    """
    warnings.simplefilter("ignore")
    os.chdir(setup["directory"])
    try:
        function = load_target(setup["target"])
    except KeyboardInterrupt:
        # A Ctrl-C of the person does not reach a worker's session.
        raise TargetError(
            f"{setup['target']} cannot be imported", why="it raises KeyboardInterrupt"
        ) from None
    kinds = possible_arrays(function) if setup["arrays"] == "auto" else (setup["arrays"],)
    plain = open_callee(function, setup["op"], arrays=kinds[0], autograd=setup["autograd"])
    if setup["autograd"]:
        kinds = (plain.arrays,)

    def handle(message: Message) -> Message:
        header = message.header
        if "arrays" not in header:
            return Message({"kinds": kinds, "compiled": is_compiled(function)})
        callee = replace(plain, arrays=header["arrays"])
        if "case" not in header:
            return Message({"answers": answers_to(callee, setup["op"])})
        case, inputs, repeat, refill = read_question(message)
        return answer(perform(callee, case, inputs, repeat=repeat, refill=refill))

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
        forward = forward_of(op)
        check_signature(function, forward)
        derive = double_backward_of if op.endswith("_double_backward") else backward_of
        backward = derive(function, transposed=forward.startswith("conv_transpose"))
        return Callee(function=backward, arrays="torch")
    by_keyword = check_signature(function, op)
    if arrays == "auto":
        arrays = detect_arrays(function, op, by_keyword=by_keyword, was_interrupted=was_interrupted)
    return Callee(function=function, arrays=arrays, by_keyword=by_keyword)
