"""A file's bytes ↔ its text, without losing one: decoding is strict, so encoding a row again gives its own bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from towpath_mover.row_errors import Place, RowError

# By the names of `format.csv.encoding`: the byte order marks that may stand first, and what each then means.
_LITTLE_16, _LITTLE_32 = (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF32_LE, "utf-32-le")
_UTF8 = ((codecs.BOM_UTF8, "utf-8"), (b"", "utf-8"))
_CODECS: dict[str, tuple[tuple[bytes, str], ...]] = {
    "utf8": _UTF8,
    "utf8bom": _UTF8,
    # Without a mark: as Windows and Python on every machine that we run on write them.
    "utf16": (_LITTLE_16, (codecs.BOM_UTF16_BE, "utf-16-be"), (b"", "utf-16-le")),
    "utf32": (_LITTLE_32, (codecs.BOM_UTF32_BE, "utf-32-be"), (b"", "utf-32-le")),
    "ascii": ((b"", "ascii"),),
    "latin1": ((b"", "latin-1"),),
    "iso88591": ((b"", "latin-1"),),
    "windows1252": ((b"", "cp1252"),),
}
ENCODINGS = tuple(_CODECS)
_LONGEST_MARK = 4


class RowText(NamedTuple):
    """A file's text in pieces, and what makes bytes of it again: the mark it began with, and the codec."""

    mark: bytes
    codec: str
    pieces: Iterator[str]

    def encode(self, text: str) -> bytes:
        """Return the very bytes that a part of the text was decoded from."""
        return text.encode(self.codec)


def open_text(pieces: Iterable[bytes | memoryview], encoding: str) -> RowText:
    """Return a file's text; what cannot be decoded rises as a RowError when its piece is read."""
    left = iter(pieces)
    head = b""
    for piece in left:
        head += piece
        if len(head) >= _LONGEST_MARK:
            break
    mark, codec = next(known for known in _CODECS[encoding] if head.startswith(known[0]))
    return RowText(mark, codec, _decoded(chain((head[len(mark) :],), left), codec, encoding))


def _decoded(pieces: Iterable[bytes | memoryview], codec: str, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)()
    place = Place()
    try:
        for piece in pieces:
            if text := decoder.decode(bytes(piece)):
                yield text
                place.pass_over(text)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(codec)
        shown = error.object[error.start : error.start + 4].hex(" ")
        what = f"the bytes {shown} are not {encoding}: correct the file, or format.csv.encoding"
        raise RowError(*place.after(before), what) from error
