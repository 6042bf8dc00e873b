"""The engine of both directions: many tasks, worker threads, bytes in flight by budget; the first failure ends all.

Workers are threads and the caller's thread only waits, so that a signal is handled at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from threading import Event, Lock, Thread
from typing import Generic, NamedTuple, TypeVar

from towpath_mover import memory
from towpath_mover.budget import ByteBudget

MiB = 1 << 20
# Up to here a file travels in one request and is held whole; above it, in ranges or parts of this size.
WHOLE = 8 * MiB
PIECE = 1 * MiB
HEARTBEAT = 0.1

Task = TypeVar("Task")
Done = TypeVar("Done")


class Limits(NamedTuple):
    """What a transfer may have under way at once; these defaults keep a mover below 256 MiB whatever the data are.

    A transfer that fails waits `settle_seconds` for what is in flight: for whoever then removes what it wrote.
    """

    in_flight: int = 64
    bytes_in_flight: int = 64 * MiB
    settle_seconds: float = 0.0


class Work(NamedTuple, Generic[Task, Done]):
    """What is done with each task, and how many bytes it holds meanwhile."""

    cost: Callable[[Task], int]
    do: Callable[[Task], Done]


def run(
    tasks: Iterable[Task],
    work: Work[Task, Done],
    limits: Limits,
    heartbeat: Callable[[], None],
) -> Iterator[Done]:
    """Yield what each task gave, in the order of completion; call `heartbeat` about ten times a second."""
    memory.keep_little()
    crew = _Crew(tasks, work, limits)
    crew.start_one()
    try:
        while not crew.wait(HEARTBEAT):
            yield from crew.harvest()
            heartbeat()
        yield from crew.harvest()
    finally:
        crew.stop()
        crew.settle(limits.settle_seconds)
    heartbeat()


class _Crew(Generic[Task, Done]):
    """Workers that take tasks from one iterator. Each that finds a task first calls up the next worker."""

    def __init__(self, tasks: Iterable[Task], work: Work[Task, Done], limits: Limits) -> None:
        self._tasks = iter(tasks)
        self._work = work
        self._limits = limits
        self._budget = ByteBudget(limits.bytes_in_flight)
        self._feed = Lock()
        self._count = Lock()
        self._started = 0
        self._running = 0
        self._done: deque[Done] = deque()
        self._failure: BaseException | None = None
        self._stopped = Event()
        self._finished = Event()
        self._idle = Event()

    def start_one(self) -> None:
        with self._count:
            if self._started >= self._limits.in_flight or self._stopped.is_set():
                return
            self._started += 1
            self._running += 1
        # Daemons: after a failure nobody waits for a request that hangs.
        thread = Thread(target=self._run, name=f"transfer-{self._started}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # Nodes limit the processes of a pod: who runs already does the work, more slowly.
            with self._count:
                self._running -= 1
                if not self._running:
                    raise

    def wait(self, seconds: float) -> bool:
        return self._finished.wait(seconds)

    def harvest(self) -> Iterator[Done]:
        """Yield what is done; after the end raise the first failure."""
        while self._done:
            yield self._done.popleft()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        self._stopped.set()

    def settle(self, seconds: float) -> None:
        self._idle.wait(seconds)

    def _run(self) -> None:
        try:
            while (taken := self._take()) is not None:
                task, claimed = taken
                try:
                    self._done.append(self._work.do(task))
                finally:
                    self._budget.give_back(claimed)
        except BaseException as error:
            self._fail(error)
        with self._count:
            self._running -= 1
            if self._running == 0:
                self._finished.set()
                self._idle.set()

    def _take(self) -> tuple[Task, int] | None:
        # Claiming under the same lock keeps the order: a large task is not overtaken for ever.
        with self._feed:
            if self._stopped.is_set():
                return None
            try:
                task = next(self._tasks)
            except StopIteration:
                self._stopped.set()
                return None
            claimed = self._budget.claim(self._work.cost(task))
        self.start_one()
        return task, claimed

    def _fail(self, error: BaseException) -> None:
        with self._count:
            self._failure = self._failure or error
        self._stopped.set()
        self._finished.set()
