"""How long a cluster may be away, as it is for a laptop that slept or changed its network, before it is given up."""

from __future__ import annotations

import time

from towpath.errors import UnreachableError

_PAUSE_SECONDS = 2.0
_AWAY_SECONDS = 180.0


class Patience:
    """Counts from the last answer on."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def answered(self) -> None:
        """Note that the cluster is there."""
        self._last = time.monotonic()

    def wait(self, error: UnreachableError, at_most: float = _PAUSE_SECONDS) -> None:
        """Wait before the next try; the error rises if there was no answer for three minutes."""
        if time.monotonic() - self._last > _AWAY_SECONDS:
            raise error
        time.sleep(max(0.0, min(_PAUSE_SECONDS, at_most)))
