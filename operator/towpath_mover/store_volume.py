"""A datastore of kind `persistentVolumeClaim` → an open store: the claim's volume, mounted in the mover's pod.

Whoever shares the volume may change anything on it at any moment: what that means for each operation is in
docs/how-to/volumes.md. Files are known by inode, time of change and size, which their file system reports.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.paths import shown
from towpath_mover.stores import (
    ANY_STATE,
    Datastore,
    ListedObject,
    ObjectState,
    Parts,
    Patience,
    Pin,
    Places,
    Span,
)
from towpath_mover.volume_draft import Draft
from towpath_mover.volume_errors import volume_failure
from towpath_mover.volume_folder import VolumeFolder, etag_of, is_executable, parts_of
from towpath_mover.volume_listing import list_files

_PIECE = 1 << 20


def open_store(datastore: Datastore, places: Places, patience: Patience) -> VolumeStore:
    """Return an open store; that nothing is mounted is a bug of who made the pod."""
    # Where there is no kubelet to mount it, its place is a link; whoever made the pod made that too.
    folder = VolumeFolder((places.volumes / datastore.name).resolve())
    return VolumeStore(datastore, folder, patience)


class VolumeStore:
    """A `Store` of files below the folder where the claim, or its `subPath`, is mounted."""

    def __init__(self, datastore: Datastore, folder: VolumeFolder, patience: Patience) -> None:
        self.datastore = datastore
        self.patience = patience
        groups = ", ".join(map(str, sorted({os.getgid(), *os.getgroups()})))
        self.identity = f"UID {os.getuid()} with the groups {groups}"
        self._folder = folder

    def where(self, key: str | None = None) -> str:
        """Return the words for the volume, or for one file on it."""
        location = self.datastore.location
        below = f"folder {location['subPath']!r} of " if "subPath" in location else ""
        place = f"{below}claim {location['claimName']!r} (Datastore {self.datastore.name})"
        return place if key is None else f"{shown(key)} in {place}"

    def read(self, key: str, pin: Pin = ANY_STATE, span: Span | None = None) -> VolumeBody:
        """Begin to read a file, or a span of it."""
        with self._refused("read", key):
            file = self._folder.open_file(parts_of(key))
        return VolumeBody(self, key, file, pin, span)

    def stream(self, key: str, pin: Pin, span: Span) -> VolumeBody:
        """Begin to read a span of a file, piece by piece."""
        return self.read(key, pin, span)

    def state(self, key: str) -> ObjectState:
        """Return what the file system reports of a file."""
        with self._refused("look at", key):
            return state_of(self._folder.status(parts_of(key)))

    def write(self, key: str, content: bytes | memoryview, *, executable: bool = False) -> None:
        """Write a file that is in memory."""
        self._write(key, (content,), executable=executable)

    def create(self, key: str, content: bytes) -> None:
        """Write a file that is in memory if there is none."""
        with self._refused("write", key), suppress(FileExistsError):
            draft = Draft(self._folder, parts_of(key), executable=False)
            try:
                draft.write(content)
                draft.publish_new()
            finally:
                draft.discard()

    def write_parts(
        self, key: str, pieces: Iterable[bytes], parts: Parts, *, executable: bool = False
    ) -> None:
        """Write a file of any size."""
        del parts
        self._write(key, pieces, executable=executable)

    def delete(self, key: str) -> None:
        """Delete a file, and the folders above it that are empty then."""
        with self._refused("delete", key):
            self._folder.remove(parts_of(key))

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[ListedObject]:
        """Yield every file whose key begins with `prefix`, by the order of keys; what is no file says so."""
        try:
            yield from list_files(self._folder, prefix, recursive=recursive)
        except OSError as error:
            # It is the folder that could not be read.
            raise self.failure(error, "list", error.filename or None) from error

    def try_list(self) -> None:
        """Read the names at the top."""
        with self._refused("list", None):
            next(list_files(self._folder, "", recursive=False), None)

    def sync(self) -> None:
        """Wait until what was written would outlive a failure of the node."""
        with self._refused("complete what was written to", None):
            self._folder.sync()

    def _write(self, key: str, pieces: Iterable[bytes | memoryview], *, executable: bool) -> None:
        with self._refused("write", key):
            draft = Draft(self._folder, parts_of(key), executable=executable)
        try:
            for piece in pieces:
                with self._refused("write", key):
                    draft.write(piece)
            with self._refused("write", key):
                draft.publish()
        finally:
            draft.discard()

    @contextmanager
    def _refused(self, doing: str, key: str | None) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self.failure(error, doing, key) from error

    def failure(self, error: OSError, doing: str, key: str | None) -> MoverFailure:
        """Return the named failure for an error of the file system."""
        return volume_failure(error, f"{doing} {self.where(key)}", self.identity, self._folder.room())


class VolumeBody:
    """A file, or a span of it, whose bytes are to be read; one that was pinned is looked at once more after that."""

    def __init__(self, store: VolumeStore, key: str, file: int, pin: Pin, span: Span | None) -> None:
        self._store = store
        self._key = key
        self._file = file
        self._pin = pin
        self._check()
        self.state = state_of(os.fstat(file))
        self._start, self._end = span or (0, self.state.size)

    def __del__(self) -> None:
        os.close(self._file)

    def whole(self) -> memoryview:
        """Return the bytes."""
        content = memoryview(bytearray(self._end - self._start))
        filled = 0
        try:
            while count := os.preadv(self._file, [content[filled:]], self._start + filled):
                filled += count
        except OSError as error:
            raise self._store.failure(error, "read", self._key) from error
        self._check()
        return content[:filled]

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes in order."""
        offset = self._start
        try:
            while piece := os.pread(self._file, min(_PIECE, self._end - offset), offset):
                offset += len(piece)
                yield piece
        except OSError as error:
            raise self._store.failure(error, "read", self._key) from error
        self._check()

    def _check(self) -> None:
        if self._pin.etag is None:
            return
        found = etag_of(os.fstat(self._file))
        if found != self._pin.etag:
            message = (
                f"Could not read {self._store.where(self._key)} as {self._store.identity}: it was changed since it was "
                f"pinned (inode, time of change and size were {self._pin.etag}, now {found}). Restore the file, or take"
                " a new version of the data and run again."
            )
            raise MoverFailure(Reason.INPUT_DRIFT, message)


def state_of(status: os.stat_result) -> ObjectState:
    """Return a file's status as stores report it."""
    return ObjectState(status.st_size, etag_of(status), None, is_executable(status))
