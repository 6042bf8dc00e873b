"""Large files on their way from a laptop: parts of 8 MiB as objects, each named by its content, joined in the end.

So an upload outlives the laptop's process and the pod: whoever begins it again sends what is not there yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from towpath.flow import store_keys
from towpath_mover.ahead import in_order
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import delete_object, object_state, read_object, write_object
from towpath_mover.retry import patiently
from towpath_mover.stores import ObjectState, Pin, Span, Store
from towpath_mover.transfer import Limits, Work
from towpath_mover.transfer_protocol import BLOCK
from towpath_mover.upload import parts_of

# Who has not come back after a week will not.
_FORGET_SECONDS = 7 * 86_400
# With the parts that the store's client holds they stay below a mover's memory.
_AHEAD = Limits(in_flight=4, bytes_in_flight=4 * BLOCK)

Count = Callable[[int], None]


class Whole(NamedTuple):
    """What the parts are to become: `parts` are their digests, in order."""

    path: str
    upload: str
    parts: Sequence[str]
    sha256: str
    size: int


class UploadParts:
    """The parts of uploads into one datastore, for a namespace."""

    def __init__(self, store: Store, namespace: str) -> None:
        self._store = store
        self._namespace = namespace
        self._is_tidy = False

    def there(self, upload: str) -> list[str]:
        """The names of an upload's parts that are there, as NUMBER-SHA256."""
        prefix = store_keys.upload_parts_prefix(self._namespace, upload)
        return [found.key.removeprefix(prefix) for found in self._store.list_objects(prefix)]

    def put(self, upload: str, number: int, content: bytes, digest: str) -> None:
        """Keep a part, whose digest was verified."""
        self._forget_old_ones()
        write_object(
            self._store, store_keys.upload_part_key(self._namespace, upload, number, digest), content
        )

    def join(self, whole: Whole, count: Count) -> ObjectState:
        """Make one object of the parts, and delete them; `count` is told how many bytes are behind it.

        An object that is there already with this content is the one whose answer was lost.
        """
        try:
            patiently(self._store, lambda: self._write(whole, count))
        except MoverFailure as failed:
            if failed.reason is not Reason.OBJECT_NOT_FOUND or not self._is_there(whole, count):
                raise
        for name in self.there(whole.upload):
            delete_object(self._store, store_keys.upload_parts_prefix(self._namespace, whole.upload) + name)
        return patiently(self._store, lambda: self._store.state(whole.path))

    def _write(self, whole: Whole, count: Count) -> None:
        self._store.write_parts(whole.path, self._pieces(whole, count), parts_of(whole.size))

    def _pieces(self, whole: Whole, count: Count) -> Iterator[bytes]:
        digest, size = sha256(), 0
        keys = (
            store_keys.upload_part_key(self._namespace, whole.upload, number, part)
            for number, part in enumerate(whole.parts)
        )
        # By threads of their own: obstore cannot read in the middle of its own write.
        reading = Work[str, bytes](lambda _: BLOCK, lambda key: read_object(self._store, key))
        for _, content in in_order(keys, reading, _AHEAD):
            digest.update(content)
            size += len(content)
            count(size)
            yield content
        # What is raised in here ends the write: an object of other bytes is never seen.
        if (size, digest.hexdigest()) != (whole.size, whole.sha256):
            message = f"The parts of {whole.path!r} are not the file that was sent."
            raise MoverFailure(Reason.OTHER_BYTES, message)

    def _is_there(self, whole: Whole, count: Count) -> bool:
        state = object_state(self._store, whole.path)
        if state is None or state.size != whole.size:
            return False
        return digest_of_object(self._store, whole.path, state, count) == whole.sha256

    def _forget_old_ones(self) -> None:
        if self._is_tidy:
            return
        self._is_tidy = True
        before = time.time() - _FORGET_SECONDS
        for found in self._store.list_objects(store_keys.upload_parts_prefix(self._namespace)):
            if found.modified is not None and found.modified < before:
                delete_object(self._store, found.key)


def digest_of_object(store: Store, key: str, state: ObjectState, count: Count) -> str:
    """The SHA-256 of an object in this state, read block by block; `count` is told how many bytes are behind it."""
    digest, pin = sha256(), Pin(state.etag, state.version)
    for start in range(0, state.size, BLOCK):
        span = Span(start, min(start + BLOCK, state.size))
        digest.update(patiently(store, partial(_block, store, key, pin, span)))
        count(span.end)
    return digest.hexdigest()


def _block(store: Store, key: str, pin: Pin, span: Span) -> memoryview:
    return store.read(key, pin, span).whole()
