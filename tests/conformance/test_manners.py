"""What a function does beside its result: prints, threads, state that an error leaves behind."""

import threading

import numpy as np
import pytest

from convcheck.conformance.calls import Callee, perform
from convcheck.conformance.layouts import settle
from convcheck.conformance.outcome import (
    CHANGED_STATE,
    LEFT_THREADS,
    PRINTED,
    Misbehaved,
    Raised,
    Returned,
)
from convcheck.core.case import parse_case
from convcheck.oracle.inputs import make_inputs

CASE = parse_case("conv1d n1 c1 w3 f1 k1 s1 p0 d1 g1")
stop = threading.Event()


def of(before):
    def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        before()
        return x * w

    return function


def outcome(before, calls=2):
    callee = Callee(function=of(before), arrays="numpy")
    return perform(callee, CASE, settle(CASE, make_inputs(CASE)), repeat=calls)


def log():
    import sys

    sys.stderr.write("compiled\n")


def once(known=[]):  # noqa: B006 - kept on purpose
    if not known:
        print("compiling")
        known.append(1)


def fails(leave):
    def before():
        old = np.seterr(over="raise")
        try:
            raise ValueError("no")
        finally:
            if not leave:
                np.seterr(**old)

    return before


def leave_a_thread():
    threading.Thread(target=stop.wait, daemon=True).start()


def test_what_is_printed_is_told_but_for_the_first_call_and_logs():
    assert outcome(lambda: print("here")) == Misbehaved(reason=PRINTED, detail=repr("here\n"))
    assert isinstance(outcome(once), Returned)
    assert isinstance(outcome(log), Returned)


def test_state_that_an_error_leaves_changed_is_told():
    assert outcome(fails(leave=True)) == Misbehaved(
        reason=CHANGED_STATE, detail="numpy error handling"
    )
    assert isinstance(outcome(fails(leave=False)), Raised)


@pytest.mark.parametrize(("calls", "told"), [(30, False), (80, True)])
def test_threads_without_end_are_told_and_a_pool_is_not(calls, told):
    try:
        found = outcome(leave_a_thread, calls)
        assert isinstance(found, Misbehaved) == told
        assert not told or found.reason == LEFT_THREADS
        # It is told once.
        assert isinstance(outcome(lambda: None), Returned)
    finally:
        stop.set()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.daemon:
                thread.join(1)
        stop.clear()
