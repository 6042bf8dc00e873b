"""All processes that come of this one: adopted when their parents leave them, and killed together.

On Linux nothing gets away, whatever sessions it makes. Elsewhere there is no /proc: the group of each child is what
is known. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 200


def adopt() -> None:
    """Become the parent of every descendant whose own parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_descendants() -> None:
    """End all of them now, and wait until they are gone."""
    for _ in range(_ROUNDS):
        left = descendants_of(os.getpid())
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        if not left:
            return
        time.sleep(0.005)


def kill_orphans(kept: Collection[int]) -> None:
    """End the children that were adopted, with all below them; `kept` are those that somebody else waits for."""
    for child in children_of(os.getpid()) - set(kept):
        for pid in (*descendants_of(child), child):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def children_of(pid: int) -> set[int]:
    """The living processes whose parent is this one."""
    return {child for child, parent in filter(None, map(_parent_of, _pids())) if parent == pid}


def descendants_of(pid: int) -> set[int]:
    """The living processes below one; none where the system does not tell."""
    parents = dict(filter(None, map(_parent_of, _pids())))
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def started_at(pid: int) -> str:
    """What tells a process from a later one of the same number; empty where it is gone, or nothing is known."""
    fields = _fields(pid)
    return fields[19] if len(fields) > 19 else ""


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208
    except FileNotFoundError:
        return []


def _parent_of(pid: int) -> tuple[int, int] | None:
    fields = _fields(pid)
    # A zombie is dead, and its parent's to bury.
    return (pid, int(fields[1])) if fields and fields[0] != "Z" else None


def _fields(pid: int) -> list[str]:
    try:
        # The name stands in parentheses, and may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
