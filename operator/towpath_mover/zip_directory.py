"""The end of a zip archive → its central directory, entry by entry: memory does not grow with the entries.

Not the standard library's reader: it holds the whole directory, and an object for each of perhaps millions of entries.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from towpath_mover.archive_members import Kind
from towpath_mover.byte_source import ByteRanges
from towpath_mover.decompress import invalid, truncated

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4sBB5HL2L5H2L")
_READ_AHEAD = 1 << 20
_MAX_COMMENT = (1 << 16) - 1
_LONGEST = _ENTRY.size + 3 * _MAX_COMMENT
_UNIX = (3, 19)
_ENCRYPTED = 0x2041
# The upper half of a Unix file mode.
_KINDS = {
    0o12: Kind.SYMBOLIC_LINK,
    0o04: Kind.FOLDER,
    0o02: Kind.DEVICE,
    0o06: Kind.DEVICE,
    0o01: Kind.FIFO,
    0o14: Kind.UNKNOWN,
}


class ZipEntry(NamedTuple):
    """What the central directory says of one entry; `offset` is that of its own header in the archive."""

    name: bytes
    kind: Kind
    method: int
    is_encrypted: bool
    executable: bool
    crc: int
    compressed: int
    size: int
    offset: int


class _Directory(NamedTuple):
    start: int
    size: int
    entries: int
    # What stands before the archive, such as a program that unpacks it.
    shift: int


def read_directory(archive: ByteRanges) -> Iterator[ZipEntry]:
    """Yield the entries in the directory's order."""
    directory = _find(archive)
    stop = directory.start + directory.size
    place, ahead = directory.start, memoryview(b"")
    for _ in range(directory.entries):
        if len(ahead) < _LONGEST and place + len(ahead) < stop:
            ahead = memoryview(archive.read(place, min(_READ_AHEAD, stop - place)))
        entry, length = _entry(ahead, directory.shift)
        place, ahead = place + length, ahead[length:]
        yield entry
    if place != stop:
        raise invalid("its directory holds other entries than it counts")


def _find(archive: ByteRanges) -> _Directory:
    window = min(archive.size, _END.size + _MAX_COMMENT)
    tail = archive.read(archive.size - window, window)
    place = len(tail) - _END.size
    while place >= 0:
        place = tail.rfind(b"PK\5\6", 0, place + 4)
        if place < 0:
            break
        # The comment ends where the file does; the same four bytes inside a comment are no end.
        if place + _END.size + int.from_bytes(tail[place + 20 : place + 22], "little") == len(tail):
            return _directory(archive, tail[place:], archive.size - window + place)
        place -= 1
    if archive.size and archive.read(0, 4) == b"PK\3\4":
        raise truncated("it begins as a zip and has no directory at its end")
    raise invalid("it is no zip")


def _directory(archive: ByteRanges, end: bytes, place: int) -> _Directory:
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(end)
    locator = archive.read(max(place - _LOCATOR.size, 0), _LOCATOR.size)
    # Also where the fields of 32 bits would do: Python's zipfile writes both from 2 GiB on.
    if locator.startswith(b"PK\6\7"):
        place, disk, first_disk, here, count, size, start = _end_64(archive, place)
    if disk or first_disk or here != count:
        raise invalid("it is one part of an archive in several parts")
    shift = place - size - start
    if shift < 0 or count * _ENTRY.size > size:
        raise invalid("the place of its directory is damaged")
    return _Directory(place - size, size, count, shift)


def _end_64(archive: ByteRanges, place: int) -> tuple[int, int, int, int, int, int, int]:
    # Nothing stands between the two unless somebody put it there, and then no offset can be believed.
    at = place - _LOCATOR.size - _END_64.size
    end = archive.read(at, _END_64.size) if at >= 0 else b""
    if len(end) < _END_64.size or not end.startswith(b"PK\6\6"):
        raise invalid("its zip64 directory is damaged")
    _, _, _, _, disk, first_disk, here, count, size, start = _END_64.unpack(end)
    return at, disk, first_disk, here, count, size, start


def _entry(block: memoryview, shift: int) -> tuple[ZipEntry, int]:
    if len(block) < _ENTRY.size or bytes(block[:4]) != b"PK\1\2":
        raise invalid("its directory is damaged")
    fields = _ENTRY.unpack_from(block)
    system, flags, method, crc, compressed, size = fields[2], fields[4], fields[5], *fields[8:11]
    name_length, extra_length, comment_length, attributes, offset = *fields[11:14], fields[16], fields[17]
    length = _ENTRY.size + name_length + extra_length + comment_length
    if length > len(block):
        raise invalid("its directory is damaged")
    name = bytes(block[_ENTRY.size : _ENTRY.size + name_length])
    extra = bytes(block[_ENTRY.size + name_length : _ENTRY.size + name_length + extra_length])
    size, compressed, offset = _large(extra, size, compressed, offset)
    mode = attributes >> 16 if system in _UNIX else 0
    kind = Kind.FOLDER if name.endswith(b"/") else _KINDS.get(mode >> 12, Kind.FILE)
    is_encrypted = bool(flags & _ENCRYPTED) or method == 99
    executable = bool(mode & 0o100)
    entry = ZipEntry(name, kind, method, is_encrypted, executable, crc, compressed, size, offset + shift)
    return entry, length


def _large(extra: bytes, *values: int) -> list[int]:
    """The values, those that say they are too large for 32 bits taken from the zip64 field, in this order."""
    if 0xFFFFFFFF not in values:
        return list(values)
    field = _field(extra, 1)
    wide = iter([value for (value,) in struct.iter_unpack("<Q", field[: len(field) // 8 * 8])])
    try:
        return [next(wide) if value == 0xFFFFFFFF else value for value in values]
    except StopIteration:
        raise invalid("a size or a place in its directory is missing") from None


def _field(extra: bytes, sought: int) -> bytes:
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == sought:
            return extra[place + 4 : place + 4 + length]
        place += 4 + length
    return b""
