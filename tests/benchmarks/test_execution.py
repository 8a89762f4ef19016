"""What it costs to run one call: in process, in a worker, and to start a worker.

python -m pytest tests/benchmarks --benchmark-only
"""

from pathlib import Path

import pytest

from convcheck.conformance.execute import open_runner
from convcheck.core.case import parse_case
from convcheck.oracle.inputs import make_inputs

TARGET = f"{Path(__file__)}:same"
CASE = parse_case("conv2d n1 c2 h8 w8 f2 k3x3 s1 p1 d1 g1 b1")


def same(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return x


@pytest.mark.parametrize("isolated", [False, True], ids=["in_process", "isolated"])
def test_one_call(benchmark, isolated):
    inputs = make_inputs(CASE)
    with open_runner(TARGET, "conv2d", isolated=isolated) as runner:
        outcome = benchmark(runner.run, CASE, inputs)
    assert outcome.symptom == "returned"


def test_starting_a_worker(benchmark):
    def start():
        with open_runner(TARGET, "conv2d") as runner:
            return runner.arrays

    assert benchmark.pedantic(start, rounds=5) == "numpy"
