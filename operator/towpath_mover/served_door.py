"""The door of `serve`: who is let in, how many at once, and for how long nobody has asked."""

from __future__ import annotations

import hmac
import time
from threading import BoundedSemaphore, Lock

from towpath_mover.served_store import ServedStore
from towpath_mover.transfer_protocol import digest_of

# Each holds a block of 8 MiB, twice for a moment: what comes beside them waits.
_AT_ONCE = 6


class Door:
    """Who is let in, how much is done at once, and for how long nobody has asked."""

    def __init__(self, store: ServedStore, token_sha256: str) -> None:
        self.store = store
        self.requests = 0
        self._token_sha256 = token_sha256
        self._room = BoundedSemaphore(_AT_ONCE)
        self._lock = Lock()
        self._under_way = 0
        self._last = time.monotonic()

    def opens_to(self, authorization: str) -> bool:
        """Whether a request carries the token."""
        token = authorization.removeprefix("Bearer ").encode(errors="replace")
        return hmac.compare_digest(digest_of(token), self._token_sha256)

    def __enter__(self) -> None:
        """Begin a request, when there is room for it."""
        self._room.acquire()
        with self._lock:
            self.requests += 1
            self._under_way += 1

    def __exit__(self, *_: object) -> None:
        """End a request."""
        with self._lock:
            self._under_way -= 1
            self._last = time.monotonic()
        self._room.release()

    def wait_until_idle(self, seconds: float) -> None:
        """Return when nothing is under way, and nothing was for so long."""
        while True:
            with self._lock:
                silent = 0.0 if self._under_way else time.monotonic() - self._last
            if silent >= seconds:
                return
            time.sleep(min(1.0, seconds - silent))
