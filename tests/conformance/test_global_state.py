"""Each thing that a function may leave changed is seen, named, and put back."""

import gc
import os
import random
import signal
import warnings

import numpy as np
import pytest
import torch

from convcheck.conformance.calls import Callee, perform
from convcheck.conformance.global_state import take_state
from convcheck.conformance.layouts import settle
from convcheck.conformance.outcome import CHANGED_STATE, Misbehaved, Returned
from convcheck.core.case import parse_case
from convcheck.oracle.inputs import make_inputs

CHANGES = {
    "numpy error handling": lambda: np.seterr(over="raise"),
    "numpy random generator": lambda: np.random.rand(),
    "python random generator": random.random,
    "working directory": lambda: os.chdir("/"),
    "garbage collector": gc.disable,
    "numpy print options": lambda: np.set_printoptions(precision=3),
    "environment of libraries": lambda: os.environ.update(OMP_NUM_THREADS="77"),
    "interrupt handler": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    "alarm clock": lambda: signal.alarm(1000),
    "torch default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch gradient mode": lambda: torch.set_grad_enabled(False),
    "torch deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch mkldnn switch": lambda: torch._C._set_mkldnn_enabled(False),
    "torch autocast": lambda: torch.set_autocast_enabled("cpu", True),
    "torch precision of float32 products": lambda: torch._C._set_float32_matmul_precision("medium"),
    "torch cudnn switches": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "torch default device": lambda: torch.set_default_device("meta"),
    "torch anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "torch print options": lambda: torch.set_printoptions(precision=3),
    "torch random generator": lambda: torch.rand(1),
    "floating-point mode": lambda: torch.set_flush_denormal(True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen_and_put_back(name):
    before = take_state()
    CHANGES[name]()
    assert before.changes() == [name]
    assert before.changes() == []


def test_nothing_changed_is_nothing_told():
    assert take_state().changes() == []


def for_good(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    return x * w


def for_itself(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return x * w


def while_importing(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if not calls:
        calls.append(warnings.simplefilter("default", FutureWarning))
    return x * w


calls: list[None] = []


def resets(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    torch.set_num_threads(1)
    torch.set_grad_enabled(True)
    return x * w


def derives(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    leaf = w.detach().clone().requires_grad_()
    (y,) = torch.autograd.grad((x * leaf).sum(), leaf)
    return x * w + 0 * y.sum()


def test_state_that_is_set_to_what_it_was_by_default_shows_in_an_unusual_state():
    text = "conv1d n1 c1 w3 f1 k1 s1 p0 d1 g1"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = {
            (function, seed): perform(
                Callee(function=function, arrays="torch"), case, settle(case, make_inputs(case))
            )
            for function in (resets, derives)
            for seed in (1, 2)
            for case in [parse_case(f"{text} seed{seed}")]
        }
    finally:
        torch.set_num_threads(threads)
    assert found[resets, 2].detail == "torch number of threads, torch gradient mode"
    assert isinstance(found[resets, 1], Returned)
    # Who needs gradients is called again as usual.
    assert isinstance(found[derives, 1], Returned) and isinstance(found[derives, 2], Returned)


def test_warning_filters_are_left_alone_but_for_imports():
    case = parse_case("conv1d n1 c1 w3 f1 k1 s1 p0 d1 g1")
    found = [
        perform(Callee(function=function, arrays="numpy"), case, settle(case, make_inputs(case)),
                repeat=2)
        for function in (for_good, for_itself, while_importing)
    ]  # fmt: skip
    assert found[0] == Misbehaved(reason=CHANGED_STATE, detail="warning filters")
    assert isinstance(found[1], Returned) and isinstance(found[2], Returned)
