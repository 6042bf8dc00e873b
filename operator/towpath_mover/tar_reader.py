"""A tar stream (ustar, pax, GNU) → its members, in one pass and in bounded memory; what is not understood is refused.

Not the standard library's reader: it holds whole pax headers in memory, and rises with many kinds of errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from towpath_mover.archive_members import Kind, Member, decoded
from towpath_mover.byte_source import ByteStream
from towpath_mover.decompress import invalid, truncated

BLOCK = 512
# Names and attributes; no disk holds a longer path than 4,096 bytes.
_MAX_EXTENSION = 1 << 20
_ZEROS = bytes(BLOCK)
_SPARSE = "GNU.sparse."
_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMBOLIC_LINK,
    b"3": Kind.DEVICE,
    b"4": Kind.DEVICE,
    b"5": Kind.FOLDER,
    b"6": Kind.FIFO,
    b"S": Kind.SPARSE,
}
_WITHOUT_BYTES = frozenset({Kind.HARD_LINK, Kind.SYMBOLIC_LINK, Kind.DEVICE, Kind.FIFO, Kind.FOLDER})


class _Header(NamedTuple):
    name: bytes
    type: bytes
    size: int
    mode: int


def read_tar(chunks: Iterator[bytes]) -> Iterator[Member]:
    """Yield the members of a tar; a failure's message begins with what is wrong with the archive."""
    reader = _Reader(ByteStream(chunks))
    while (member := reader.next()) is not None:
        yield member
    reader.end()


class _Reader:
    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._left = 0
        self._is_first = True
        self._global: dict[str, bytes] = {}

    def next(self) -> Member | None:
        """Return the next member, or None at the two blocks of zeros."""
        extended, long_name = dict(self._global), None
        while (header := self._header()) is not None:
            if header.type == b"x":
                extended |= _records(self._extension(header))
            elif header.type == b"g":
                self._global |= _records(self._extension(header))
                extended = self._global | extended
            elif header.type == b"L":
                long_name = self._extension(header).split(b"\0")[0]
            elif header.type == b"K":
                self._extension(header)
            else:
                return self._member(header, extended, long_name)
        if long_name is not None or extended != self._global:
            raise truncated("it ends after the name of an entry")
        return None

    def end(self) -> None:
        """Read to the last byte, so that what is compressed is checked; nothing but zeros may be there."""
        if any(any(piece) for piece in self._stream.rest()):
            raise invalid("bytes follow its end, such as a second archive")

    def _header(self) -> _Header | None:
        self._stream.skip(self._left)
        self._left = 0
        block = self._stream.take(BLOCK)
        if block == _ZEROS:
            return None
        header = _header(block, "it is no tar" if self._is_first else "the header of an entry is damaged")
        self._is_first = False
        self._left = -(-header.size // BLOCK) * BLOCK
        return header

    def _extension(self, header: _Header) -> bytes:
        if header.size > _MAX_EXTENSION:
            raise invalid(f"the name or the attributes of an entry take {header.size} bytes")
        content = self._stream.take(header.size)
        self._left -= header.size
        return content

    def _member(self, header: _Header, extended: dict[str, bytes], long_name: bytes | None) -> Member:
        name = extended.get("path", long_name if long_name is not None else header.name)
        size = _decimal(extended["size"]) if "size" in extended else header.size
        kind = _KINDS.get(header.type, Kind.UNKNOWN)
        if kind is Kind.FILE and name.endswith(b"/") and not size:
            kind = Kind.FOLDER
        if any(key.startswith(_SPARSE) for key in extended):
            kind = Kind.SPARSE
        # What a link or a folder says of its size is the size of something else.
        size = 0 if kind in _WITHOUT_BYTES else size
        self._left = -(-size // BLOCK) * BLOCK
        return Member(
            decoded(name),
            kind,
            size,
            bool(header.mode & 0o100),
            is_encrypted=False,
            pieces=lambda: self._pieces(size),
        )

    def _pieces(self, size: int) -> Iterator[memoryview]:
        for piece in self._stream.pieces(size):
            self._left -= len(piece)
            yield piece


def _header(block: bytes, otherwise: str) -> _Header:
    said = _number(block[148:156], otherwise)
    if said != sum(block[:148]) + 8 * 0x20 + sum(block[156:]):
        raise invalid(otherwise)
    name = block[:100].split(b"\0")[0]
    # Of POSIX only: in GNU's own format other things stand there.
    prefix = block[345:500].split(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return _Header(
        prefix + b"/" + name if prefix else name,
        block[156:157],
        _number(block[124:136], "the size of an entry is no number"),
        _number(block[100:108], "the mode of an entry is no number"),
    )


def _number(field: bytes, otherwise: str) -> int:
    if field[0] == 0x80:
        return _bounded(int.from_bytes(field[1:]), otherwise)
    digits = field.split(b"\0")[0].strip(b" ") or b"0"
    if digits.strip(b"01234567"):
        raise invalid(otherwise)
    return int(digits, 8)


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise invalid("the size of an entry is no number")
    return _bounded(int(digits), "the size of an entry is no number")


def _bounded(number: int, otherwise: str) -> int:
    if number >= 1 << 63:
        raise invalid(otherwise)
    return number


def _records(content: bytes) -> dict[str, bytes]:
    """Return the attributes of a pax header: `LENGTH KEY=VALUE` and a line feed each."""
    found: dict[str, bytes] = {}
    place = 0
    while place < len(content):
        space = content.find(b" ", place, place + 8)
        length = content[place:space] if space > 0 else b""
        end = place + int(length) if length.isdigit() else 0
        record = content[space + 1 : end]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not record.endswith(b"\n") or not equals or end > len(content):
            raise invalid("the attributes of an entry are damaged")
        found[decoded(key)] = value
        place = end
    return found
