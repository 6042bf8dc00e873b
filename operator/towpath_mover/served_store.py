"""What `serve` does for a laptop in one datastore: list, look, read and write blocks, join parts, digest, delete.

Nothing is given out or written but with the digest of its bytes, and nothing is written where only Towpath writes.
"""

from __future__ import annotations

from collections.abc import Iterator

from towpath.flow import store_keys
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import delete_object, write_object
from towpath_mover.paths import check_path, shown
from towpath_mover.retry import patiently
from towpath_mover.stores import ListedObject, ObjectState, Pin, Span, Store
from towpath_mover.transfer_protocol import BLOCK, digest_of
from towpath_mover.upload_parts import Count, UploadParts, Whole, digest_of_object


class ServedStore:
    """One open store, for a namespace."""

    def __init__(self, store: Store, namespace: str) -> None:
        self._store = store
        self._namespace = namespace
        self._parts = UploadParts(store, namespace)

    def files(self, prefix: str) -> Iterator[ListedObject]:
        """Every object whose key begins with the prefix; what is no file on a volume is left out."""
        folder = prefix[: prefix.rfind("/") + 1]
        for found in self._store.list_objects(folder):
            if found.key.startswith(prefix) and found.unfit is None:
                yield found

    def state(self, path: str) -> ObjectState:
        """What the store reports of an object."""
        return patiently(self._store, lambda: self._store.state(path))

    def block(self, path: str, etag: str | None, span: Span) -> memoryview:
        """The bytes of a span of 8 MiB at most, in the state that the etag names."""
        if not 0 < span.end - span.start <= BLOCK:
            raise MoverFailure(Reason.STORE_REFUSED, f"A block has 1 to {BLOCK} bytes.")
        return patiently(self._store, lambda: self._store.read(path, Pin(etag), span).whole())

    def digest(self, path: str, count: Count) -> str:
        """The SHA-256 of an object as it is now."""
        return digest_of_object(self._store, path, self.state(path), count)

    def write(self, path: str, content: bytes, digest: str) -> ObjectState:
        """Write an object of 8 MiB at most, whose bytes must have this digest."""
        self._check_may_change(path)
        _check(content, digest)
        write_object(self._store, path, content)
        return self.state(path)

    def parts(self, upload: str, path: str) -> list[str]:
        """The parts that are there of an upload to a path; one that must not be written is refused before it begins."""
        self._check_may_change(path)
        return self._parts.there(_plain(upload))

    def put_part(self, upload: str, number: int, content: bytes, digest: str) -> None:
        """Keep a part of an upload."""
        self._check_may_write()
        _check(content, digest)
        self._parts.put(_plain(upload), number, content, digest)

    def join(self, whole: Whole, count: Count) -> ObjectState:
        """Make one object of the parts of an upload."""
        self._check_may_change(whole.path)
        _plain(whole.upload, *whole.parts)
        return self._parts.join(whole, count)

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        self._check_may_change(path)
        delete_object(self._store, path)

    def _check_may_change(self, path: str) -> None:
        self._check_may_write()
        check_path(path)
        if store_keys.is_reserved(self._namespace, path):
            message = f"{shown(path)} lies where only Towpath itself writes ({self._store.where()})."
            raise MoverFailure(Reason.RESERVED_PATH, f"{message} Take another path of this datastore.")

    def _check_may_write(self) -> None:
        if self._store.datastore.read_only:
            message = f"The Datastore {self._store.datastore.name} is readOnly: nothing is written there."
            raise MoverFailure(Reason.READ_ONLY, f"{message} Take another datastore.")


def _check(content: bytes, digest: str) -> None:
    if digest_of(content) != digest:
        message = f"{len(content)} bytes came from the laptop as others than it sent."
        raise MoverFailure(Reason.OTHER_BYTES, f"{message} See what stands on the way.")


def _plain(*digests: str) -> str:
    """The first of these, if all are what parts are named by: nothing else may become part of a key."""
    if not all(len(each) == 64 and each.isalnum() for each in digests):
        raise MoverFailure(Reason.UNSAFE_PATH, "An upload and its parts are named by digests.")
    return digests[0]
