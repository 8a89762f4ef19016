"""A kill costs the last line at most; damage elsewhere is refused; one writer at a time."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.core.errors import InputError
from convcheck.runtime.journal import Journal, read_journal
from convcheck.runtime.lock import hold

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda kids: st.lists(kids), max_leaves=5
)


@given(records=st.lists(VALUES, max_size=5), cut=st.integers(0, 10**6))
def test_any_cut_leaves_a_prefix_and_appending_goes_on(tmp_path_factory, records, cut):
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path) as journal:
        for record in records:
            journal.append(record)
    assert read_journal(path) == records
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % (len(whole) + 1)])
    left = read_journal(path)
    assert left == records[: len(left)]
    with Journal(path) as journal:
        journal.append("after")
    assert read_journal(path) == [*left, "after"]


def test_damage_in_the_middle_is_refused(tmp_path):
    path = tmp_path / "j"
    path.write_bytes(b'{"a":1}\n{"b":\n{"c":3}\n')
    with pytest.raises(InputError, match="line 2 of 3"):
        read_journal(path)


def test_missing_journal_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_journal(tmp_path / "none")


def test_failed_append_leaves_the_journal_as_it_was(tmp_path, monkeypatch):
    path, pwrite = tmp_path / "j", os.pwrite
    calls = []

    def half(handle, data, offset):
        calls.append(offset)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(handle, data[:10], offset)

    with Journal(path) as journal:
        journal.append({"first": 1})
        monkeypatch.setattr(os, "pwrite", half)
        with pytest.raises(InputError, match="No space"):
            journal.append({"second": "longer than ten bytes"})
        monkeypatch.undo()
        assert path.read_bytes() == b'{"first":1}\n'
        journal.append({"third": 3}, sync=True)
    assert read_journal(path) == [{"first": 1}, {"third": 3}]


def test_kill_loses_at_most_the_last_line(tmp_path):
    path = tmp_path / "j"
    script = (
        "import sys, itertools\n"
        "from convcheck.runtime.journal import Journal\n"
        "journal = Journal(sys.argv[1])\n"
        "for n in itertools.count():\n"
        "    journal.append([n, 'x' * 5000])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)])
    while not path.exists() or path.stat().st_size < 10**6:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    records = read_journal(path)
    assert [number for number, _ in records] == list(range(len(records)))
    assert len(records) >= 100


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
    with pytest.raises(InputError):
        Journal(tmp_path / "file" / "j")
