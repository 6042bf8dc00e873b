"""Compressed bytes → plain bytes in bounded pieces, however much a few bytes stand for.

Several streams one after another are one, as gzip, bzip2, xz and zstd themselves have it; zeros may follow the last.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from towpath_mover.failures import MoverFailure, Reason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 256 << 10
# What a stream may ask for to look back at: `xz -9` needs 64 MiB, `zstd --ultra -22` and `--long` 128 MiB.
_MEMORY = 132 << 20
_WINDOW_LOG = 27
_ERRORS = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, ValueError, EOFError)


class Decompressor(Protocol):
    """What the standard library's decompressors of bz2, lzma and zstd have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Deflated:
    """zlib in the shape of the others; `wbits` 31 is gzip with its checks, -15 the bare stream inside a zip."""

    def __init__(self, wbits: int) -> None:
        self._inflater = zlib.decompressobj(wbits)
        self._rest = b""
        self._is_drained = True

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._inflater.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more bytes."""
        return self._is_drained

    @property
    def unused_data(self) -> bytes:
        """What follows the end."""
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most so many of the next bytes."""
        piece = self._inflater.decompress(self._rest + data, max(max_length, 0))
        self._rest = self._inflater.unconsumed_tail
        self._is_drained = not self._rest and len(piece) < max_length
        return piece


def start_zstd() -> Decompressor:
    """Return a reader of zstd that takes bounded memory."""
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})


_STARTS: Mapping[str, Callable[[], Decompressor]] = {
    "gzip": lambda: Deflated(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY),
    "zstd": start_zstd,
}


def decompressed(chunks: Iterable[bytes], codec: str) -> Iterator[bytes]:
    """Yield what a stream of this codec (gzip, bzip2, xz, zstd) holds; its own checks are made."""
    source = filter(None, chunks)
    data = next(source, b"")
    if not data:
        raise truncated(f"it is empty, and no {codec} stream")
    while data:
        stream = _STARTS[codec]()
        yield from pieces_of(stream, data, source, codec)
        data = _without_zeros(stream.unused_data, source)


def pieces_of(stream: Decompressor, data: bytes, source: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Yield the pieces of one stream that begins with `data` and goes on in `source`."""
    while not stream.eof:
        if stream.needs_input and not data:
            data = next(source, b"")
            if not data:
                raise truncated(f"its {codec} stream ends in the middle")
        piece = _piece(stream, data, codec)
        data = b""
        if piece:
            yield piece


def truncated(why: str) -> MoverFailure:
    """Return the failure of an archive that has no end."""
    return MoverFailure(Reason.ARCHIVE_TRUNCATED, f"{why}. It was cut: make or fetch it again.")


def invalid(why: str) -> MoverFailure:
    """Return the failure of bytes that are no archive of the kind that was said."""
    message = f"{why}. Correct `archive.type` in the Dataset's source, or repair the archive."
    return MoverFailure(Reason.ARCHIVE_INVALID, message)


def _piece(stream: Decompressor, data: bytes, codec: str) -> bytes:
    try:
        return stream.decompress(data, PIECE)
    except _ERRORS as error:
        raise invalid(f"it is no {codec} stream, or is damaged ({error})") from error
    except MemoryError as error:
        raise invalid(f"its {codec} stream needs more than {_MEMORY >> 20} MiB to be read") from error


def _without_zeros(data: bytes, source: Iterator[bytes]) -> bytes:
    while not (left := data.lstrip(b"\0")):
        following = next(source, None)
        if following is None:
            return b""
        data = following
    return left
