"""Growing pauses with jitter, so that many that failed together do not come back together."""

from __future__ import annotations

import random


class Backoff:
    """Pauses that double from `first` to `last` seconds; each is drawn from the upper half of its step."""

    def __init__(self, first: float = 1.0, last: float = 60.0) -> None:
        self._first, self._last = first, last
        self._failures = 0

    def next(self) -> float:
        """The pause after one more failure."""
        step = min(self._last, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return step * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing

    def reset(self) -> None:
        """Something went well: begin small again."""
        self._failures = 0
