"""The child side of a worker: import a handler, answer messages with it, until the parent ends.

The interpreter forks once, at its very start, while it has one thread and has imported nothing
but the standard library: the parent half becomes the warden, the child half the worker. (A fork
after numerical libraries have started their threads hangs; this one comes before any.)
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from convcheck.core.errors import ConvcheckError
from convcheck.runtime import processes
from convcheck.runtime.deadline import Deadline
from convcheck.runtime.frames import ChannelClosedError, Message, receive, send
from convcheck.runtime.warden import STACKS_SIGNAL, Noise, guard

Handler = Callable[[Message], Message]

_NEVER = Deadline.after(None)
_MESSAGE_LIMIT = 2000
# Status of a worker whose channel to the parent is gone or was closed by the code under it.
CHANNEL_LOST = 75


def main(channel: int, parent: int) -> NoReturn:
    """Becomes a warden and a worker that talks through the socket `channel`; never returns."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    noise = Noise()
    processes.adopt_orphans()
    warden = os.getpid()
    worker = os.fork()
    if worker:
        os.close(channel)
        os.close(noise.sink)
        guard(worker, parent, noise)
    os.setsid()
    processes.die_with_parent(warden)
    os.close(noise.source)
    _silence(noise)
    with contextlib.suppress(ChannelClosedError):
        _serve(socket.socket(fileno=channel), noise)
    os._exit(CHANNEL_LOST)


def _silence(noise: Noise) -> None:
    """Points the three standard streams away, and the stacks of a crash at what was stderr."""
    traces = os.dup(2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, standard in ((nothing, 0), (noise.sink, 1), (noise.sink, 2)):
        os.dup2(source, standard)
    faulthandler.enable(traces)
    faulthandler.register(STACKS_SIGNAL, traces, all_threads=True)


def _serve(channel: socket.socket, noise: Noise) -> None:
    own = os.getpid()
    start = time.monotonic()
    request = receive(channel, _NEVER)
    try:
        handler = _open_handler(request.header)
    except BaseException as error:
        send(channel, Message({"refused": describe_error(error)}), _NEVER)
        return
    if request.header["memory_bytes"] is not None:
        processes.limit_private_memory(request.header["memory_bytes"])
    base = processes.private_memory()
    send(channel, Message({"ready": own, "seconds": time.monotonic() - start}), _NEVER)
    while True:
        request = receive(channel, _NEVER)
        printed = noise.written()
        try:
            reply = handler(request)
            header = {"id": request.header["id"], "reply": reply.header}
            buffers = reply.buffers
        except BaseException as error:
            header = {"id": request.header["id"], "fault": describe_error(error)}
            buffers = ()
        if os.getpid() != own:
            # The code under the handler forked, and this is the copy: it has no right to answer.
            os._exit(0)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        copies = processes.forked_copies()
        if copies:
            # The next call must not meet, nor be blamed for, what this one left; what the copies
            # themselves left has been adopted by the warden.
            orphans = [pid for pid in processes.children_of(os.getppid()) if pid != own]
            processes.kill_all(copies + orphans)
        header |= {
            "printed": noise.written() - printed,
            "forked": len(copies),
            "grown": processes.private_memory() - base,
        }
        send(channel, Message(header, buffers), _NEVER)


def _open_handler(header: Any) -> Handler:
    sys.path[:] = header["path"]
    module, _, name = header["factory"].partition(":")
    return getattr(import_module(module), name)(header["setup"])


def describe_error(error: BaseException) -> dict[str, str]:
    """Returns the type and the message of `error`, in four parts if it is a `ConvcheckError`."""
    if isinstance(error, ConvcheckError):
        parts = {name: getattr(error, name) for name in ("what", "why", "where", "fix")}
        return {"type": type(error).__name__, **parts}
    import traceback

    try:
        text = str(error)[:_MESSAGE_LIMIT]
        trace = "".join(traceback.format_exception(error, limit=-20))[-4 * _MESSAGE_LIMIT :]
    except BaseException as second:
        text = trace = f"its message cannot be printed: {type(second).__name__}"
    return {"type": type(error).__name__, "what": text, "trace": trace}
