"""Tries one object again after a passing trouble of the store, on top of the client's own retries of requests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure
from towpath_mover.stores import Store

FIRST_PAUSE = 1.0

Result = TypeVar("Result")


def patiently(store: Store, action: Callable[[], Result]) -> Result:
    """Return what the action gives; a passing failure is tried again, the last one or a lasting one is raised."""
    tries = store.patience.tries
    for attempt in range(1, tries + 1):
        try:
            return action()
        except MoverFailure as failed:
            if failed.exit is not Exit.TRY_AGAIN:
                raise
            if attempt == tries:
                raise _given_up(failed, tries) from failed
        pause(attempt)
    raise AssertionError("a store is tried at least once")


def pause(attempt: int) -> None:
    """Wait before the next try: longer each time, and not as long as all others that the same trouble hit."""
    jitter = 0.5 + int.from_bytes(os.urandom(2)) / 0x10000
    time.sleep(FIRST_PAUSE * 4 ** (attempt - 1) * jitter)


def _given_up(failed: MoverFailure, tries: int) -> MoverFailure:
    # The same words each time it happens: they stand in conditions.
    return (
        MoverFailure(failed.reason, f"{failed.message} It was tried {tries} times.") if tries > 1 else failed
    )
