"""What a finding's script has to do, wherever it comes from."""

import subprocess
import sys

import pytest


def _run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


@pytest.fixture
def shows():
    """Checks that a script fails on the wrong function by its value, and passes on a right one."""

    def check(script, wrong, right):
        shown = _run(script)
        assert shown.returncode == 1 and "was expected" in shown.stderr, script + shown.stderr
        fixed = script.replace(f"'{wrong}'", f"'{right}'")
        assert fixed != script
        assert _run(fixed).returncode == 0, fixed

    return check
