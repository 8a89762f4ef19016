"""Which children count as copies of this program."""

import subprocess
import sys
import time

import pytest

from convcheck.runtime import processes


@pytest.mark.skipif(sys.platform != "linux", reason="told by /proc")
def test_a_child_without_a_command_line_counts_only_once_it_has_ended(monkeypatch):
    # While a child becomes another program its command line is empty, as that of a zombie is.
    child = subprocess.Popen(["sleep", "99"])
    real = processes._command_line
    monkeypatch.setattr(
        processes, "_command_line", lambda pid: b"" if pid == child.pid else real(pid)
    )
    try:
        assert child.pid not in processes.forked_copies()
        child.kill()
        deadline = time.monotonic() + 5
        while child.pid not in processes.forked_copies() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert child.pid in processes.forked_copies()
    finally:
        child.kill()
        child.wait()
