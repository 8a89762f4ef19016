"""A 1x1 convolution that does something else as well, told by the size of the batch."""

import ctypes
import os
import random
import signal
import sys
import time

import numpy as np


def _answer(x, w):
    return np.einsum("nchw,fcij->nfhw", x, w)


def _segfault(x, w):
    ctypes.string_at(0)


def _loop(x, w):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try:
            time.sleep(0.001)
        except BaseException:
            continue


def _sleep(x, w):
    time.sleep(1000)


def _stop_the_warden(x, w):
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(1000)


def _kill_the_warden(x, w):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)


def _exit(x, w):
    sys.exit(0)


def _exit_at_once(x, w):
    os._exit(0)


def _abort(x, w):
    os.abort()


def _fork_and_linger(x, w):
    if os.fork() == 0:
        time.sleep(1000)


def _fork_a_session(x, w):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)


def _fork_and_sleep(x, w):
    if os.fork() == 0:
        os.setsid()
        os.fork()
    time.sleep(1000)


def _fork_and_return(x, w):
    os.fork()


def _print_a_megabyte(x, w):
    print("x" * 2**20)


def _write_to_descriptors(x, w):
    for descriptor in range(1, 64):
        try:
            os.write(descriptor, b"noise" * 30_000)
        except OSError:
            continue


def _close_descriptors(x, w):
    os.closerange(0, 100)


def _allocate(x, w):
    np.ones(50 * 2**30, np.uint8)


def _interrupt(x, w):
    raise KeyboardInterrupt


def _shout(x, w):
    raise ValueError("x" * 10**6)


class _UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no message")


def _unprintable(x, w):
    raise _UnprintableError


def _recurse(x, w):
    return _recurse(x, w)


def _limit_recursion(x, w):
    sys.setrecursionlimit(60)


def _mutate(x, w):
    x[0, 0, 0, 0] += 1


def _mutate_weights(x, w):
    w *= 2


def _write_past_the_end(x, w):
    (ctypes.c_uint8 * 4).from_address(x.ctypes.data + x.nbytes)[0] ^= 0xFF


def _write_before_the_start(x, w):
    (ctypes.c_uint8 * 4).from_address(x.ctypes.data - 4)[0] ^= 0xFF


def _seterr(x, w):
    np.seterr(all="raise")


def _draw(x, w):
    np.random.rand()


def _seed(x, w):
    random.seed(0)


def _flush_subnormals(x, w):
    import torch

    torch.set_flush_denormal(True)


def _default_dtype(x, w):
    import torch

    torch.set_default_dtype(torch.float64)


_calls = []
_buffer = np.zeros((100, 1, 3, 3), np.float32)


def _count(x, w):
    _calls.append(None)
    return _answer(x, w) + len(_calls)


def _reuse(x, w):
    found = _buffer[: x.shape[0]]
    found[...] = _answer(x, w)
    return found


DEEDS = {
    "segfault": _segfault,
    "loop": _loop,
    "sleep": _sleep,
    "stop_the_warden": _stop_the_warden,
    "kill_the_warden": _kill_the_warden,
    "exit": _exit,
    "exit_at_once": _exit_at_once,
    "abort": _abort,
    "fork_and_linger": _fork_and_linger,
    "fork_a_session": _fork_a_session,
    "fork_and_sleep": _fork_and_sleep,
    "fork_and_return": _fork_and_return,
    "print_a_megabyte": _print_a_megabyte,
    "write_to_descriptors": _write_to_descriptors,
    "close_descriptors": _close_descriptors,
    "allocate": _allocate,
    "interrupt": _interrupt,
    "shout": _shout,
    "unprintable": _unprintable,
    "recurse": _recurse,
    "limit_recursion": _limit_recursion,
    "mutate": _mutate,
    "mutate_weights": _mutate_weights,
    "write_past_the_end": _write_past_the_end,
    "write_before_the_start": _write_before_the_start,
    "seterr": _seterr,
    "draw": _draw,
    "seed": _seed,
    "flush_subnormals": _flush_subnormals,
    "default_dtype": _default_dtype,
    "count": _count,
    "reuse": _reuse,
    "return_none": lambda x, w: [None],
    "return_list": lambda x, w: _answer(x, w).tolist(),
    "return_generator": lambda x, w: iter(_answer(x, w)),
    "return_objects": lambda x, w: _answer(x, w).astype(object),
    "return_masked": lambda x, w: np.ma.masked_array(_answer(x, w)),
    "innocent": lambda x, w: None,
}


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Does the deed whose place in the list the batch says; a batch of 1 does none."""
    deed = [None, None, *DEEDS.values()][x.shape[0]]
    found = deed and deed(x, w)
    return _answer(x, w) if found is None else found
