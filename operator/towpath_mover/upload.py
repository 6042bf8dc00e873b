"""Opened files → objects below a prefix, and the entries that say what was sent: digests are of the very bytes sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.paths import check_path, shown
from towpath_mover.progress import Progress
from towpath_mover.retry import patiently
from towpath_mover.stores import Parts, Store
from towpath_mover.transfer import PIECE, WHOLE, Limits, Work, run

# S3 has room for 10,000 parts; a few are left over for files that a store counts differently.
_MAX_PARTS = 9_900
# With the one that is being read they are what may be held at once, where a single file is all there is to send.
_PARTS_IN_FLIGHT = 7


class LocalFile(NamedTuple):
    """A regular file to send: its path in the inventory, what it was seen to be, and how to open it for reading.

    `open` may be called again for another try; the descriptor is closed by the transfer.
    """

    path: str
    size: int
    executable: bool
    open: Callable[[], int]


def upload(
    files: Iterable[LocalFile],
    store: Store,
    prefix: str,
    progress: Progress,
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> Iterator[Entry]:
    """Send all files and yield each one's entry (root 0) when its object is complete, in no order.

    `prefix` lies below the datastore's own and ends in `/`. A file that changes meanwhile is OutputChanged.
    """
    worker = Upload(store, prefix, progress)
    return run(files, Work(cost, worker.do), limits, progress.report)


def parts_of(size: int, in_flight: int = _PARTS_IN_FLIGHT) -> Parts:
    """Return in which parts an object of this size is written: those of 8 MiB are enough up to 77 GiB."""
    part = max(WHOLE, -(-size // _MAX_PARTS))
    return Parts(part, max(1, min(in_flight * WHOLE, size) // part))


def cost(file: LocalFile) -> int:
    """Return how many bytes of a file are held while it is sent."""
    if file.size <= WHOLE:
        return file.size
    parts = parts_of(file.size)
    return parts.size * (parts.in_flight + 1)


class Upload:
    """Sends files to objects below a prefix."""

    def __init__(self, store: Store, prefix: str, progress: Progress) -> None:
        self._store = store
        self._prefix = prefix
        self._progress = progress

    def do(self, file: LocalFile) -> Entry:
        """Send a file and return its entry."""
        check_path(file.path)
        key = self._prefix + file.path
        digest = patiently(self._store, lambda: self._send(file, key))
        self._progress.add(1, 0)
        return Entry(file.path, file.size, digest, executable=file.executable)

    def _send(self, file: LocalFile, key: str) -> str:
        with still(file) as descriptor:
            if file.size <= WHOLE:
                return self._send_whole(file, key, descriptor)
            return self._send_parts(file, key, descriptor)

    def _send_whole(self, file: LocalFile, key: str, descriptor: int) -> str:
        content = os.pread(descriptor, file.size + 1, 0)
        if len(content) != file.size:
            raise changed(file, len(content))
        self._store.write(key, content, executable=file.executable)
        self._progress.add(0, file.size)
        return sha256(content).hexdigest()

    def _send_parts(self, file: LocalFile, key: str, descriptor: int) -> str:
        reading = _Reading(file, descriptor, self._progress)
        self._store.write_parts(key, reading, parts_of(file.size), executable=file.executable)
        return reading.digest.hexdigest()


class _Reading:
    """A file's bytes, piece by piece, hashed as they are handed over; it must end where it was said to."""

    def __init__(self, file: LocalFile, descriptor: int, progress: Progress) -> None:
        self.digest = sha256()
        self._file = file
        self._descriptor = descriptor
        self._progress = progress

    def __iter__(self) -> Iterator[bytes]:
        offset = 0
        # One byte too many is asked for at the end: a file that has grown shows itself.
        while piece := os.pread(self._descriptor, min(PIECE, self._file.size + 1 - offset), offset):
            offset += len(piece)
            if offset > self._file.size:
                break
            self.digest.update(piece)
            self._progress.add(0, len(piece))
            yield piece
        if offset != self._file.size:
            raise changed(self._file, offset)


@contextmanager
def still(file: LocalFile) -> Iterator[int]:
    """Give a descriptor of a file; OutputChanged if something wrote into it meanwhile, which its size need not tell."""
    descriptor = file.open()
    try:
        before = os.fstat(descriptor).st_mtime_ns
        yield descriptor
        if os.fstat(descriptor).st_mtime_ns != before:
            raise _changed(file, "something wrote into it")
    finally:
        os.close(descriptor)


def changed(file: LocalFile, size: int) -> MoverFailure:
    """Return the failure of a file that has another size than it was seen to have."""
    now = f"more than {file.size}" if size > file.size else f"only {size}"
    return _changed(file, f"it had {file.size} bytes, now {now}")


def _changed(file: LocalFile, how: str) -> MoverFailure:
    message = f"The output file {shown(file.path)} changed while it was published: {how}."
    return MoverFailure(Reason.OUTPUT_CHANGED, f"{message} Let the step finish writing before it ends.")
