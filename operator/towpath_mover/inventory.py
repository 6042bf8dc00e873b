"""An inventory in memory: its roots, its entries, and the tally that orders, counts and digests them.

The text format is in `inventory_format.py`; docs/reference/inventory.md documents both.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.paths import shown

FORMAT = "towpath-inventory"
FORMAT_VERSION = 1
CANONICAL_FIRST_LINE = b"towpath-content 1\n"
BLOCK = 4096


class Root(NamedTuple):
    """Where files lie: a datastore's name and a key prefix below that datastore's own (empty, or ending in `/`).

    `partition_format` says which columns the paths hold; `towpath.flow.partitions` takes them out.
    """

    datastore: str
    prefix: str
    partition_format: str | None = None


class Entry(NamedTuple):
    """One file: what it is (`sha256`, or `etag` and `version` as its store reports them) and where it lies.

    In a pack, `pack` is the pack's key below the root's prefix and `offset` the place of the first byte in it.
    """

    path: str
    size: int
    sha256: str | None = None
    etag: str | None = None
    version: str | None = None
    executable: bool = False
    root: int = 0
    pack: str | None = None
    offset: int | None = None


class Summary(NamedTuple):
    """What a whole inventory holds: canonical digest, files, bytes, and disk space it needs when staged."""

    digest: str
    files: int
    bytes: int
    scratch_bytes: int


class Tally:
    """Takes the entries of one inventory in order: refuses disorder, counts, and digests the content."""

    def __init__(self, roots: Sequence[Root]) -> None:
        self._roots = roots
        self._digest = sha256(CANONICAL_FIRST_LINE)
        self._last = ""
        self._last_folder = ""
        self._enclosing: list[str] = []
        # Of each root, the last pack and the place behind the last file in it.
        self._packed: dict[int, tuple[str, int]] = {}
        self._files = 0
        self._bytes = 0
        self._scratch_bytes = BLOCK

    def add(self, entry: Entry) -> None:
        """Count one more entry, which must sort after all before it."""
        self._check_place(entry.path)
        if entry.pack is not None and entry.offset is not None:
            self._check_packed(entry, entry.pack, entry.offset)
        self._count(entry.path, entry.size)
        self._digest.update(canonical_line(entry, self._roots))

    def summary(self) -> Summary:
        """Return the tally of all entries added so far."""
        return Summary(f"sha256:{self._digest.hexdigest()}", self._files, self._bytes, self._scratch_bytes)

    def _check_place(self, path: str) -> None:
        # Python compares text by code point, which is the order of its UTF-8 bytes.
        if path <= self._last:
            raise _misplaced(path, self._last)
        enclosing = self._enclosing
        while enclosing and not path.startswith(enclosing[-1]):
            enclosing.pop()
        for file in enclosing:
            if path[len(file)] == "/":
                message = (
                    f"{shown(file)} is a file and also the folder of {shown(path)}: no disk can hold both."
                )
                raise MoverFailure(Reason.FILE_AND_FOLDER, f"{message} Rename one of them.")
        enclosing.append(path)
        self._last = path

    def _check_packed(self, entry: Entry, pack: str, offset: int) -> None:
        # Files lie in packs as their paths are sorted: so no two of any number can share a byte unseen.
        if (pack, offset) < self._packed.get(entry.root, ("", 0)):
            message = (
                f"{shown(entry.path)} lies at byte {offset} of the pack {shown(pack)}, over or before what stands "
                "above it in the inventory, which was damaged, or not written by Towpath."
            )
            raise MoverFailure(Reason.INVENTORY_INVALID, message)
        self._packed[entry.root] = (pack, offset + entry.size)

    def _count(self, path: str, size: int) -> None:
        self._files += 1
        self._bytes += size
        self._scratch_bytes += -(-size // BLOCK) * BLOCK
        folder = path.rpartition("/")[0]
        if folder != self._last_folder:
            self._scratch_bytes += _new_folders(folder, self._last_folder) * BLOCK
            self._last_folder = folder


def canonical_line(entry: Entry, roots: Sequence[Root]) -> bytes:
    """Return the entry as the canonical digest sees it: what the file is, not where it lies.

    An ETag means something in its own store only, so that store's name is part of what the file is.
    """
    mode = "x" if entry.executable else "-"
    if entry.sha256 is not None:
        return f"{entry.path}\t{entry.size}\t{mode}\tsha256\t{entry.sha256}\n".encode()
    known_by = f"{roots[entry.root].datastore}\t{entry.etag}\t{entry.version or ''}"
    return f"{entry.path}\t{entry.size}\t{mode}\tetag\t{known_by}\n".encode()


def _misplaced(path: str, last: str) -> MoverFailure:
    if path == last:
        return MoverFailure(Reason.DUPLICATE_PATH, f"The path {shown(path)} stands twice in the inventory.")
    message = f"The inventory is not sorted: {shown(path)} stands after {shown(last)}."
    return MoverFailure(Reason.INVENTORY_UNSORTED, message)


def _new_folders(folder: str, last_folder: str) -> int:
    parts, last_parts = folder.split("/"), last_folder.split("/")
    shared = 0
    for part, last_part in zip(parts, last_parts, strict=False):
        if part != last_part:
            break
        shared += 1
    return len(parts) - shared if folder else 0
