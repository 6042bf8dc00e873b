"""How a mover ends: one exit code per class of failure.

The operator reads the class from the code (`podFailurePolicy`) and the words from the report.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What must happen next. Any other code is a bug, and counts as a failure of the mover."""

    OK = 0
    TRY_AGAIN = 40
    REFUSED = 41
    DATA_CHANGED = 42
    DISK_FULL = 43
    CREDENTIALS_REFUSED = 44
    NOT_PUBLISHED = 45
