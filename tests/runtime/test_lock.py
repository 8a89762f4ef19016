"""One writer at a time, and no stale lock."""

import subprocess
import sys

import pytest

from convcheck.core.errors import InputError
from convcheck.runtime.lock import hold


def test_one_writer_holds_a_directory_and_its_death_releases_it(tmp_path):
    script = (
        "import sys, time\n"
        "from convcheck.runtime.lock import hold\n"
        "with hold(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(100)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"process {process.pid} on"), hold(tmp_path):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    with hold(tmp_path):
        pass
    with hold(tmp_path):
        pass


def test_an_unwritable_place_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError), hold(tmp_path / "file"):
        pass
