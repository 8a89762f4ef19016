"""What the operating system knows of processes: children, memory, death with the parent.

Linux gives all of it. Elsewhere each function does what is left of its promise (documented there).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int) -> None:
    """Asks the kernel to kill this process when its parent ends (Linux only).

    The parent may have ended before the request took effect, in which case this process ends now.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent ends (Linux only).

    Otherwise they become children of init, where nobody who started them can find them.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children_of(pid: int) -> list[int]:
    """Returns the processes whose parent is `pid`, zombies included; none without /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _status(int(entry.name))
        if len(fields) > 1 and int(fields[1]) == pid:
            found.append(int(entry.name))
    return found


def has_children() -> bool:
    """Returns whether this process has a child that it did not wait for; costs one system call.

    Where the system cannot say without waiting for it (no `waitid`), the answer is no.
    """
    if not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def forked_copies() -> list[int]:
    """Returns the children that run this very program, not another that was started from it.

    A child that has ended and was not waited for counts too: its command line is empty. So is that
    of one which is becoming another program this very moment, and does not count.
    """
    if not has_children():
        return []
    own = _command_line(os.getpid())
    lines = {child: _command_line(child) for child in children_of(os.getpid())}
    return [child for child, line in lines.items() if line == own or line == b"" and _ended(child)]


def kill_all(pids: list[int]) -> None:
    """Kills these processes, and waits for those that are children of this one."""
    for pid in pids:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def kill_descendants() -> None:
    """Kills every child, then those that each death hands to this process, until none is left.

    Only after `adopt_orphans` does this reach grandchildren. It ends because a killed process
    starts no more, and each round reaps at least one. Without /proc no child can be found, and
    nothing is killed here.
    """
    while Path("/proc/self/stat").exists():
        for child in children_of(os.getpid()):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def private_memory() -> int:
    """Returns the bytes of private, writable memory that this process has mapped; 0 if unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[5])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def limit_private_memory(headroom: int) -> None:
    """Lets this process map at most `headroom` bytes more than it has; beyond, allocation fails.

    The limit is on private, writable memory, not on the address space: a GPU's driver reserves
    hundreds of gigabytes of the latter without ever using them. Does nothing where the memory in
    use is unknown.
    """
    import resource

    used = private_memory()
    if used:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        soft = used + headroom
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _status(pid: int) -> list[str]:
    """Returns the state, the parent and what follows; empty where there is no such process."""
    try:
        # The name, in parentheses, may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _ended(pid: int) -> bool:
    return _status(pid)[:1] == ["Z"]


def _command_line(pid: int) -> bytes | None:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), f"prctl {option}")
