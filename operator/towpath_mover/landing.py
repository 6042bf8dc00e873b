"""Files as they arrive on disk: small ones whole, large ones by ranges that may land in any order.

Every byte is hashed; of a large file each range is hashed, once all before it are there, from the page cache. Its room
on the disk is taken at once: that halves the work of writing it, and a full disk is known before a byte has come.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.paths import shown
from towpath_mover.room import reserve

_PIECE = 1 << 20
# The kernel takes memory for a write in one piece. Large free pieces are those that a virtual machine's host has taken
# back, and giving them again costs ten times the copy.
_WRITE = 128 << 10
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT}
# What no other node's disk would take either.
_NO_SUCH_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EEXIST, errno.EISDIR, errno.ENOTDIR}


class Landing:
    """The folder into which one download goes; it is new, and nobody else writes there."""

    def __init__(self, folder: Path, size: int | None) -> None:
        self._folder = str(folder)
        self._size = size
        self._made: set[str] = {""}

    def check_room(self) -> None:
        """Raise DiskFull now rather than after an hour of download, where the whole size is known."""
        state = os.statvfs(self._folder)
        if self._size and self._size > state.f_bavail * state.f_frsize:
            raise disk_full(Path(self._folder), self._size, "before the first byte came")

    def write_whole(self, entry: Entry, content: bytes | memoryview) -> None:
        """Write a small file."""
        try:
            descriptor = self.create(entry)
            try:
                _write_all(descriptor, content, 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self.failure(error, entry) from error

    def open_large(self, entry: Entry, ranges: int) -> LargeFile:
        """Create a large file whose ranges are still to come."""
        try:
            descriptor = self.create(entry)
            reserve(descriptor, entry.size)
            return LargeFile(self, entry, descriptor, ranges)
        except OSError as error:
            raise self.failure(error, entry) from error

    def create(self, entry: Entry) -> int:
        """Create a file and return its descriptor; OSErrors are for `failure`."""
        folder = entry.path.rpartition("/")[0]
        if folder not in self._made:
            self._make(folder)
        return os.open(f"{self._folder}/{entry.path}", _CREATE, 0o755 if entry.executable else 0o644)

    def path(self, entry: Entry) -> Path:
        """Return where a file lies that was created."""
        return Path(self._folder, entry.path)

    def failure(self, error: OSError, entry: Entry) -> MoverFailure:
        """Return DiskFull with the numbers, or what else the disk had against the file."""
        if error.errno in _NO_SUCH_NAME:
            message = f"The disk cannot hold {shown(entry.path)} below {self._folder}: {error.strerror}."
            return MoverFailure(Reason.UNSAFE_PATH, f"{message} Rename the file.")
        if error.errno not in _FULL:
            return MoverFailure(Reason.DISK_REFUSED, f"Could not write {entry.path!r}: {error.strerror}.")
        return disk_full(Path(self._folder), self._size, f"while writing {entry.path!r} ({entry.size} bytes)")

    def _make(self, folder: str) -> None:
        # Not os.makedirs, which calls itself for each level: a key may have more levels than Python has calls.
        missing = [folder]
        while (above := missing[-1].rpartition("/")[0]) not in self._made:
            missing.append(above)
        for part in reversed(missing):
            # Two threads may make the same folder at once.
            with suppress(FileExistsError):
                os.mkdir(f"{self._folder}/{part}", 0o755)  # noqa: PTH102 - once per folder
            self._made.add(part)


class LargeFile:
    """One file that is written at several places at once and hashed from its beginning."""

    def __init__(self, landing: Landing, entry: Entry, descriptor: int, ranges: int) -> None:
        self.entry = entry
        self._landing = landing
        self._descriptor = descriptor
        self._ranges = ranges
        self._lock = Lock()
        self._landed: dict[int, tuple[int, int]] = {}
        self._hashed = 0
        self._is_hashing = False
        self._digest = sha256()
        self._buffer = memoryview(bytearray(_PIECE))

    def write(self, offset: int, pieces: Iterable[bytes | memoryview]) -> int:
        """Write pieces one after another from an offset and return how many bytes they were."""
        start = offset
        for piece in pieces:
            try:
                _write_all(self._descriptor, piece, offset)
            except OSError as error:
                raise self._landing.failure(error, self.entry) from error
            offset += len(piece)
        return offset - start

    def land(self, number: int, start: int, end: int) -> bool:
        """Note that a range is on disk; return whether the file is complete, which closes it."""
        with self._lock:
            self._landed[number] = (start, end)
            if self._is_hashing:
                return False
            self._is_hashing = True
        # Whoever hashed the last range closes the file: a shared count would be there before its hash is.
        hashed_last = False
        while (following := self._next()) is not None:
            number, start, end = following
            self._hash(start, end)
            hashed_last = number == self._ranges - 1
        return hashed_last

    def close(self) -> str:
        """Close the complete file and return its SHA-256."""
        os.close(self._descriptor)
        return self._digest.hexdigest()

    def _next(self) -> tuple[int, int, int] | None:
        with self._lock:
            following = self._landed.pop(self._hashed, None)
            if following is None:
                self._is_hashing = False
                return None
            self._hashed += 1
            return self._hashed - 1, *following

    def _hash(self, start: int, end: int) -> None:
        if self.entry.sha256 is None:
            return
        while start < end:
            count = os.preadv(self._descriptor, [self._buffer[: end - start]], start)
            self._digest.update(self._buffer[:count])
            start += count


def disk_full(folder: Path, needed: int | None, when: str) -> MoverFailure:
    """Return the failure that says how much room there was and how much is needed."""
    state = os.statvfs(folder)
    free, total = state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize
    wanted = f" The whole input needs {needed} bytes." if needed else ""
    message = f"The disk is full {when}: {free} of {total} bytes are free.{wanted}"
    return MoverFailure(
        Reason.DISK_FULL, f"{message} Give the step more ephemeral storage, or mount the input."
    )


def _write_all(descriptor: int, content: bytes | memoryview, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view[:_WRITE], offset)
        view, offset = view[written:], offset + written
