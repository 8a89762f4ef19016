"""A file is the old one or the new one, whatever fails and whenever the process dies."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convcheck.core.errors import InputError
from convcheck.runtime.atomic import write_atomic

OLD, NEW = b"old" * 100_000, b"new" * 100_000


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "made" / "file"
    write_atomic(path, OLD)
    write_atomic(path, NEW)
    assert path.read_bytes() == NEW
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_every_failure_leaves_the_old_or_the_new_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    calls = fail_at = 0

    def failing(original):
        def call(*arguments, **named):
            nonlocal calls
            calls += 1
            if calls == fail_at:
                raise OSError(28, "No space left on device")
            return original(*arguments, **named)

        return call

    path.write_bytes(OLD)
    for name in ("open", "write", "fsync", "replace"):
        monkeypatch.setattr(os, name, failing(getattr(os, name)))
    seen = []
    while True:
        path.write_bytes(OLD)
        calls, fail_at = 0, len(seen) + 1
        try:
            write_atomic(path, NEW)
        except InputError as error:
            assert "No space left" in str(error)
            seen.append(path.read_bytes())
            assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
            continue
        break
    # open, write, fsync and replace leave the old file; the directory's open and fsync come after.
    assert seen == [OLD] * 4 + [NEW] * 2
    assert path.read_bytes() == NEW


def test_short_writes_are_continued(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:70_000]))
    write_atomic(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW


def test_kill_leaves_a_whole_file_and_the_next_write_sweeps(tmp_path):
    path = tmp_path / "file"
    script = (
        "import sys, itertools\n"
        "from convcheck.runtime.atomic import write_atomic\n"
        "for data in itertools.cycle((b'a' * 10**6, b'b' * 10**6)):\n"
        "    write_atomic(sys.argv[1], data)\n"
    )
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", script, str(path)])
        while not path.exists():
            time.sleep(0.005)
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert path.read_bytes() in (b"a" * 10**6, b"b" * 10**6)
    (tmp_path / f".file.{os.uname().nodename}-{process.pid}-0.tmp").write_bytes(b"torn")
    (tmp_path / f".file.{os.uname().nodename}-{os.getpid()}-999.tmp").write_bytes(b"in use")
    write_atomic(path, NEW)
    names = sorted(entry.name for entry in tmp_path.iterdir())
    assert names == [f".file.{os.uname().nodename}-{os.getpid()}-999.tmp", "file"]


def test_keeps_the_mode_and_follows_links(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(OLD)
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomic(link, NEW)
    assert link.is_symlink()
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_device_is_written_not_replaced():
    write_atomic("/dev/null", NEW)
    assert Path("/dev/null").is_char_device()


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="directory"):
        write_atomic(tmp_path, NEW)
