"""Fetches in parallel what is used one after another: results come in the order of their tasks, within a budget."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

from towpath_mover.transfer import Limits, MiB, Work

# With what is made of the bytes, a mover that reads rows stays well below 256 MiB.
AHEAD = Limits(in_flight=32, bytes_in_flight=32 * MiB)

Task = TypeVar("Task")
Done = TypeVar("Done")


class _Slot(Generic[Task, Done]):
    """One task under way; `wait` gives its result, or raises what it raised."""

    def __init__(self, task: Task, cost: int) -> None:
        self.task = task
        self.cost = cost
        self._ended = Event()
        self._done: Done | None = None
        self._failure: BaseException | None = None

    def run(self, do: Callable[[Task], Done]) -> None:
        try:
            self._done = do(self.task)
        except BaseException as error:
            self._failure = error
        self._ended.set()

    def wait(self) -> Done:
        self._ended.wait()
        if self._failure is not None:
            raise self._failure
        return self._done  # type: ignore[return-value]


def in_order(
    tasks: Iterable[Task], work: Work[Task, Done], limits: Limits = AHEAD
) -> Iterator[tuple[Task, Done]]:
    """Yield each task and its result, in order; a failure rises in its place."""
    todo: SimpleQueue[_Slot[Task, Done] | None] = SimpleQueue()
    ahead: deque[_Slot[Task, Done]] = deque()
    held = workers = 0
    try:
        for task in tasks:
            cost = work.cost(task)
            while ahead and (len(ahead) >= limits.in_flight or held + cost > limits.bytes_in_flight):
                held -= ahead[0].cost
                yield ahead[0].task, ahead.popleft().wait()
            held += cost
            ahead.append(_Slot(task, cost))
            todo.put(ahead[-1])
            workers += _start_one(todo, work.do, workers) if workers < len(ahead) else 0
        while ahead:
            yield ahead[0].task, ahead.popleft().wait()
    finally:
        for _ in range(workers):
            todo.put(None)


def _start_one(todo: SimpleQueue[_Slot[Task, Done] | None], do: Callable[[Task], Done], workers: int) -> int:
    """Start another worker and return 1, or 0 where the node allows no more."""
    # Daemons: after a failure nobody waits for a request that hangs.
    thread = Thread(target=_run, args=(todo, do), name=f"ahead-{workers}", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        if not workers:
            raise
        return 0
    return 1


def _run(todo: SimpleQueue[_Slot[Task, Done] | None], do: Callable[[Task], Done]) -> None:
    for slot in iter(todo.get, None):
        slot.run(do)
        # It holds the result: not while this waits for the next.
        del slot
