"""What the defining sum costs, and what its fast twin saves, on 42 thousand products.

python -m pytest tests/benchmarks/test_oracle_speed.py --benchmark-enable --benchmark-only
"""

import numpy as np
import pytest

from convcheck.core.case import parse_case
from convcheck.oracle import direct, fast
from convcheck.oracle.expected import expected
from convcheck.oracle.inputs import make_inputs

CASE = parse_case("conv2d n1 c4 h17 w17 f4 k3x3 s1 p1 d1 g1")


@pytest.fixture(scope="module")
def arrays():
    inputs = make_inputs(CASE)
    return inputs["x"], inputs["w"]


@pytest.mark.parametrize("carrier", [object, np.int64, np.float64])
def test_fast_sum(benchmark, arrays, carrier):
    x, w = (array.astype(np.int64).astype(carrier) for array in arrays)
    benchmark(fast.conv, x, w, spec=CASE.spec)


def test_defining_sum(benchmark, arrays):
    x, w = (array.astype(np.int64) for array in arrays)
    slow = benchmark.pedantic(direct.conv, (x, w), {"spec": CASE.spec}, rounds=2)
    assert np.array_equal(slow, fast.conv(x, w, spec=CASE.spec))


@pytest.mark.parametrize("family", ["integers", "real", "nonfinite"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_expected_values(benchmark, dtype, family):
    case = parse_case(f"{CASE} {dtype} {family}")
    inputs = make_inputs(case)
    assert benchmark(expected, case, inputs).outputs


def test_inputs(benchmark):
    assert benchmark(make_inputs, CASE)
