"""Files that stream by → objects below a prefix, and the entries that say what was sent; nothing waits on a disk.

Small files are held and sent many at a time; a large one is sent by parts while it is read, and all others wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from towpath_mover.archive_members import Piece
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.progress import Progress
from towpath_mover.retry import patiently
from towpath_mover.stores import Parts, Store
from towpath_mover.transfer import WHOLE, Limits, MiB, Work, run
from towpath_mover.upload import parts_of

# Beside what a decompressor may hold, which is 128 MiB. What a refused copy has in flight would come after its removal.
_LIMITS = Limits(in_flight=16, bytes_in_flight=24 * MiB, settle_seconds=10)
_PARTS_IN_FLIGHT = 4
# A stream of unknown length: 154 GiB of it fit into the 9,900 parts of an object.
_UNKNOWN = Parts(16 * MiB, in_flight=2)


class StreamedFile(NamedTuple):
    """A file whose bytes are taken once, when its turn comes; the size is None where nobody has said it."""

    path: str
    size: int | None
    executable: bool
    pieces: Callable[[], Iterator[Piece]]


class _Held(NamedTuple):
    path: str
    content: bytes
    executable: bool


def send(files: Iterable[StreamedFile], store: Store, prefix: str, progress: Progress) -> Iterator[Entry]:
    """Send all files and yield each one's entry (root 0) when its object is complete, in no order."""
    worker = _CopyUpload(store, prefix, progress)
    return run(worker.tasks(files), Work(_cost, worker.do), _LIMITS, progress.report)


def _cost(task: Entry | _Held) -> int:
    return len(task.content) if isinstance(task, _Held) else 0


class _CopyUpload:
    def __init__(self, store: Store, prefix: str, progress: Progress) -> None:
        self._store = store
        self._prefix = prefix
        self._progress = progress

    def tasks(self, files: Iterable[StreamedFile]) -> Iterator[Entry | _Held]:
        """Read the files one after another; those that are sent already come as entries."""
        for file in files:
            if file.size is not None and file.size <= WHOLE:
                yield _Held(file.path, b"".join(file.pieces()), file.executable)
            else:
                yield self._stream(file)

    def do(self, task: Entry | _Held) -> Entry:
        if isinstance(task, Entry):
            return task
        patiently(self._store, lambda: self._store.write(self._prefix + task.path, task.content))
        self._progress.add(1, len(task.content))
        digest = sha256(task.content).hexdigest()
        return Entry(task.path, len(task.content), digest, executable=task.executable)

    def _stream(self, file: StreamedFile) -> Entry:
        taking = _Taking(file.pieces(), self._progress)
        parts = _UNKNOWN if file.size is None else parts_of(file.size, _PARTS_IN_FLIGHT)
        # Not again where it fails: what streams by is gone.
        self._store.write_parts(self._prefix + file.path, taking, parts)
        if file.size not in (None, taking.size):
            message = f"{self._store.where(self._prefix + file.path)} got {taking.size} of {file.size} bytes."
            raise MoverFailure(Reason.STORE_UNAVAILABLE, f"{message} It is tried again.")
        self._progress.add(1, 0)
        return Entry(file.path, taking.size, taking.digest.hexdigest(), executable=file.executable)


class _Taking:
    def __init__(self, pieces: Iterator[Piece], progress: Progress) -> None:
        self.digest = sha256()
        self.size = 0
        self._pieces = pieces
        self._progress = progress

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.digest.update(piece)
            self.size += len(piece)
            self._progress.add(0, len(piece))
            yield bytes(piece)
