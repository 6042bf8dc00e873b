"""Many files at once, in bounded memory; the first that fails ends all, and nobody writes any more when it rises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Condition
from typing import TypeVar

from towpath.meter import Meter, Show
from towpath.told import told
from towpath_mover.transfer import Limits, MiB, Work, run

_LIMITS = Limits(in_flight=8, bytes_in_flight=96 * MiB)
# What one file has under way at most, at both ends.
LARGE_COST = 32 * MiB
# A request that hangs is not waited for: it writes nothing that another try would take for its own.
_LEAVE_SECONDS = 30.0

Task = TypeVar("Task")


def move_all(
    tasks: Iterable[Task], cost: Callable[[Task], int], move: Callable[[Task], None], meter: Meter, show: Show
) -> None:
    """Move each of them; each counts its bytes by the meter, which ends it once another has failed."""
    busy = _Busy()

    def moved(task: Task) -> None:
        with busy:
            move(task)

    try:
        with told():
            for _ in run(tasks, Work(cost, moved), _LIMITS, lambda: show(meter)):
                pass
    except BaseException:
        meter.stop()
        busy.wait()
        raise
    meter.is_over = True
    show(meter)


class _Busy:
    """Counts who is at work."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._count = 0

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until nobody is, or for half a minute."""
        with self._changed:
            self._changed.wait_for(lambda: not self._count, _LEAVE_SECONDS)
