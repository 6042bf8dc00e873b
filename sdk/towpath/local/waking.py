"""Who reconciles a workspace: one process at a time, by a lock, started by whoever writes an object.

The lock is taken by who starts the process, which inherits it: so it is never started twice, however long its start
takes, and the system frees the lock when it ends, however that is.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable

from towpath.local import rules
from towpath.local.objects import ObjectFolder
from towpath.local.places import LocalPlaces

_LOG_LIMIT = 4 << 20
# Nobody's child: it outlives who woke it, who need not bury it.
_IN_THE_BACKGROUND = ("/bin/sh", "-c", '"$@" &', "sh")


class OperatorLock:
    """The lock of a workspace's operator, as an open file that holds it."""

    def __init__(self, places: LocalPlaces, descriptor: int) -> None:
        self._places, self._descriptor = places, descriptor

    @property
    def descriptor(self) -> int:
        """The open file."""
        return self._descriptor

    def sign(self) -> None:
        """Note in the file which process holds it."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        os.set_inheritable(self._descriptor, False)

    def release_unless(self, has_news: Callable[[], bool]) -> bool:
        """Give it back if nothing is new; nobody writes between the look and the giving back."""
        with ObjectFolder(self._places.objects, rules.check).locked():
            if has_news():
                return False
            os.close(self._descriptor)
            return True


def take_lock(places: LocalPlaces) -> OperatorLock | None:
    """The lock, or None where another process has it."""
    places.root.mkdir(parents=True, exist_ok=True)
    with ObjectFolder(places.objects, rules.check).locked():
        return _take(places)


def is_awake(places: LocalPlaces) -> bool:
    """Whether some process reconciles this workspace, or is about to."""
    if not places.operator_lock.exists():
        return False
    # Who only looks holds it for a moment, and the lock of the objects meanwhile: so nobody is kept from it.
    with ObjectFolder(places.objects, rules.check).locked():
        lock = _take(places)
        if lock is not None:
            os.close(lock.descriptor)
    return lock is None


def _take(places: LocalPlaces) -> OperatorLock | None:
    descriptor = os.open(places.operator_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return OperatorLock(places, descriptor)


def wake(places: LocalPlaces) -> None:
    """See to it that what was written is reconciled: start the operator unless it runs."""
    lock = take_lock(places)
    if lock is None:
        return
    operator = [sys.executable, "-P", "-m", "towpath.local", str(places.root), str(lock.descriptor)]
    try:
        with places.operator_log.open("ab") as log:
            if log.tell() > _LOG_LIMIT:
                log.truncate(0)
            subprocess.run(
                [*_IN_THE_BACKGROUND, *operator],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C on the terminal is for who waits, who then cancels the run.
                start_new_session=True,
                cwd=places.root.parent,
                pass_fds=[lock.descriptor],
                check=True,
            )
    finally:
        os.close(lock.descriptor)
