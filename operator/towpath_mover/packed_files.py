"""A joined range of a pack → its files one after another, cut out of the stream and verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from towpath_mover.inventory import Entry
from towpath_mover.joined_ranges import JoinedRange
from towpath_mover.pinned import (
    PACK_ENDS,
    OtherBytesError,
    Source,
    check_digest,
    patiently_pinned,
    read_pinned,
    stream_pinned,
)
from towpath_mover.stores import Span
from towpath_mover.transfer import PIECE


def packed_files(source: Source, joined: JoinedRange) -> Iterator[tuple[Entry, memoryview]]:
    """Yield each file with its bytes; InputDrift names the one whose bytes are others, and its pack.

    After a break the rest is asked for: what was given is not read again.
    """
    reading = _Reading(source, joined.end)
    for entry in joined.entries:
        yield (
            entry,
            patiently_pinned(source.store, source.prefix, entry, partial(reading.content, entry)),
        )


class _Reading:
    """A range that is being read; after a failure it begins anew at the file that is asked for."""

    def __init__(self, source: Source, end: int) -> None:
        self._source = source
        self._end = end
        self._stream: _Stream | None = None

    def content(self, entry: Entry) -> memoryview:
        stream, self._stream = self._stream or self._open(entry), None
        content = stream.cut(entry.offset or 0, entry.size)
        if len(content) != entry.size:
            raise OtherBytesError(PACK_ENDS)
        check_digest(entry, content)
        self._stream = stream
        return content

    def _open(self, entry: Entry) -> _Stream:
        start = entry.offset or 0
        if start == self._end:
            return _Stream((), start)
        span = Span(start, self._end)
        if self._end - start <= PIECE:
            return _Stream([read_pinned(self._source, entry, span).whole()], start)
        return _Stream(stream_pinned(self._source, entry, span).pieces(), start)


class _Stream:
    """Pieces of a pack, the first of which begins at a place in it."""

    def __init__(self, pieces: Iterable[bytes | memoryview], start: int) -> None:
        self._pieces = iter(pieces)
        self._place = start
        self._rest = memoryview(b"")

    def cut(self, start: int, size: int) -> memoryview:
        """Return the bytes from a place on that has not been passed, fewer only at the end."""
        for _ in self._next(start - self._place):
            pass
        if size <= len(self._rest):
            return next(self._next(size), self._rest[:0])
        whole = bytearray()
        # A piece is used up when the next one comes.
        for part in self._next(size):
            whole += part
        return memoryview(whole)

    def _next(self, size: int) -> Iterator[memoryview]:
        while size:
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._rest = memoryview(piece)
            part, self._rest = self._rest[:size], self._rest[size:]
            size -= len(part)
            self._place += len(part)
            yield part
