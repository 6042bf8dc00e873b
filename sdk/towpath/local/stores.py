"""A Datastore of a local workspace → its bytes for this machine's own programmes, through the movers' own stores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from towpath.api.datastore import Datastore
from towpath.backend import Kind, Store, Stored
from towpath.errors import ChangedError, NotFoundError, TowpathError, UnreachableError, UserErrorException
from towpath.flow.datastores import planned_datastore
from towpath.flow.documents import datastore_document
from towpath.local.mounts import folder_of_claim
from towpath.local.objects import ObjectFolder
from towpath.local.places import LocalPlaces
from towpath.local.variables import contents
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import Fields
from towpath_mover.stores import Parts, Pin, Places, Span, datastore_from, open_store
from towpath_mover.stores import Store as MoverStore

_PARTS = Parts(8 << 20, 4)
_TRY_LATER = (Exit.TRY_AGAIN, Exit.CREDENTIALS_REFUSED)


class LocalStore:
    """`towpath.backend.Store` over a mover's store."""

    def __init__(self, store: MoverStore) -> None:
        self._store = store

    def list_files(self, prefix: str) -> Iterator[Stored]:
        """Every object whose path starts with the prefix."""
        folder = prefix[: prefix.rfind("/") + 1]
        with _told():
            for found in self._store.list_objects(folder):
                if found.key.startswith(prefix) and found.unfit is None:
                    yield Stored(found.key, found.size, found.etag)

    def state(self, path: str) -> Stored:
        """What the store says of one object."""
        with _told():
            state = self._store.state(path)
        return Stored(path, state.size, state.etag)

    def read(
        self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
    ) -> Iterator[bytes]:
        """The object's bytes; with an etag, only of that state of it."""
        size = self.state(path).size
        end = size if length is None else min(size, start + length)
        with _told():
            if start < end:
                for piece in self._store.stream(path, Pin(etag), Span(start, end)).pieces():
                    yield bytes(piece)

    def write(self, path: str, chunks: Iterable[bytes], size: int) -> Stored:
        """Write the object whole or not at all."""
        with _told():
            self._store.write_parts(path, chunks, _PARTS)
        state = self.state(path)
        if state.size != size:
            self.delete(path)
            raise UserErrorException(f"{path}: {size} bytes were announced, and {state.size} came.")
        return state

    def delete(self, path: str) -> None:
        """Delete the object, if it is there."""
        with _told():
            self._store.delete(path)


@contextmanager
def open_local_store(item: Mapping[str, Any], objects: ObjectFolder, places: LocalPlaces) -> Iterator[Store]:
    """Enter a Datastore with what this workspace knows of its Secret, certificates and folder."""
    planned = planned_datastore(Datastore.model_validate(item))
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        entrance = Places(*(Path(folder) / part for part in ("credentials", "ca", "volumes")))
        _write(objects, Kind.SECRET, planned.credentials_secret, entrance.credentials / planned.name)
        _write(objects, Kind.CONFIG_MAP, planned.ca_config_map, entrance.ca / planned.name)
        entrance.volumes.mkdir()
        if "claimName" in planned.location:
            claim = folder_of_claim(planned.location["claimName"], objects, places)
            below = claim / (planned.location.get("subPath") or "")
            below.mkdir(parents=True, exist_ok=True)
            (entrance.volumes / planned.name).symlink_to(below)
        datastore = datastore_from(Fields(datastore_document(planned), f"Datastore {planned.name}"))
        with _told():
            store = open_store(datastore, entrance)
        yield LocalStore(store)


def _write(objects: ObjectFolder, kind: Kind, name: str | None, folder: Path) -> None:
    for key, content in (contents(objects, kind, name) or {}).items() if name else ():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key).touch(mode=0o600)
        (folder / key).write_bytes(content)


@contextmanager
def _told() -> Iterator[None]:
    """What a mover's store refuses, in the SDK's errors."""
    try:
        yield
    except MoverFailure as failed:
        raise _error(failed) from failed


def _error(failed: MoverFailure) -> TowpathError:
    if failed.reason == Reason.OBJECT_NOT_FOUND:
        return NotFoundError(failed.message)
    if failed.reason == Reason.INPUT_DRIFT:
        return ChangedError(failed.message)
    return (UnreachableError if failed.exit in _TRY_LATER else UserErrorException)(failed.message)
