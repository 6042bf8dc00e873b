"""The bytes of an inventory object → its roots and a stream of checked entries; memory does not grow with the files."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root, Summary, Tally
from towpath_mover.inventory_format import decode_entry, decode_header

# JSON of nothing but brackets takes 25 times its own size in memory.
MAX_HEADER_BYTES = 4 << 20
MAX_LINE_BYTES = 64 << 10
_PIECE = 256 << 10


class InventoryReader:
    """Reads one inventory: `roots` at once, then `entries()` once, then `summary()` of what was read.

    With a digest the last entry is followed by InputDrift if the content is another one.
    """

    def __init__(self, chunks: Iterable[bytes], digest: str | None = None) -> None:
        self._lines = _lines(_inflate(chunks))
        header = next(self._lines, None)
        if header is None:
            raise MoverFailure(
                Reason.INVENTORY_TRUNCATED, "The inventory is empty: it has not even a header."
            )
        self.roots: tuple[Root, ...] = decode_header(header)
        self._expected = digest
        self._tally = Tally(self.roots)

    def entries(self) -> Iterator[Entry]:
        """Yield the files in the order of their paths."""
        roots, tally = len(self.roots), self._tally
        for number, line in enumerate(self._lines, start=2):
            entry = decode_entry(line, number, roots)
            tally.add(entry)
            yield entry
        self._check_digest()

    def summary(self) -> Summary:
        """Return digest and counts of the entries read so far."""
        return self._tally.summary()

    def _check_digest(self) -> None:
        found = self._tally.summary().digest
        if self._expected not in (None, found):
            message = f"The inventory has the digest {found}, but {self._expected} was pinned: its object was replaced."
            raise MoverFailure(Reason.INPUT_DRIFT, message)


def _inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text in bounded pieces, however much a few compressed bytes stand for."""
    inflater = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        data = bytes(chunk)
        while data:
            if inflater.eof:
                raise _invalid("bytes follow its end")
            yield _piece(inflater, data)
            data = inflater.unconsumed_tail or inflater.unused_data
    while not inflater.eof:
        piece = _piece(inflater, b"")
        if not piece:
            raise MoverFailure(
                Reason.INVENTORY_TRUNCATED, "The inventory ends in the middle: its object was cut."
            )
        yield piece


def _piece(inflater: zlib._Decompress, data: bytes) -> bytes:
    try:
        return inflater.decompress(data, _PIECE)
    except zlib.error as error:
        raise _invalid(f"it is not gzip, or damaged ({error})") from error


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest, limit = b"", MAX_HEADER_BYTES
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        for line in lines:
            if len(line) > limit:
                raise _invalid("it has a line that is too long")
            yield line
            limit = MAX_LINE_BYTES
        if len(rest) > limit:
            raise _invalid("it has a line that is too long")
    if rest:
        raise MoverFailure(Reason.INVENTORY_TRUNCATED, "The inventory's last line has no end: it was cut.")


def _invalid(why: str) -> MoverFailure:
    return MoverFailure(
        Reason.INVENTORY_INVALID, f"The inventory cannot be read: {why}. Its object was damaged."
    )
