"""`Worker`: one child interpreter that answers messages, and is killed when it does not.

A worker is a fresh `python -m convcheck.runtime`, never a fork of the caller: libraries that have
started threads hang after a fork. It talks through a socket of its own, so nothing that its code
prints, reads or closes among the standard streams can be taken for an answer, and an answer
counts only if it carries the number of the question. Deadlines are kept here, on the monotonic
clock, and end in SIGKILL: native code, a loop that catches everything and a process that ignores
SIGTERM all outlive anything milder.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Literal

from convcheck.core import errors
from convcheck.runtime.deadline import Deadline
from convcheck.runtime.frames import (
    ChannelClosedError,
    DeadlinePassedError,
    GarbledError,
    Message,
    receive,
    send,
)
from convcheck.runtime.warden import STACKS

# The warden kills a tree of processes in a few milliseconds; a warden that does not end in this
# time was itself stopped by the code under test, and is killed, which kills the worker.
_WARDEN_GRACE_S = 1.0
_STACKS_GRACE_S = 0.05
_TRACE_LIMIT = 16 * 2**10
_INNERMOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a worker is told to serve.

    Attributes:
        factory: `"package.module:function"`; the worker imports it and calls it with `setup`. It
            returns the handler, a function from `Message` to `Message`.
        setup: JSON values for the factory.
        environment: Environment variables, over those of this process.
        memory_bytes: How much more private memory the worker may map once its handler is open.
        start_s: How long the start may take, imports included.
        reply_limit: Largest payload of a reply, in bytes.
    """

    factory: str
    setup: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int | None = None
    start_s: float = 60.0
    reply_limit: int = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Why a worker gave no answer.

    Attributes:
        cause: "signal" or "exit" as the process ended, "deadline" if it was killed for being late,
            "garbled" if it was killed for sending what is not an answer.
        status: Number of the signal or the exit status.
        seconds: Time from the question to the end.
        trace: The stacks at the end, where Python could still print them.
    """

    cause: Literal["signal", "exit", "deadline", "garbled"]
    status: int = 0
    seconds: float = 0.0
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply, with what the worker saw while it was made.

    Attributes:
        message: The handler's reply.
        printed: Bytes written to stdout and stderr during the call.
        forked: Child processes left that ran the worker's own program; they are dead now.
        grown: Private memory mapped since the start, in bytes.
    """

    message: Message
    printed: int
    forked: int
    grown: int


class StartError(Exception):
    """The worker could not be started: its handler did not open, or the process ended before."""


class HandlerError(Exception):
    """The handler itself raised: a fault of ours, not of what it handles."""


class Worker:
    """One child process; started at once, ready when `wait_ready` returns."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asked = 0
        self._deadline = Deadline.after(service.start_s)
        self._traces: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `kill`
        self._channel, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "convcheck.runtime",
                 str(theirs.fileno()), str(os.getpid())],
                bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._traces,
                pass_fds=(theirs.fileno(),), start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_import_path()),
                     **service.environment},
            )  # fmt: skip
        except BaseException:
            self._channel.close()
            self._traces.close()
            raise
        finally:
            theirs.close()
        self._is_ready = False
        self.start_seconds = 0.0
        # Sent at once, so that a worker that nobody waits for yet opens its handler meanwhile.
        setup = {
            "factory": service.factory,
            "setup": dict(service.setup),
            "memory_bytes": service.memory_bytes,
            "path": _import_path(),
        }
        with suppress(ChannelClosedError, DeadlinePassedError):
            send(self._channel, Message(setup), self._deadline)

    def wait_ready(self) -> None:
        """Returns when the handler is open.

        Raises:
            StartError: It cannot be opened; the message says why.
            ConvcheckError: The factory refused its setup with this error.
        """
        if self._is_ready:
            return
        reply = self._exchange(None, self._deadline)
        if isinstance(reply, Death):
            raise StartError(_start_failure(reply, self._service))
        if "ready" not in reply.header:
            self.kill()
            raise _refusal(reply.header["refused"])
        self._is_ready = True
        self.start_seconds = float(reply.header["seconds"])

    def ask(self, message: Message, deadline_s: float | None) -> Answer | Death:
        """Returns the handler's answer, or why there is none; after a `Death` the worker is gone.

        Raises:
            StartError: The worker did not become ready.
            HandlerError: The handler raised.
        """
        self.wait_ready()
        self._asked += 1
        question = Message({**message.header, "id": self._asked}, message.buffers)
        reply = self._exchange(question, Deadline.after(deadline_s))
        if isinstance(reply, Death):
            return reply
        header = reply.header
        try:
            if "fault" in header:
                raise HandlerError(header["fault"].get("trace") or header["fault"]["what"])
            if header["id"] == self._asked:
                return Answer(
                    message=Message(header["reply"], reply.buffers),
                    printed=int(header["printed"]),
                    forked=int(header["forked"]),
                    grown=int(header["grown"]),
                )
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
        self.kill()
        return Death(cause="garbled")

    @property
    def asked(self) -> int:
        """Number of questions asked so far."""
        return self._asked

    def kill(self) -> None:
        """Kills the worker and every process that it started; returns when they are gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._channel.close()
        try:
            self._process.wait(_WARDEN_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._traces.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _exchange(self, message: Message | None, deadline: Deadline) -> Message | Death:
        start = time.monotonic()
        try:
            if message is not None:
                send(self._channel, message, deadline)
            return receive(self._channel, deadline, self._service.reply_limit)
        except DeadlinePassedError:
            cause: Literal["deadline", "garbled"] = "deadline"
            self._ask_for_stacks()
        except GarbledError:
            cause = "garbled"
        except ChannelClosedError:
            return self._buried(start)
        except BaseException:
            self.kill()
            raise
        trace = self._read_traces()
        self.kill()
        return Death(cause=cause, seconds=time.monotonic() - start, trace=trace)

    def _buried(self, start: float) -> Death:
        """Returns how the worker ended; the warden ends the same way, once all others are gone."""
        try:
            status = self._process.wait(_WARDEN_GRACE_S)
        except subprocess.TimeoutExpired:
            # The channel is closed but the process lives: its code closed what it did not own.
            trace = self._read_traces()
            self.kill()
            return Death(cause="garbled", seconds=time.monotonic() - start, trace=trace)
        trace = self._read_traces()
        self.kill()
        seconds = time.monotonic() - start
        if status < 0:
            return Death(cause="signal", status=-status, seconds=seconds, trace=trace)
        return Death(cause="exit", status=status, seconds=seconds, trace=trace)

    def _ask_for_stacks(self) -> None:
        """Lets the warden make the worker print where it is, also inside native code."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(STACKS)
        except BrokenPipeError:
            return
        time.sleep(_STACKS_GRACE_S)

    def _read_traces(self) -> str:
        self._traces.seek(0)
        return self._traces.read(_TRACE_LIMIT).decode(errors="replace")


def _import_path() -> list[str]:
    """Returns this process's import path; an empty entry is the current directory."""
    return [entry or os.getcwd() for entry in sys.path]  # noqa: PTH109


def _start_failure(death: Death, service: Service) -> str:
    told = {
        "signal": f"ended by signal {death.status}",
        "exit": f"exited with status {death.status}",
        "deadline": f"was not ready within {service.start_s:g} s",
        "garbled": "answered with something that is not an answer",
    }[death.cause]
    # What happened, and the innermost frames: the rest is how a worker starts.
    lines = death.trace.splitlines()
    frames = [line for line in lines if line.lstrip().startswith("File ")][:_INNERMOST]
    return "\n".join([f"the worker {told}", *lines[:1], *frames])


def _refusal(refused: Mapping[str, str]) -> Exception:
    kind = getattr(errors, refused["type"], None)
    if isinstance(kind, type) and issubclass(kind, errors.ConvcheckError):
        parts = {name: refused[name] for name in ("why", "where", "fix")}
        return kind(refused["what"], **parts)
    return StartError(f"{refused['type']}: {refused['what']}\n{refused.get('trace', '')}")
