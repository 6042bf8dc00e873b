"""Chunks of any size → the blocks that travel; a span → theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from towpath.errors import ChangedError
from towpath_mover.transfer_protocol import BLOCK

# What is read comes sooner in smaller ones.
READ_BLOCK = 4 << 20


def blocks_of(chunks: Iterable[bytes], size: int, path: str) -> Iterator[bytes]:
    """The same bytes in blocks of 8 MiB, and a last one; ChangedError if they are more or fewer than announced."""
    gathered, count = bytearray(), 0
    for chunk in chunks:
        gathered += chunk
        count += len(chunk)
        if count > size:
            break
        while len(gathered) >= BLOCK:
            yield bytes(gathered[:BLOCK])
            del gathered[:BLOCK]
    if count != size:
        how = f"more than {size} bytes came" if count > size else f"only {count} bytes came of {size}"
        raise ChangedError(f"{path!r} changed while it was sent: {how}.")
    if gathered or not size:
        yield bytes(gathered)


def spans_of(start: int, length: int) -> Iterator[tuple[int, int]]:
    """The spans, from and to, in which so many bytes are asked for."""
    end = start + length
    for begin in range(start, end, READ_BLOCK):
        yield begin, min(begin + READ_BLOCK, end)
