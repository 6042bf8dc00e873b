"""How much disk the rows of a Parquet file may take while they wait for their columns: planned here, kept by the mover.

A file may hold a thousand times of what it takes itself, so it is no measure by itself. Standard library only.
"""

from __future__ import annotations

_LEAST, _MOST = 64 << 20, 256 << 20
_GROWS = 4


def waiting_bytes(file_bytes: int) -> int:
    """The most that waits on disk while a file of so many bytes is copied; rows that would take more go in turns."""
    return min(_MOST, max(_LEAST, _GROWS * file_bytes))
