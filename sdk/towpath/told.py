"""What a mover's code refuses on this machine, in the errors that a user's programme may catch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from towpath.errors import ChangedError, NotFoundError, TowpathError, UnreachableError, UserErrorException
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason

_CLASSES: dict[Exit, type[TowpathError]] = {
    Exit.TRY_AGAIN: UnreachableError,
    Exit.DATA_CHANGED: ChangedError,
}


@contextmanager
def told() -> Iterator[None]:
    """A MoverFailure in here rises as a TowpathError."""
    try:
        yield
    except MoverFailure as failed:
        raise error_of(failed) from failed


def error_of(failed: MoverFailure) -> TowpathError:
    """The error for a mover's failure."""
    if failed.reason is Reason.OBJECT_NOT_FOUND:
        return NotFoundError(failed.message)
    return _CLASSES.get(failed.exit, UserErrorException)(failed.message)
