"""Reading an object as it was pinned, or saying that it is another one now: never silently other bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.retry import patiently, pause
from towpath_mover.stores import Store

Result = TypeVar("Result")


class OtherBytesError(Exception):
    """A read brought something else than what was pinned; the text says what."""


def patiently_pinned(store: Store, prefix: str, entry: Entry, action: Callable[[], Result]) -> Result:
    """Do a read patiently; an object that is gone or replaced meanwhile is InputDrift.

    The client tells a replacement in mid-body like any broken connection; the next try then sees the other object.
    """
    try:
        return patiently(store, partial(_twice, action))
    except OtherBytesError as other:
        raise drifted(store, prefix, entry, str(other)) from None
    except MoverFailure as failed:
        if failed.reason is Reason.OBJECT_NOT_FOUND:
            raise drifted(store, prefix, entry, "it is gone") from failed
        raise


def _twice(action: Callable[[], Result]) -> Result:
    # An answer may be wrong once: short, with a wrong length, or from a cache. A changed object stays changed.
    with suppress(OtherBytesError):
        return action()
    pause(1)
    return action()


def drifted(store: Store, prefix: str, entry: Entry, why: str) -> MoverFailure:
    """Return InputDrift that names the object and what differs from the inventory."""
    pinned = f"sha256 {entry.sha256}" if entry.sha256 else f"ETag {entry.etag}"
    message = (
        f"{store.where(prefix + (entry.pack or entry.path))} is not what was pinned ({entry.size} bytes, {pinned}): "
        f"{why}. Restore the object, or take a new version of the data and run again."
    )
    return MoverFailure(Reason.INPUT_DRIFT, message[0].upper() + message[1:])
