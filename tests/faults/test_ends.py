"""However the parent ends, its workers and all that they started end with it."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Batch sizes of the deeds are read off the list; see hostile.py.
SCRIPT = """
import runpy, sys
from convcheck.conformance.execute import open_runner
from convcheck.core.case import parse_case
from convcheck.oracle.inputs import make_inputs
from convcheck.runtime.interrupts import watch_interrupts

path, mode = sys.argv[1:]
places = list(runpy.run_path(path)["DEEDS"])

def run(name, runner):
    case = parse_case(f"conv2d n{places.index(name) + 2} c1 h3 w3 f1 k1x1 s1 p0 d1 g1")
    return runner.run(case, make_inputs(case))

with watch_interrupts(), open_runner(path + ":conv2d", "conv2d", deadline_s=60) as runner:
    print("open", flush=True)
    try:
        run("fork_and_sleep", runner)
    except KeyboardInterrupt:
        if mode == "stubborn":
            print("stopping", flush=True)
            while True:
                pass
        print("stopped", flush=True)
        raise SystemExit(130)
"""


def marked(token):
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if token.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(holds, seconds):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def start():
    token = f"marked-{uuid.uuid4().hex}"
    started = []

    def start(mode):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(HERE / "hostile.py"), mode],
            env={**os.environ, "MARK": token}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "open\n"
        # The script, the warden, the worker, and two that the function forked.
        wait_until(lambda: len(marked(token)) == 5, 10)
        return process

    yield start, lambda: marked(token)
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_killed_parent_leaves_nothing(start):
    start, survivors = start
    process = start("plain")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: survivors() == [], 2)


def test_first_interrupt_stops_in_good_order(start):
    start, survivors = start
    process = start("plain")
    process.send_signal(signal.SIGINT)
    assert process.wait(2) == 130
    assert process.stdout.read() == "stopped\n"
    wait_until(lambda: survivors() == [], 1)


def test_second_interrupt_ends_at_once(start):
    start, survivors = start
    process = start("stubborn")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "stopping\n"
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(1) == 130
    wait_until(lambda: survivors() == [], 2)


IN_PROCESS = """
import sys
from convcheck.conformance.execute import open_runner
from convcheck.core.case import parse_case
from convcheck.oracle.inputs import make_inputs

case = parse_case("conv2d n1 c1 h3 w3 f1 k1x1 s1 p0 d1 g1")

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    print("called", file=sys.__stdout__, flush=True)
    while True:
        pass

with open_runner(conv2d, "conv2d", isolated=False) as runner:
    print(runner.run(case, make_inputs(case)), flush=True)
"""


def test_the_person_s_interrupt_is_no_outcome_of_the_function():
    process = subprocess.Popen(
        [sys.executable, "-c", IN_PROCESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The first call finds out which arrays are taken; this function names neither package.
    assert process.stdout.readline() == "called\n"
    process.send_signal(signal.SIGINT)
    told, error = process.communicate(timeout=5)
    assert process.returncode != 0
    assert "raised" not in told
    assert "KeyboardInterrupt" in error
