"""One object of a store, read anywhere or from its start to its end, always in the state that was pinned."""

from __future__ import annotations

from collections.abc import Iterator

from towpath_mover.inventory import Entry
from towpath_mover.pinned import OtherBytesError, patiently_pinned
from towpath_mover.stores import Pin, Span, Store
from towpath_mover.transfer import PIECE, WHOLE


class StoreRanges:
    """Reads blocks of 8 MiB and keeps the last one: who reads on is answered from memory."""

    def __init__(self, store: Store, entry: Entry, prefix: str) -> None:
        self._store = store
        self._entry = entry
        self._prefix = prefix
        self._number = -1
        self._block = memoryview(b"")

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._entry.size

    def read(self, start: int, size: int) -> bytes:
        """Return the bytes from `start`, fewer than asked for only at the end."""
        end = min(start + size, self.size)
        parts = []
        while start < end:
            number, offset = divmod(start, WHOLE)
            part = self._block_of(number)[offset : offset + end - start]
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def pieces(self) -> Iterator[bytes]:
        """Yield all bytes in order."""
        for number in range(-(-self.size // WHOLE)):
            block = self._block_of(number)
            for start in range(0, len(block), PIECE):
                yield bytes(block[start : start + PIECE])

    def _block_of(self, number: int) -> memoryview:
        if number != self._number:
            # Let go first: two blocks would be held otherwise.
            self._number, self._block = -1, memoryview(b"")
            self._block = patiently_pinned(
                self._store, self._prefix, self._entry, lambda: self._fetch(number)
            )
            self._number = number
        return self._block

    def _fetch(self, number: int) -> memoryview:
        span = Span(number * WHOLE, min((number + 1) * WHOLE, self.size))
        pin = Pin(self._entry.etag, self._entry.version)
        content = self._store.read(self._prefix + self._entry.path, pin, span).whole()
        if len(content) != span.end - span.start:
            raise OtherBytesError(f"{len(content)} bytes came for a range")
        return content
