"""The worker's side of a test: load the function, then answer one call after another.

Nothing of the oracle is imported here, so the function under test cannot read an expected value.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from convcheck.conformance.array_kind import detect_arrays
from convcheck.conformance.autograd import backward_of
from convcheck.conformance.calls import Callee, perform
from convcheck.conformance.compiled import is_compiled
from convcheck.conformance.messages import answer, read_question
from convcheck.conformance.targets import check_signature, load_target
from convcheck.core.ops import find_op
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


def open_callee(function: Callable[..., Any], op: str, *, arrays: str, autograd: bool) -> Callee:
    """Returns `function` with the way to call it found out."""
    family = find_op(op).family
    if autograd:
        check_signature(function, op.removesuffix("_backward"))
        backward = backward_of(function, transposed=family.startswith("conv_transpose"))
        return Callee(function=backward, arrays="torch", by_keyword=True)
    by_keyword = check_signature(function, op)
    if arrays == "auto":
        return Callee(
            function=function,
            arrays=detect_arrays(function, op, by_keyword=by_keyword),
            by_keyword=by_keyword,
        )
    assert arrays in ("numpy", "torch")
    return Callee(
        function=function, arrays="torch" if arrays == "torch" else "numpy", by_keyword=by_keyword
    )
