"""Whatever a function does: one classified outcome, the next case runs, no process is left."""

import runpy
import uuid
from pathlib import Path

import numpy as np
import pytest

from convcheck.conformance import outcome as names
from convcheck.conformance.execute import open_runner
from convcheck.core.case import parse_case
from convcheck.oracle.inputs import make_inputs

TARGET = f"{Path(__file__).parent / 'hostile.py'}:conv2d"
PLACES = {name: place for place, name in enumerate(runpy.run_path(TARGET[:-7])["DEEDS"])}
GOOD = parse_case("conv2d n1 c2 h3 w3 f2 k1x1 s1 p0 d1 g1")
TOKEN = f"marked-{uuid.uuid4().hex}"

# Name of the function, symptom, what its description must hold.
DEEDS = [
    ("innocent", "returned", "float32"),
    ("segfault", "crashed", "SIGSEGV"),
    ("loop", "timed_out", "did not return within"),
    ("sleep", "timed_out", "did not return within"),
    ("stop_the_warden", "timed_out", "did not return within"),
    ("kill_the_warden", "crashed", "SIGKILL"),
    ("exit", "raised", "SystemExit"),
    ("exit_at_once", "crashed", "exit 0"),
    ("abort", "crashed", "SIGABRT"),
    ("fork_and_linger", "misbehaved", names.LEFT_PROCESSES),
    ("fork_a_session", "misbehaved", names.LEFT_PROCESSES),
    ("fork_and_sleep", "timed_out", "did not return within"),
    ("fork_and_return", "misbehaved", names.LEFT_PROCESSES),
    ("print_a_megabyte", "misbehaved", names.FLOODED),
    ("write_to_descriptors", "misbehaved", names.BROKE_CHANNEL),
    ("close_descriptors", "crashed", "exit"),
    ("allocate", "out_of_memory", "50"),
    ("interrupt", "raised", "KeyboardInterrupt"),
    ("shout", "raised", "ValueError: xxx"),
    ("unprintable", "raised", "cannot be printed"),
    ("recurse", "raised", "RecursionError"),
    ("limit_recursion", "returned", "float32"),
    ("mutate", "misbehaved", names.MUTATED_INPUT),
    ("mutate_weights", "misbehaved", "(w)"),
    ("write_past_the_end", "misbehaved", names.WROTE_OUT_OF_BOUNDS),
    ("write_before_the_start", "misbehaved", names.WROTE_OUT_OF_BOUNDS),
    ("seterr", "misbehaved", "numpy error handling"),
    ("draw", "misbehaved", "numpy random generator"),
    ("seed", "misbehaved", "python random generator"),
    ("return_none", "misbehaved", names.NO_ARRAY),
    ("return_list", "misbehaved", "list instead of a numpy.ndarray"),
    ("return_generator", "misbehaved", names.NO_ARRAY),
    ("return_objects", "misbehaved", "dtype object"),
    ("return_masked", "misbehaved", names.NO_ARRAY),
    ("count", "misbehaved", names.NOT_DETERMINISTIC),
    ("reuse", "misbehaved", names.SHARED_BUFFER),
]
HARMLESS_IN_PROCESS = [deed for deed in DEEDS if deed[0] in {
    "innocent", "exit", "print_a_megabyte", "interrupt", "shout", "unprintable", "recurse",
    "mutate", "mutate_weights", "write_past_the_end", "write_before_the_start", "seterr", "draw",
    "seed", "return_none", "return_list", "return_generator", "return_objects", "return_masked",
    "count", "reuse",
}]  # fmt: skip


@pytest.fixture(scope="module")
def isolated():
    with open_runner(
        TARGET, "conv2d", deadline_s=0.5, memory_limit=2**30, environment={"MARK": TOKEN}
    ) as runner:
        assert len(processes_marked(TOKEN)) == 2
        yield runner
    assert processes_marked(TOKEN) == []


@pytest.fixture(scope="module")
def in_process():
    with open_runner(TARGET, "conv2d", isolated=False, arrays="numpy") as runner:
        yield runner


def processes_marked(token):
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if token.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def is_right(outcome, inputs):
    expected = np.einsum("nchw,fcij->nfhw", inputs["x"], inputs["w"])
    return outcome.symptom == "returned" and np.array_equal(outcome.arrays[0].values, expected)


def do(runner, name, repeat=2):
    case = parse_case(f"conv2d n{PLACES[name] + 2} c1 h3 w3 f1 k1x1 s1 p0 d1 g1")
    return runner.run(case, make_inputs(case), repeat=repeat)


def check(runner, name, symptom, told):
    good = make_inputs(GOOD)
    assert is_right(runner.run(GOOD, good, sure=True), good)
    outcome = do(runner, name)
    assert outcome.symptom == symptom
    assert told in str(outcome)
    assert len(str(outcome)) < 5000
    assert is_right(runner.run(GOOD, good, sure=True), good)


@pytest.mark.parametrize(("name", "symptom", "told"), DEEDS, ids=[deed[0] for deed in DEEDS])
def test_isolated_outcome_is_classified(isolated, name, symptom, told):
    check(isolated, name, symptom, told)
    # The worker that answered last and its warden, perhaps a spare: nobody from before.
    assert len(processes_marked(TOKEN)) in (2, 3, 4)


@pytest.mark.parametrize(
    ("name", "symptom", "told"), HARMLESS_IN_PROCESS, ids=[deed[0] for deed in HARMLESS_IN_PROCESS]
)
def test_in_process_outcome_is_classified(in_process, name, symptom, told):
    check(in_process, name, symptom, told)


def test_every_deed_is_tested():
    assert {name for name, _, _ in DEEDS} | {"flush_subnormals", "default_dtype"} == set(PLACES)


def test_changed_state_is_put_back(in_process):
    position, handling = np.random.get_state()[2], np.geterr()
    for name in ("seterr", "draw"):
        assert do(in_process, name).symptom == "misbehaved"
    assert np.geterr() == handling
    assert np.random.get_state()[2] == position


@pytest.mark.parametrize(
    ("name", "told"),
    [("default_dtype", "torch default dtype"), ("flush_subnormals", "floating-point mode")],
)
def test_changed_torch_state_is_seen_and_put_back(in_process, name, told):
    torch = pytest.importorskip("torch")
    check(in_process, name, "misbehaved", told)
    assert torch.get_default_dtype() == torch.float32
    assert torch.tensor(5e-324, dtype=torch.float64).item() * 1.0 > 0.0
