"""What the readers of tar and zip give: members in the archive's order, and the bounds that no archive may exceed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

from towpath_mover.failures import MoverFailure, Reason

Piece = bytes | memoryview
# Below this much, no ratio is suspicious: a small file of zeros is an ordinary file.
_RATIO_COUNTS_FROM = 64 << 20


class Kind(StrEnum):
    """What a member is, in the words of messages."""

    FILE = "a file"
    FOLDER = "a folder"
    SYMBOLIC_LINK = "a symbolic link"
    HARD_LINK = "a hard link"
    DEVICE = "a device"
    FIFO = "a FIFO"
    SPARSE = "a sparse file"
    UNKNOWN = "of an unknown kind"


class Member(NamedTuple):
    """One member: its name as it stands there (what is not UTF-8 as lone surrogates), and its bytes.

    `pieces` is taken at once, before the next member is asked for, or not at all; it yields `size` bytes or raises.
    """

    name: str
    kind: Kind
    size: int
    executable: bool
    is_encrypted: bool
    pieces: Callable[[], Iterator[Piece]]


class Bounds(NamedTuple):
    """How much an archive may hold: members, bytes of what is read out of it, and how many times its own size."""

    entries: int = 1_000_000
    bytes: int = 1 << 40
    ratio: int = 200


class Expansion:
    """Counts what goes into a reader and what comes out; refuses a bomb while it is being read."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._entries = self._in = self._out = 0

    def entry(self) -> None:
        """Count a member, whatever it is."""
        self._entries += 1
        if self._entries > self._bounds.entries:
            raise _bomb(f"it has more than {self._bounds.entries} entries", "maxEntries")

    def taken(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield and count what is read."""
        for chunk in chunks:
            self.take(len(chunk))
            yield chunk

    def take(self, size: int) -> None:
        """Count what was read."""
        self._in += size

    def given(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield and count what comes out."""
        for piece in pieces:
            self._out += len(piece)
            if self._out > self._bounds.bytes:
                raise _bomb(f"more than {self._bounds.bytes} bytes come out of it", "maxBytes")
            if self._out > max(_RATIO_COUNTS_FROM, self._in * self._bounds.ratio):
                raise _bomb(f"it grows to more than {self._bounds.ratio} times its size", "maxRatio")
            yield piece


def decoded(name: bytes) -> str:
    """Return a name that is UTF-8; another one keeps its bytes as lone surrogates, by which it is known later."""
    return name.decode(errors="surrogateescape")


def _bomb(why: str, setting: str) -> MoverFailure:
    message = f"{why}. Raise `archive.{setting}` in the Dataset's source if that is meant."
    return MoverFailure(Reason.ARCHIVE_TOO_LARGE, message)
