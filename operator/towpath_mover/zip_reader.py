"""A zip archive that can be read anywhere → its members, each verified by size and CRC as it is read."""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from towpath_mover.archive_members import Expansion, Member, decoded
from towpath_mover.byte_source import ByteRanges
from towpath_mover.decompress import Decompressor, Deflated, invalid, pieces_of, start_zstd, truncated
from towpath_mover.zip_directory import ZipEntry, read_directory

_LOCAL = struct.Struct("<4s5H3L2H")
_RANGE = 1 << 20
_STORED = 0
_METHODS: Mapping[int, tuple[str, Callable[[], Decompressor]]] = {
    8: ("deflate", lambda: Deflated(-15)),
    12: ("bzip2", bz2.BZ2Decompressor),
    93: ("zstd", start_zstd),
}


def read_zip(archive: ByteRanges, expansion: Expansion) -> Iterator[Member]:
    """Yield the members in the directory's order; a failure's message begins with what is wrong with the archive."""
    taken = 0
    for entry in read_directory(archive):
        taken += entry.compressed + _LOCAL.size + len(entry.name)
        if taken > archive.size:
            raise invalid("its entries lie upon each other, as only a bomb's do, or sizes are damaged")
        yield _member(archive, entry, expansion)


def _member(archive: ByteRanges, entry: ZipEntry, expansion: Expansion) -> Member:
    return Member(
        decoded(entry.name),
        entry.kind,
        entry.size,
        entry.executable,
        entry.is_encrypted,
        pieces=lambda: _verified(entry, _plain(archive, entry, expansion)),
    )


def _plain(archive: ByteRanges, entry: ZipEntry, expansion: Expansion) -> Iterator[bytes]:
    packed = expansion.taken(_ranges(archive, _start(archive, entry), entry.compressed))
    if entry.method == _STORED:
        yield from expansion.given(packed)
    elif not entry.compressed:
        raise invalid("an entry has no compressed bytes")
    elif entry.method in _METHODS:
        codec, start = _METHODS[entry.method]
        stream = start()
        yield from expansion.given(pieces_of(stream, b"", packed, codec))
        if stream.unused_data or next(packed, b""):
            raise invalid("an entry has bytes behind its end")
    else:
        raise invalid(f"an entry is compressed by method {entry.method}, which is not one of 0, 8, 12 and 93")


def _verified(entry: ZipEntry, pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = crc = 0
    for piece in pieces:
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        if size > entry.size:
            raise invalid(f"an entry holds more than the {entry.size} bytes that it says")
        yield piece
    if size != entry.size:
        raise invalid(f"an entry holds {size} bytes and says {entry.size}")
    if crc != entry.crc:
        raise invalid("the bytes of an entry are damaged: they have another CRC")


def _start(archive: ByteRanges, entry: ZipEntry) -> int:
    header = archive.read(entry.offset, _LOCAL.size + len(entry.name)) if entry.offset < archive.size else b""
    if len(header) < _LOCAL.size or not header.startswith(b"PK\3\4"):
        raise invalid("an entry does not lie where the directory says")
    name_length: int
    extra_length: int
    name_length, extra_length = _LOCAL.unpack_from(header)[9:]
    if name_length != len(entry.name) or header[_LOCAL.size :] != entry.name:
        raise invalid("an entry has one name in the directory and another one beside its bytes")
    return entry.offset + _LOCAL.size + name_length + extra_length


def _ranges(archive: ByteRanges, place: int, left: int) -> Iterator[bytes]:
    while left:
        piece = archive.read(place, min(_RANGE, left))
        if not piece:
            raise truncated(f"{left} bytes of an entry are missing")
        place, left = place + len(piece), left - len(piece)
        yield piece
