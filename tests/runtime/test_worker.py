"""A worker answers, or its end is named; it is replaced, and nothing that it started survives."""

import os
import time
from pathlib import Path

import pytest

from convcheck.core.errors import TargetError
from convcheck.runtime.crew import Crew, RestartBudgetError
from convcheck.runtime.frames import Message
from convcheck.runtime.worker import Answer, Death, HandlerError, Service, StartError, Worker

WRITE_TO_THE_CHANNEL = """
for name in os.listdir("/proc/self/fd"):
    path = "/proc/self/fd/" + name
    if os.path.exists(path) and os.readlink(path).startswith("socket"):
        os.write(int(name), b"some noise" * 9)
"""
SLOW_ONCE = """
path = {path!r}
if not os.path.exists(path):
    open(path, "w").close()
    time.sleep(9)
"""
START_ANOTHER_PROGRAM = """
import subprocess
result = subprocess.Popen(["sleep", "99"], start_new_session=True).pid
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def service(**named):
    return Service(factory="served:open_handler", **named)


def do(text, *buffers):
    return Message({"do": text}, buffers)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_answers_carry_values_and_bytes():
    with Worker(service(environment={"GREETING": "hello"})) as worker:
        data = bytes(range(256)) * 5000
        answer = worker.ask(do("result = [os.environ['GREETING'], 2**70]", data, b""), 5)
        assert answer.message.header == {"result": ["hello", 2**70]}
        assert [bytes(buffer) for buffer in answer.message.buffers] == [data, b""]
        assert (answer.printed, answer.forked) == (0, 0)
        assert worker.asked == 1


def test_the_worker_is_a_fresh_interpreter_in_a_session_of_its_own():
    with Worker(service()) as worker:
        text = "result = [os.getpid(), os.getsid(0), os.getppid(), 'pytest' in sys.modules]"
        pid, session, warden, has_pytest = worker.ask(do(text), 5).message.header["result"]
        assert pid == session != os.getsid(0)
        assert not has_pytest
        assert is_alive(pid)
    assert not is_alive(pid)
    assert not is_alive(warden)


def test_each_call_is_told_what_it_printed_itself():
    with Worker(service()) as worker:
        call = do("os.write(1, b'x' * 50); os.write(2, b'y' * 50); result = True")
        told = {worker.ask(call, 5).printed for _ in range(300)}
    assert told == {100}


def test_standard_streams_are_not_the_channel():
    with Worker(service()) as worker:
        text = "os.write(1, b'x' * 5000); os.write(2, b'y' * 5000); result = os.read(0, 10) == b''"
        answer = worker.ask(do(text), 5)
        assert answer.message.header == {"result": True}
        assert answer.printed == 10_000


@pytest.mark.parametrize(
    ("text", "cause", "status"),
    [
        ("ctypes.string_at(0)", "signal", 11),
        ("os.abort()", "signal", 6),
        ("os.kill(os.getpid(), 9)", "signal", 9),
        ("os._exit(0)", "exit", 0),
        ("os._exit(7)", "exit", 7),
        (WRITE_TO_THE_CHANNEL, "garbled", 0),
    ],
)
def test_the_end_is_named(text, cause, status):
    with Worker(service()) as worker:
        death = worker.ask(do(text), 5)
        assert (death.cause, death.status) == (cause, status)
        assert death.seconds < 4


def test_a_crash_and_a_hang_show_where_they_were():
    with Worker(service()) as worker:
        assert "served.py" in worker.ask(do("ctypes.string_at(0)"), 5).trace
    with Worker(service()) as worker:
        assert "in handle" in worker.ask(do("time.sleep(100)"), 0.2).trace


def test_a_deadline_is_hard():
    with Worker(service()) as worker:
        worker.wait_ready()
        start = time.monotonic()
        text = "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass"
        assert worker.ask(do(text), 0.3).cause == "deadline"
        assert time.monotonic() - start < 1.3


def test_memory_is_limited():
    with Worker(service(memory_bytes=2**28)) as worker:
        text = "try: bytearray(2**30)\nexcept MemoryError: result = 'refused'"
        assert worker.ask(do(text), 5).message.header == {"result": "refused"}
        assert worker.ask(do("keep = sys.keep = bytearray(2**27)"), 5).grown >= 2**27


@pytest.mark.parametrize(
    "fork", ["os.fork() or time.sleep(99)", "os.fork() or os._exit(0)", "os.fork()"]
)
def test_forked_copies_are_seen(fork):
    with Worker(service()) as worker:
        answer = worker.ask(do(fork), 5)
        assert answer.forked == 1
        assert worker.ask(do("result = 1"), 5).message.header == {"result": 1}


def test_another_program_that_was_started_is_killed_but_not_counted():
    with Worker(service()) as worker:
        answer = worker.ask(do(START_ANOTHER_PROGRAM), 5)
        assert answer.forked == 0
        pid = answer.message.header["result"]
        assert is_alive(pid)
    assert not is_alive(pid)


def test_a_handler_that_raises_is_our_fault():
    with Worker(service()) as worker:
        with pytest.raises(HandlerError, match="ZeroDivisionError"):
            worker.ask(do("1 / 0"), 5)
        assert worker.ask(do("result = 1"), 5).message.header == {"result": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("sys.exit(0)", "SystemExit"),
        ("os._exit(3)", "exited with status 3"),
        ("ctypes.string_at(0)", "signal 11"),
        ("time.sleep(99)", "not ready within 0.8 s"),
    ],
)
def test_a_start_that_fails_says_why(text, told):
    failing = service(setup={"do": text}, start_s=0.8)
    with Worker(failing) as worker, pytest.raises(StartError, match=told):
        worker.wait_ready()


def test_the_person_s_mistakes_cross_in_four_parts():
    text = "raise TargetError('what', why='why', where='where', fix='fix')"
    with Worker(service(setup={"do": text})) as worker, pytest.raises(TargetError) as caught:
        worker.wait_ready()
    assert (caught.value.why, caught.value.where, caught.value.fix) == ("why", "where", "fix")


def test_a_dead_worker_is_replaced():
    with Crew(service()) as crew:
        first = crew.ask(do("result = os.getpid()"), 5).message.header["result"]
        assert isinstance(crew.ask(do("os._exit(0)"), 5), Death)
        second = crew.ask(do("result = os.getpid()"), 5).message.header["result"]
        assert first != second
        assert crew.restarts == 1


def test_a_slow_start_earns_a_spare():
    with Crew(service(setup={"do": "time.sleep(1.1)"})) as crew:
        crew.worker()
        crew.ask(do("os._exit(0)"), 5)
        crew.worker()
        start = time.monotonic()
        crew.ask(do("os._exit(0)"), 5)
        assert isinstance(crew.ask(do("result = 1"), 5), Answer)
        assert time.monotonic() - start < 1.0


def test_restarts_are_budgeted():
    with Crew(service(), restarts=1) as crew:
        crew.ask(do("os._exit(0)"), 5)
        with pytest.raises(RestartBudgetError, match="1 were allowed"):
            crew.ask(do("os._exit(0)"), 5)


def test_a_hang_is_confirmed_with_three_times_the_time(tmp_path):
    with Crew(service()) as crew:
        crew.worker()
        # Slow the first time, quick the second: a machine that was busy, not a hang.
        text = SLOW_ONCE.format(path=str(tmp_path / "seen"))
        assert isinstance(crew.ask(do(text), 0.3), Answer)
        start = time.monotonic()
        assert crew.ask(do("time.sleep(99)"), 0.2).cause == "deadline"
        assert time.monotonic() - start > 0.8
        start = time.monotonic()
        assert crew.ask(do("time.sleep(99)"), 0.2, confirm=False).cause == "deadline"
        assert time.monotonic() - start < 0.8


def test_an_interrupt_kills_the_worker(monkeypatch):
    import convcheck.runtime.worker as module

    def interrupted(*_):
        raise KeyboardInterrupt

    worker = Worker(service())
    pid = worker.ask(do("result = os.getpid()"), 5).message.header["result"]
    monkeypatch.setattr(module, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker.ask(do(""), 5)
    assert not is_alive(pid)


def test_an_interpreter_that_cannot_be_started_leaves_nothing_open(monkeypatch):
    import convcheck.runtime.worker as module

    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(module.sys, "executable", "/no/such/python")
    with pytest.raises(OSError, match="/no/such/python"):
        Worker(service())
    assert len(list(Path("/proc/self/fd").iterdir())) == before
