"""How many bytes may be in memory at once, over all threads of a transfer."""

from __future__ import annotations

from threading import Condition


class ByteBudget:
    """Hands out bytes; who finds too few left waits. A claim above the whole budget gets it when all is free."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit
        self._changed = Condition()

    def claim(self, size: int) -> int:
        """Wait until so many bytes are free, take them, and return what must be given back."""
        claimed = min(size, self._limit)
        with self._changed:
            while self._free < claimed:
                self._changed.wait()
            self._free -= claimed
        return claimed

    def give_back(self, claimed: int) -> None:
        """Return what `claim` gave."""
        with self._changed:
            self._free += claimed
            self._changed.notify()
