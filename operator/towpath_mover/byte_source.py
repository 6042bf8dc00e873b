"""Bytes that archives are read from: a stream that is taken piece by piece, or a place that is read anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from towpath_mover.decompress import PIECE, truncated


class ByteStream:
    """Hands out a stream in the sizes that a reader asks for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def take(self, size: int) -> bytes:
        """Return exactly so many bytes, which are few."""
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Yield exactly so many bytes, in pieces."""
        while size:
            piece = self._some(size)
            if not piece:
                raise truncated(f"{size} bytes are missing at its end")
            size -= len(piece)
            yield piece

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        for _ in self.pieces(size):
            pass

    def rest(self) -> Iterator[memoryview]:
        """Yield all that is left."""
        while piece := self._some(PIECE):
            yield piece

    def _some(self, size: int) -> memoryview:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return self._rest
            self._rest = memoryview(chunk)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


class ByteRanges(Protocol):
    """Bytes of which any range can be read."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, start: int, size: int) -> bytes:
        """Return the bytes from `start`, fewer than asked for only at the end."""


class FileRanges:
    """A file on disk, by its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, start: int, size: int) -> bytes:
        """Return the bytes from `start`, fewer than asked for only at the end."""
        return os.pread(self._descriptor, size, start)
