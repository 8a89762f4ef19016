"""`open_runner`: run one call of an implementation, in a worker or in this process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from convcheck.conformance.arguments import ArrayKind, not_callable
from convcheck.conformance.array_kind import Trial, detect_by_trial
from convcheck.conformance.calls import FLOOD_BYTES, perform
from convcheck.conformance.layouts import Array
from convcheck.conformance.messages import question, read_answer
from convcheck.conformance.outcome import (
    BROKE_CHANNEL,
    FLOODED,
    LEFT_PROCESSES,
    Crashed,
    Misbehaved,
    Outcome,
    TimedOut,
    signal_name,
)
from convcheck.conformance.targets import check_signature, load_target, name_target
from convcheck.conformance.worker import open_callee
from convcheck.core.case import Case
from convcheck.core.errors import TargetError, UsageError
from convcheck.core.ops import find_op
from convcheck.runtime.crew import CONFIRMATION_FACTOR, Crew
from convcheck.runtime.frames import GarbledError, Message
from convcheck.runtime.interrupts import watch_interrupts
from convcheck.runtime.worker import Answer, Death, HandlerError, Service, StartError

Target = str | Callable[..., Any]
ArrayChoice = Literal["numpy", "torch", "auto"]

DEADLINE_S = 10.0
MEMORY_LIMIT = 4 * 2**30
# A worker that has mapped this share of its limit between calls is replaced, so that a function
# that leaks is not blamed for the memory of a single call.
_LEAK_SHARE = 0.25
# Once a function is known to hang, a call that takes this long, as long as the start of a worker,
# and this many times as long as any that was answered, hangs too: a shrink would otherwise wait
# out the deadline at each step.
_BRIEF_S = 0.3
_BRIEF_FACTOR = 10
# A function that is compiled when it is called takes tens of seconds for each new shape.
_COMPILER_FACTOR = 20
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Runner(Protocol):
    """Runs calls of one implementation; a context manager that leaves no process behind.

    Attributes:
        arrays: Which arrays the implementation takes.
        isolated: Whether it runs in a process of its own.
        trial: The very first call of the implementation, where that was a trial which no case
            comes before.
    """

    arrays: ArrayKind
    isolated: bool
    trial: Trial | None

    def run(
        self,
        case: Case,
        inputs: Mapping[str, Array],
        *,
        repeat: int = 1,
        refill: bool = False,
        sure: bool = False,
    ) -> Outcome:
        """Returns what the call of `case` on `inputs` ends in.

        Args:
            case: The call; one that `unsupported` gives a reason for is refused.
            inputs: Its arrays by name, as `oracle.inputs.make_inputs` makes them and `settle`
                leaves them.
            repeat: Number of identical calls, which must give the same bits.
            refill: Whether each is preceded by one on other values in the very same arrays.
            sure: Whether a hang must have had its whole time. Without it, only the first hang of
                a runner has, three times over; once that is confirmed, later ones are told by a
                wait that is long beside the calls that were answered.

        Raises:
            UsageError: The call cannot be made.
        """

    def unsupported(self, case: Case) -> str | None:
        """Returns why the call of `case` cannot be made, None if it can."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_runner(
    target: Target,
    op: str,
    *,
    isolated: bool = True,
    arrays: ArrayChoice = "auto",
    deadline_s: float = DEADLINE_S,
    memory_limit: int | None = MEMORY_LIMIT,
    environment: Mapping[str, str] | None = None,
    autograd: bool = False,
) -> Runner:
    """Returns a runner for `target`, its function found and its signature accepted.

    Args:
        target: The function, or a text that names it; see `targets.load_target`.
        op: The operation that it claims to be.
        isolated: Whether it runs in a worker; else in this process, where nothing protects from a
            crash or a hang.
        arrays: What it takes; found out by default.
        deadline_s: Seconds that a call may take, in a worker; a function that was compiled by
            torch, numba or jax, as far as loading it shows, is given more.
        memory_limit: Bytes that a worker may map beyond what it has after its start; None for no
            limit, which code that uses a GPU needs.
        environment: Environment variables of the worker, such as `OMP_NUM_THREADS`.
        autograd: Whether `target` is the forward function of a backward op, to be differentiated
            by torch.

    Raises:
        TargetError: The function cannot be loaded, or not be called as the op is.
        UsageError: The op is unknown.
    """
    find_op(op)
    if autograd and not op.endswith("_backward"):
        raise UsageError(f"autograd makes a backward function, and {op} is none")
    if not isolated:
        if environment:
            raise UsageError("environment variables can be set for a worker only")
        return _InProcess(target, op, arrays=arrays, autograd=autograd)
    setup = {
        "target": target if isinstance(target, str) else name_target(target),
        "op": op,
        "arrays": arrays,
        "autograd": autograd,
        "directory": str(Path.cwd()),
    }
    service = Service(
        factory="convcheck.conformance.worker:open_handler",
        setup=setup,
        environment=_environment(environment or {}),
        memory_bytes=memory_limit,
    )
    return _Isolated(service, deadline_s)


class _InProcess:
    isolated = False

    def __init__(self, target: Target, op: str, *, arrays: ArrayChoice, autograd: bool) -> None:
        function = load_target(target) if isinstance(target, str) else target
        if not callable(function):
            raise TargetError(f"{target!r} is not callable")
        with watch_interrupts() as interrupts:
            self.trial: Trial | None = None
            if arrays == "auto" and not autograd:
                arrays, self.trial = detect_by_trial(
                    function, op, by_keyword=check_signature(function, op),
                    was_interrupted=interrupts.happened,
                )  # fmt: skip
            self._callee = open_callee(function, op, arrays=arrays, autograd=autograd)
        self.arrays = self._callee.arrays
        self._stack = ExitStack()
        self._was_interrupted: Callable[[], bool] = lambda: False

    def run(
        self,
        case: Case,
        inputs: Mapping[str, Array],
        *,
        repeat: int = 1,
        refill: bool = False,
        sure: bool = False,
    ) -> Outcome:
        _refuse(self.unsupported(case), case)
        return perform(
            self._callee,
            case,
            inputs,
            repeat=repeat,
            refill=refill,
            was_interrupted=self._was_interrupted,
        )

    def unsupported(self, case: Case) -> str | None:
        return not_callable(case, self.arrays)

    def __enter__(self) -> Self:
        self._was_interrupted = self._stack.enter_context(watch_interrupts()).happened
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class _Isolated:
    isolated = True
    trial: Trial | None = None

    def __init__(self, service: Service, deadline_s: float) -> None:
        self._crew = Crew(service)
        self._deadline_s = deadline_s
        self._leak = _LEAK_SHARE * service.memory_bytes if service.memory_bytes else None
        self._name = service.setup["target"]
        try:
            told = self._crew.ask(Message({}), service.start_s)
        except StartError as error:
            self._crew.close()
            raise TargetError(f"{self._name} cannot be loaded", why=str(error)) from None
        except BaseException:
            self._crew.close()
            raise
        assert isinstance(told, Answer)
        if told.message.header["compiled"]:
            self._deadline_s *= _COMPILER_FACTOR
        kinds = told.message.header["kinds"]
        self.arrays = self._arrays_among(kinds)
        if len(kinds) > 1:
            # The first call of a process is for a case: what only it does wrong must be seen.
            self._crew.retire()
        self._has_hung = False
        self._slowest_s = 0.0

    def run(
        self,
        case: Case,
        inputs: Mapping[str, Array],
        *,
        repeat: int = 1,
        refill: bool = False,
        sure: bool = False,
    ) -> Outcome:
        _refuse(self.unsupported(case), case)
        message = question(case, inputs, repeat, self.arrays, refill=refill)
        given = self._patience(sure)
        confirm = not self._has_hung
        start = time.monotonic()
        try:
            answer = self._crew.ask(message, given, confirm=confirm)
        except HandlerError:
            # Our own code failed around the call. In a worker that the function has not touched
            # yet it fails again if the fault is ours.
            self._crew.retire()
            answer = self._crew.ask(message, given, confirm=confirm)
        except StartError as error:
            raise TargetError(
                f"{self._name} was loaded once, and cannot be loaded again",
                why=str(error),
                where=str(case),
                fix="it must load in any number of new interpreters, one after another",
            ) from None
        if isinstance(answer, Death):
            self._has_hung |= answer.cause == "deadline"
            return _outcome_of(answer, given * (CONFIRMATION_FACTOR if confirm else 1))
        self._slowest_s = max(self._slowest_s, time.monotonic() - start)
        if self._leak is not None and answer.grown > self._leak:
            self._crew.retire()
        return self._read(answer, repeat * (2 if refill and case.layout != "expanded" else 1))

    def unsupported(self, case: Case) -> str | None:
        return not_callable(case, self.arrays)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.close()

    def _arrays_among(self, kinds: Sequence[ArrayKind]) -> ArrayKind:
        """Returns the first kind that a trial call is answered for, else one that it ends with.

        A trial may end the worker, or last: the function took the arrays, and what it does to its
        process is for the cases to find.
        """
        if len(kinds) == 1:
            return kinds[0]
        given = self._deadline_s * CONFIRMATION_FACTOR
        ended: list[ArrayKind] = []
        try:
            for kind in kinds:
                told = self._crew.ask(Message({"arrays": kind}), given, confirm=False)
                if isinstance(told, Death):
                    ended.append(kind)
                elif told.message.header["answers"]:
                    return kind
        except BaseException:
            self._crew.close()
            raise
        return (ended or kinds)[0]

    def _patience(self, sure: bool) -> float:
        """Returns the seconds for the next call."""
        if sure or not self._has_hung:
            return self._deadline_s
        start_s = self._crew.worker().start_seconds
        return min(self._deadline_s, max(_BRIEF_S, start_s, _BRIEF_FACTOR * self._slowest_s))

    def _read(self, answer: Answer, calls: int) -> Outcome:
        during = "one call" if calls == 1 else f"{calls} calls"
        if answer.forked:
            return Misbehaved(reason=LEFT_PROCESSES, detail=f"{answer.forked} in {during}")
        if answer.printed >= FLOOD_BYTES * calls:
            return Misbehaved(reason=FLOODED, detail=f"{answer.printed} bytes in {during}")
        try:
            return read_answer(answer.message)
        except GarbledError as error:
            self._crew.retire()
            return Misbehaved(reason=BROKE_CHANNEL, detail=str(error))


def _environment(asked: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables of a worker: one thread unless asked otherwise.

    The arrays of a test are small: threads cost more than they gain, and several workers on few
    cores wait for each other.
    """
    threads = {name: "1" for name in _THREAD_VARIABLES if name not in os.environ}
    return {**threads, **asked}


def _outcome_of(death: Death, seconds: float) -> Outcome:
    if death.cause == "deadline":
        return TimedOut(seconds=seconds, trace=death.trace)
    if death.cause == "garbled":
        return Misbehaved(reason=BROKE_CHANNEL)
    told = signal_name(death.status) if death.cause == "signal" else f"exit {death.status}"
    return Crashed(signal_or_status=told, trace=death.trace)


def _refuse(reason: str | None, case: Case) -> None:
    if reason is not None:
        raise UsageError("the call cannot be made", why=reason, where=str(case))
