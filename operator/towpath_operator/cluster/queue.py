"""The queue of keys that want a pass: many events, one pass per key, never two passes on one key at a time.

First marked, first served, so that one busy run starves nobody; a heap of moments brings back what asked.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from towpath_operator.cluster.backoff import Backoff
from towpath_operator.cluster.resources import Key


class ClosedError(Exception):
    """The queue gives out no more keys."""


class KeyedQueue:
    """A dirty set with delays. All methods belong to one event loop."""

    def __init__(
        self, backoff: Callable[[], Backoff] = Backoff, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._new_backoff, self._clock = backoff, clock
        self._waiting: dict[Key, float] = {}
        self._active: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._backoffs: dict[Key, Backoff] = {}
        self._wake = asyncio.Event()
        self._closed = False
        self.last_progress = clock()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def active(self) -> int:
        """How many keys are in a pass now."""
        return len(self._active)

    def oldest_age(self) -> float:
        """For how many seconds the key that waits longest has waited; 0 if none waits."""
        return self._clock() - next(iter(self._waiting.values())) if self._waiting else 0.0

    def add(self, key: Key) -> None:
        """Mark a key: it gets one pass that begins after now."""
        self._waiting.setdefault(key, self._clock())
        self._wake.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Mark a key after this time; of several such moments the first one counts."""
        moment = self._clock() + seconds
        if moment >= self._due.get(key, float("inf")):
            return
        self._due[key] = moment
        heapq.heappush(self._heap, (moment, next(self._order), key))
        self._wake.set()

    async def take(self) -> Key:
        """The next key whose pass may begin; give it back with `done` or `failed`."""
        while not self._closed:
            self._release_due()
            for key in self._waiting:
                if key not in self._active:
                    del self._waiting[key]
                    self._active.add(key)
                    return key
            await self._until_woken()
        raise ClosedError

    @asynccontextmanager
    async def alone(self, key: Key) -> AsyncIterator[None]:
        """No pass on this key begins while the block runs: for a pass that also writes another object."""
        while key in self._active:
            self._wake.clear()
            await self._wake.wait()
        self._active.add(key)
        try:
            yield
        finally:
            self._leave(key)

    def done(self, key: Key) -> None:
        """The pass on a key went well."""
        self._backoffs.pop(key, None)
        self._leave(key)

    def failed(self, key: Key, at_least: float = 0.0) -> float:
        """The pass on a key failed: it comes back after a growing pause, whose seconds are returned."""
        seconds = max(self._backoffs.setdefault(key, self._new_backoff()).next(), at_least)
        self.add_after(key, seconds)
        self._leave(key)
        return seconds

    def close(self) -> None:
        """Give out no more keys; passes that run may end."""
        self._closed = True
        self._wake.set()

    def _leave(self, key: Key) -> None:
        self._active.discard(key)
        self.last_progress = self._clock()
        self._wake.set()

    def _release_due(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            moment, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == moment:
                del self._due[key]
                self._waiting.setdefault(key, now)

    async def _until_woken(self) -> None:
        self._wake.clear()
        timeout = max(0.0, self._heap[0][0] - self._clock()) if self._heap else None
        try:
            await asyncio.wait_for(self._wake.wait(), timeout)
        except TimeoutError:
            return
