"""Each thing that a function may leave changed is seen, named, and put back."""

import gc
import os
import random
import signal

import numpy as np
import pytest
import torch

from convcheck.conformance.global_state import take_state

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
