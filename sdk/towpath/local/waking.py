"""Who reconciles a workspace: one process at a time, by a lock, started by whoever writes an object."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TextIO

from towpath.local import rules
from towpath.local.objects import ObjectFolder
from towpath.local.places import LocalPlaces

_LOG_LIMIT = 4 << 20
# Nobody's child: it outlives who woke it, who need not bury it.
_IN_THE_BACKGROUND = ("/bin/sh", "-c", '"$@" &', "sh")


class OperatorLock:
    """The lock of a workspace's operator; the system frees it when its process ends, however that is."""

    def __init__(self, places: LocalPlaces) -> None:
        self._places = places
        self._file: TextIO | None = None

    def acquire(self) -> bool:
        """Take it, unless another process has it."""
        places = self._places
        places.root.mkdir(parents=True, exist_ok=True)
        file = places.operator_lock.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return True

    def release_unless(self, has_news: Callable[[], bool]) -> bool:
        """Give it back if nothing is new; nobody writes between the look and the giving back."""
        with ObjectFolder(self._places.objects, rules.check).locked():
            if has_news():
                return False
            if self._file is not None:
                self._file.close()
                self._file = None
            return True


def is_awake(places: LocalPlaces) -> bool:
    """Whether some process reconciles this workspace."""
    try:
        file = places.operator_lock.open("a+")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wake(places: LocalPlaces) -> None:
    """See to it that what was written is reconciled: start the operator unless it runs."""
    with ObjectFolder(places.objects, rules.check).locked():
        if is_awake(places):
            return
    with places.operator_log.open("ab") as log:
        if log.tell() > _LOG_LIMIT:
            log.truncate(0)
        subprocess.run(
            [*_IN_THE_BACKGROUND, sys.executable, "-P", "-m", "towpath.local", str(places.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C on the terminal is for who waits, who then cancels the run.
            start_new_session=True,
            cwd=places.root.parent,
            check=True,
        )
