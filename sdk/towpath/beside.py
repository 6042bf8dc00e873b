"""An iterator, drawn by a thread of its own: for who must not do in its own thread what the iterator does.

The client of stores cannot read from one store in the middle of its write to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_LOOK_SECONDS = 0.5


class _End:
    """Behind the last item; with what the iterator raised, if it did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def drawn_beside(items: Iterable[Item], ahead: int = 8) -> Iterator[Item]:
    """The same items in order, at most so many of them drawn ahead; what the iterator raises rises in its place."""
    queue: Queue[Item | _End] = Queue(ahead)
    given_up = Event()
    Thread(target=_draw, args=(iter(items), queue, given_up), daemon=True).start()
    try:
        while True:
            found = queue.get()
            if not isinstance(found, _End):
                yield found
            elif found.error is not None:
                raise found.error
            else:
                return
    finally:
        given_up.set()


def _draw(items: Iterator[Item], queue: Queue[Item | _End], given_up: Event) -> None:
    end = _End()
    try:
        for item in items:
            if not _put(queue, item, given_up):
                return
    except BaseException as error:
        end = _End(error)
    _put(queue, end, given_up)


def _put(queue: Queue[Item | _End], found: Item | _End, given_up: Event) -> bool:
    while not given_up.is_set():
        try:
            queue.put(found, timeout=_LOOK_SECONDS)
        except Full:
            continue
        return True
    return False
