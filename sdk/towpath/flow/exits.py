"""The exit codes of movers, by what must happen next. A copy: the mover knows nothing of flow, nor flow of it."""

from __future__ import annotations

from enum import IntEnum


class MoverExit(IntEnum):
    """Codes with a meaning; any other but 0 is a bug in the mover and counts as its failure."""

    OK = 0
    TRY_AGAIN = 40
    REFUSED = 41
    DATA_CHANGED = 42
    DISK_FULL = 43
    CREDENTIALS_REFUSED = 44
    NOT_PUBLISHED = 45


# Of a mover that belongs to no step: tried again, it would come out the same.
FINAL_EXITS = frozenset({MoverExit.REFUSED, MoverExit.DATA_CHANGED, MoverExit.DISK_FULL})
