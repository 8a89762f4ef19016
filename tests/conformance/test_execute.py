"""Both runners give the same outcome, on fresh arrays, with the arguments of the case."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convcheck.conformance.autograd import backward_of
from convcheck.conformance.calls import classify
from convcheck.conformance.compiled import is_compiled
from convcheck.conformance.execute import open_runner
from convcheck.conformance.global_state import floating_point_mode, take_state
from convcheck.conformance.layouts import settle
from convcheck.conformance.outcome import NO_ARRAY, NOT_DETERMINISTIC, Returned
from convcheck.conformance.poison import poison_kept_blocks, poisoned_memory
from convcheck.core.case import parse_case
from convcheck.core.errors import UsageError
from convcheck.oracle.expected import expected
from convcheck.oracle.inputs import make_inputs

TORCH = "torch.nn.functional"
# Case, function of torch that answers it.
CASES = [
    ("conv1d n2 c4 w9 f6 k3 s2 p1 d2 g2 b1", "conv1d"),
    ("conv2d n2 c4 h9 w7 f6 k3x2 s2x1 p1x0 d1x2 g2 b1 float64 channels_last", "conv2d"),
    ("conv2d n1 c2 h5 w5 f2 k3x3 s1 psame d1 g1 bfloat16 transposed", "conv2d"),
    ("conv2d n0 c2 h5 w5 f2 k3x3 s1 p0 d1 g1 int_arguments", "conv2d"),
    ("conv3d n1 c1 z3 h4 w5 f2 k2x2x3 s1 p0 d1 g1 sliced", "conv3d"),
    ("conv_transpose2d n1 c2 h3 w3 f4 k2x2 s2 p0 d1 g2 op1 b1 offset", "conv_transpose2d"),
    ("max_pool2d n1 c3 h5 w6 k2x3 s2 p1 d1x1 ceil expanded", "max_pool2d"),
    ("avg_pool2d n1 c1 h4 w4 k2x2 s2 p1 exclude_pad int_arguments", "avg_pool2d"),
    ("cross_entropy n3 c5 sum index ls10", "cross_entropy"),
    ("cross_entropy n2 c3 h2 w2 none probabilities float64", "cross_entropy"),
    ("kl_div n2 c3 batchmean log_target", "kl_div"),
]


def expect(case, inputs, outcome):
    assert isinstance(outcome, Returned), outcome
    wanted = expected(case, inputs).outputs[0]
    (found,) = outcome.arrays
    assert (found.dtype, found.values.shape, found.device) == (case.dtype, wanted.shape, "cpu")
    error = np.abs(found.values.astype(np.float64) - wanted.values)
    assert (error <= wanted.bound).all()


@pytest.mark.parametrize(("text", "name"), CASES)
def test_every_family_is_called_by_its_contract(text, name):
    case = parse_case(text)
    with open_runner(f"{TORCH}:{name}", case.op, isolated=False) as runner:
        assert runner.arrays == "torch"
        inputs = settle(case, make_inputs(case))
        expect(case, inputs, runner.run(case, inputs, repeat=2))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_convolve_is_called_by_its_contract(mode, dtype):
    case = parse_case(f"convolve h5 w4 k2x2 {mode} {dtype} reversed")
    with open_runner("scipy.signal:convolve2d", "convolve", isolated=False) as runner:
        inputs = make_inputs(case)
        expect(case, inputs, runner.run(case, inputs))


def test_isolated_and_in_process_give_the_same_bits():
    case = parse_case("conv2d n2 c4 h9 w7 f6 k3x2 s2x1 p1x0 d1 g2 b1 real")
    inputs = make_inputs(case)
    found = []
    for isolated in (True, False):
        with open_runner(f"{TORCH}:conv2d", "conv2d", isolated=isolated) as runner:
            outcome = runner.run(case, inputs, repeat=2)
            found.append((outcome.arrays[0].dtype, outcome.arrays[0].values.tobytes()))
    assert found[0] == found[1]


def of_sizes(input_size, kernel_size, stride, padding, dilation):
    assert all(isinstance(value, int) for value in (input_size, kernel_size, stride, padding))
    return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def test_sizes_are_passed_and_returned_as_ints():
    case = parse_case("output_size w32 k5 s2 p1 d1")
    with open_runner(of_sizes, "output_size", isolated=False) as runner:
        (found,) = runner.run(case, {}).arrays
        assert (found.values.item(), found.values.shape) == (15, ())
    for wrong in (15.0, True, None, (1, 2), 2**63):
        with open_runner(lambda *_, **__: wrong, "output_size", isolated=False) as runner:  # noqa: B023
            assert runner.run(case, {}).reason == NO_ARRAY


def test_autograd_gives_the_gradients_of_the_oracle():
    for name in ("conv1d", "conv2d", "conv_transpose2d"):
        text = {
            "conv1d": "conv1d_backward n2 c4 w9 f6 k3 s2 p1 d2 g2",
            "conv2d": "conv2d_backward n2 c4 h6 w5 f6 k3x2 s2x1 p1x0 d1 g2 channels_last",
            "conv_transpose2d": "conv_transpose2d_backward n1 c4 h3 w3 f2 k2x3 s2 p0 d1 g2 op1",
        }[name]
        case = parse_case(text)
        inputs = make_inputs(case)
        with open_runner(f"{TORCH}:{name}", case.op, isolated=False, autograd=True) as runner:
            outcome = runner.run(case, inputs, repeat=2)
        wanted = expected(case, inputs).outputs
        assert [array.values.shape for array in outcome.arrays] == [each.shape for each in wanted]
        for array, each in zip(outcome.arrays, wanted, strict=True):
            assert np.array_equal(array.values, each.values)


def test_autograd_is_for_backward_ops():
    with pytest.raises(UsageError, match="is none"):
        open_runner(f"{TORCH}:conv2d", "conv2d", autograd=True)
    assert callable(backward_of(lambda x, w, b: x))


def test_a_call_that_cannot_be_made_is_refused_not_changed():
    asymmetric = parse_case("conv2d n1 c1 h5 w5 f1 k3x3 s1 p1:0 d1 g1")
    circular = parse_case("conv2d n1 c1 h5 w5 f1 k3x3 s1 p1 d1 g1 circular")
    with open_runner("scipy.signal:convolve", "convolve", isolated=False) as runner:
        case = parse_case("convolve w5 k3 full bfloat16")
        assert "bfloat16" in runner.unsupported(case)
        with pytest.raises(UsageError, match="NumPy has no bfloat16"):
            runner.run(case, make_inputs(case))
    with open_runner(f"{TORCH}:conv2d", "conv2d", isolated=False) as runner:
        assert "1:0" in runner.unsupported(asymmetric)
        assert "circular" in runner.unsupported(circular)
        assert "negative strides" in runner.unsupported(replace(circular, layout="reversed"))


seen = []


def remember(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    seen.append((x.shape, type(stride), stride, padding, x.copy()))
    x[...] = 0
    return x


def test_every_call_has_fresh_arrays_and_its_own_form_of_arguments():
    seen.clear()
    case = parse_case("conv2d n1 c1 h5 w5 f1 k3x3 s2 p1 d1 g1")
    inputs = make_inputs(case)
    kept = inputs["x"].copy()
    with open_runner(remember, "conv2d", isolated=False) as runner:
        for each in (case, replace(case, int_arguments=True)):
            assert runner.run(each, inputs).reason == "changed its input"
    assert np.array_equal(inputs["x"], kept)
    assert [(kind, stride, padding) for _, kind, stride, padding, _ in seen] == [
        (tuple, (2, 2), (1, 1)),
        (int, 2, 1),
    ]
    assert all(np.array_equal(x, kept) for *_, x in seen)


def unwritten(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.empty((x.shape[0], w.shape[0], *x.shape[2:]), x.dtype)


@pytest.mark.parametrize("size", [3, 15, 200, 600])
def test_memory_that_was_not_written_is_never_zero(size):
    case = parse_case(f"conv2d n1 c1 h{size} w{size} f1 k1x1 s1 p0 d1 g1")
    with open_runner(unwritten, "conv2d", isolated=False) as runner:
        (found,) = runner.run(case, make_inputs(case)).arrays
    assert np.count_nonzero(np.nan_to_num(found.values, nan=1.0)) == found.values.size


def test_poison_ends_with_the_call():
    with poisoned_memory():
        assert np.empty(5000, np.uint8).min() == 0xFE
    fresh = [np.empty(50_000 + size, np.uint8) for size in range(20)]
    assert any(array.min() != 0xFE for array in fresh)
    poison_kept_blocks(0)


def test_a_leaking_function_is_not_blamed_for_one_call():
    case = parse_case("conv2d n1 c1 h3 w3 f1 k1x1 s1 p0 d1 g1")
    target = f"{Path(__file__)}:leak"
    with open_runner(target, "conv2d", memory_limit=2**28) as runner:
        for _ in range(8):
            assert isinstance(runner.run(case, make_inputs(case)), Returned)


kept_alive = []


def leak(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    kept_alive.append(np.ones(40 * 2**20, np.uint8))
    return x * w[0, 0]


def threads(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    import os

    return x + float(os.environ["OMP_NUM_THREADS"])


def test_a_worker_has_the_environment_that_is_asked_for():
    case = parse_case("conv2d n1 c1 h3 w3 f1 k1x1 s1 p0 d1 g1")
    inputs = make_inputs(case)
    with open_runner(
        f"{Path(__file__)}:threads", "conv2d", environment={"OMP_NUM_THREADS": "7"}
    ) as r:
        assert np.array_equal(r.run(case, inputs).arrays[0].values, inputs["x"] + 7)
    with pytest.raises(UsageError, match="worker only"):
        open_runner(threads, "conv2d", isolated=False, environment={"OMP_NUM_THREADS": "7"})


def test_floating_point_modes_are_told_apart():
    import ctypes

    libm = ctypes.CDLL("libm.so.6")
    normal = floating_point_mode()
    assert normal == (False, True, True, True)
    modes = set()
    try:
        # FE_DOWNWARD, FE_UPWARD and FE_TOWARDZERO of x86.
        for direction in (0x400, 0x800, 0xC00):
            state = take_state()
            libm.fesetround(direction)
            modes.add(floating_point_mode())
            assert "floating-point mode" in state.changes()
            assert floating_point_mode() == normal
    finally:
        libm.fesetround(0)
    assert len(modes) == 3
    assert normal not in modes


def same(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return x


def test_the_overhead_of_a_call_in_process_is_small():
    case = parse_case("conv2d n1 c2 h8 w8 f2 k3x3 s1 p1 d1 g1 b1")
    inputs = make_inputs(case)
    with open_runner(same, "conv2d", isolated=False) as runner:
        runner.run(case, inputs)
        times = []
        for _ in range(200):
            start = time.thread_time()
            runner.run(case, inputs)
            times.append(time.thread_time() - start)
    # About 100 us; the margin is for slower machines. What it guards against is another 70 us
    # of a random generator's state, or a size worked out again.
    assert min(times) < 500e-6


def hang(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if x.shape[0] > 1:
        time.sleep(100)
    return x


def test_after_a_confirmed_hang_later_ones_are_told_sooner():
    one, two = (parse_case(f"conv2d n{n} c1 h3 w3 f1 k1x1 s1 p0 d1 g1") for n in (1, 2))
    with open_runner(f"{Path(__file__)}:hang", "conv2d", deadline_s=1.0) as runner:
        assert isinstance(runner.run(one, make_inputs(one)), Returned)
        assert runner.run(two, make_inputs(two)).seconds == 3.0
        brief = runner.run(two, make_inputs(two)).seconds
        assert 0.3 <= brief <= 1.0
        assert runner.run(two, make_inputs(two), sure=True).seconds == 1.0
        assert isinstance(runner.run(one, make_inputs(one)), Returned)


def plain(x):
    return x


compiled = None


def outer(x):
    return compiled(x)


def test_compiled_functions_are_recognised(monkeypatch):
    torch = pytest.importorskip("torch")
    assert not is_compiled(plain)
    assert not is_compiled(torch.nn.functional.conv2d)
    assert is_compiled(torch.compile(plain))
    monkeypatch.setitem(globals(), "compiled", torch.compile(plain))
    assert is_compiled(outer)


LOOK = """
import sys

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return x + any(name.startswith("convcheck.oracle") for name in sys.modules)
"""


def test_the_oracle_is_not_where_the_function_is(tmp_path):
    path = tmp_path / "look.py"
    path.write_text(LOOK)
    case = parse_case("conv2d n1 c1 h3 w3 f1 k1x1 s1 p0 d1 g1")
    inputs = make_inputs(case)
    for isolated in (True, False):
        with open_runner(f"{path}:conv2d", "conv2d", isolated=isolated) as runner:
            found = runner.run(case, inputs).arrays[0].values
        assert np.array_equal(found, inputs["x"] + (not isolated))


@pytest.mark.parametrize(
    ("error", "symptom"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out_of_memory"),
        (RuntimeError("expected 3D or 4D input"), "raised"),
        (ValueError("out of memory"), "raised"),
    ],
)
def test_allocators_refuse_in_their_own_words(error, symptom):
    assert classify(error).symptom == symptom


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ([np.nan, 1.0], [-np.nan, 1.0], True),
        ([np.nan, 1.0], [np.nan, 2.0], False),
        ([np.nan], [1.0], False),
        ([0.0], [-0.0], False),
        (3.0, 4.0, False),
        ([1], [2], False),
        ([1j], [2j], False),
        (np.longdouble(1), np.longdouble(2), False),
    ],
)
def test_repeated_results_are_compared_bit_for_bit_but_for_the_kind_of_nan(first, second, same):
    values = iter([np.array(first), np.array(second)])
    case = parse_case("conv2d n1 c1 h3 w3 f1 k1x1 s1 p0 d1 g1")
    with open_runner(lambda *_, **__: next(values), "conv2d", isolated=False) as runner:
        outcome = runner.run(case, make_inputs(case), repeat=2)
    assert (outcome.symptom == "returned") == same
    assert same or outcome.reason == NOT_DETERMINISTIC


WRONG_ONCE = """
import numpy as np
import torch

calls = []


def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    calls.append(np.float32(not calls))
    return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups) + calls[-1]
"""


@pytest.mark.slow
def test_finding_out_the_arrays_does_not_hide_the_first_call(tmp_path):
    (tmp_path / "once.py").write_text(WRONG_ONCE)
    case = parse_case("conv2d n1 c2 h8 w8 f2 k3x3 s1 p1 d1 g1 b1")
    with open_runner(f"{tmp_path / 'once.py'}:conv", "conv2d") as runner:
        assert runner.arrays == "torch"
        assert runner.run(case, make_inputs(case), repeat=2).reason == NOT_DETERMINISTIC
        assert isinstance(runner.run(case, make_inputs(case), repeat=2), Returned)
