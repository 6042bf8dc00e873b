"""What a transfer has freed goes to the next one, or back to the node: glibc would keep 100 MiB and more of it."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
# Above the pieces of streams: mapped anew each time they cost a fifth of a download's CPU, and there are few at once.
_MAPPED_FROM = 4 << 20


def keep_little() -> None:
    """Let whole files be mapped by themselves, and all threads share one arena; before there are many threads.

    With an arena for each, what one large file was read into stays with its threads when the next has others.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM)
        mallopt(_M_ARENA_MAX, 1)
