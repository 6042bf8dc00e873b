"""Tries one object again after a passing trouble of the store, on top of the client's own retries of requests."""

from __future__ import annotations

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
    for attempt in range(1, store.patience.tries + 1):
        try:
            return action()
        except MoverFailure as failed:
            if failed.exit is not Exit.TRY_AGAIN or attempt == store.patience.tries:
                raise
        time.sleep(FIRST_PAUSE * 4 ** (attempt - 1))
    raise AssertionError("a store is tried at least once")
