"""Entries in any order → an inventory file on disk, sorted, compressed, digested; memory does not grow with them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple

from towpath_mover.inventory import Entry, Root, Summary, Tally
from towpath_mover.inventory_format import encode_entry, encode_header
from towpath_mover.inventory_sort import in_order
from towpath_mover.paths import check_path

# Half of each line is a digest, which does not compress: level 1 gives 49 bytes a file, 4 gives 46, 9 still 46.
LEVEL = 4
_BATCH = 512


class WrittenInventory(NamedTuple):
    """A finished inventory file: what it holds, and the SHA-256 (hex) of its text before compression."""

    file: Path
    summary: Summary
    document_sha256: str


def write_inventory(file: Path, roots: Sequence[Root], entries: Iterable[Entry]) -> WrittenInventory:
    """Write the entries, which may come in any order, and say what they are; sorting uses the file's folder."""
    return write_sorted(file, roots, in_order(entries, file.parent))


def write_sorted(file: Path, roots: Sequence[Root], entries: Iterable[Entry]) -> WrittenInventory:
    """Write the entries, which come in the order of their paths, and say what they are."""
    with file.open("wb") as opened:
        text = _Text(opened)
        text.write(encode_header(roots))
        tally = Tally(roots)
        batch: list[bytes] = []
        for entry in entries:
            check_path(entry.path)
            tally.add(entry)
            batch.append(encode_entry(entry))
            if len(batch) == _BATCH:
                text.write(b"".join(batch))
                batch.clear()
        text.write(b"".join(batch))
        return WrittenInventory(file, tally.summary(), text.close())


class _Text:
    """Compresses text into an open file without a time or a name, so that equal text gives equal bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
        self._digest = sha256()

    def write(self, text: bytes) -> None:
        self._digest.update(text)
        self._file.write(self._deflater.compress(text))

    def close(self) -> str:
        self._file.write(self._deflater.flush())
        return self._digest.hexdigest()
