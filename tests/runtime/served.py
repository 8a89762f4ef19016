"""A handler for the tests of the worker: it runs the statement that it is sent."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from convcheck.core.errors import TargetError
from convcheck.runtime.frames import Message

SCOPE = {"ctypes": ctypes, "os": os, "signal": signal, "sys": sys, "time": time}


def open_handler(setup):
    if "do" in setup:
        exec(setup["do"], {**SCOPE, "TargetError": TargetError, "Path": Path})

    def handle(message):
        scope = dict(SCOPE)
        exec(message.header.get("do", ""), scope)
        return Message({"result": scope.get("result")}, message.buffers)

    return handle
