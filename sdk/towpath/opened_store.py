"""`Store` over a mover's own store that this machine can enter itself: a local workspace's, or `--direct`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256

from towpath.backend import Stored
from towpath.beside import drawn_beside
from towpath.errors import ChangedError, UserErrorException
from towpath.flow import store_keys
from towpath.told import told
from towpath_mover.paths import check_path
from towpath_mover.retry import patiently
from towpath_mover.stores import Pin, Span
from towpath_mover.stores import Store as MoverStore
from towpath_mover.upload import parts_of

_BLOCK = 8 << 20


class OpenedStore:
    """The bytes of one datastore; `namespace` is whose own folders in it nobody but Towpath writes."""

    def __init__(self, store: MoverStore, namespace: str) -> None:
        self._store = store
        self._namespace = namespace

    def list_files(self, prefix: str) -> Iterator[Stored]:
        """Every object whose path starts with the prefix; what is no file on a volume is left out."""
        folder = prefix[: prefix.rfind("/") + 1]
        with told():
            for found in self._store.list_objects(folder):
                if found.key.startswith(prefix) and found.unfit is None:
                    yield Stored(found.key, found.size, found.etag)

    def state(self, path: str) -> Stored:
        """What the store says of one object."""
        with told():
            state = patiently(self._store, lambda: self._store.state(path))
        return Stored(path, state.size, state.etag)

    def read(
        self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
    ) -> Iterator[bytes]:
        """The object's bytes, in one state of it."""
        state = self.state(path)
        end = state.size if length is None else min(state.size, start + length)
        pin = Pin(etag or state.etag)
        for begin in range(start, end, _BLOCK):
            span = Span(begin, min(begin + _BLOCK, end))
            with told():
                yield bytes(patiently(self._store, partial(self._block, path, pin, span)))

    def digest(self, path: str) -> str:
        """The SHA-256 of the object's bytes."""
        digest = sha256()
        for piece in self.read(path):
            digest.update(piece)
        return digest.hexdigest()

    def write(self, path: str, chunks: Iterable[bytes], size: int) -> Stored:
        """Write the object whole or not at all."""
        self._check_may_change(path)
        with told():
            pieces = drawn_beside(_announced(chunks, size, path))
            self._store.write_parts(path, pieces, parts_of(size))
        return self.state(path)

    def delete(self, path: str) -> None:
        """Delete the object, if it is there."""
        self._check_may_change(path)
        with told():
            patiently(self._store, lambda: self._store.delete(path))

    def _block(self, path: str, pin: Pin, span: Span) -> memoryview:
        return self._store.read(path, pin, span).whole()

    def _check_may_change(self, path: str) -> None:
        where = self._store.where()
        if self._store.datastore.read_only:
            raise UserErrorException(
                f"{where} is readOnly: nothing is written there. Take another datastore."
            )
        with told():
            check_path(path)
        if store_keys.is_reserved(self._namespace, path):
            raise UserErrorException(
                f"{path!r} lies where only Towpath itself writes ({where}). Take another path of this datastore."
            )


def _announced(chunks: Iterable[bytes], size: int, path: str) -> Iterator[bytes]:
    """The chunks; what is raised in here ends the write, so that no other number of bytes is ever seen."""
    count = 0
    for chunk in chunks:
        count += len(chunk)
        if count > size:
            break
        yield chunk
    if count != size:
        how = f"more than {size} bytes came" if count > size else f"only {count} bytes came of {size}"
        raise ChangedError(f"{path!r} changed while it was sent: {how}.")
