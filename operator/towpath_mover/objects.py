"""Single small objects of a store: read, write, look at, delete, and inventories; every error is a named failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.retry import patiently
from towpath_mover.store_ranges import StoreRanges
from towpath_mover.stores import ObjectState, Parts, Store
from towpath_mover.transfer import PIECE, WHOLE

MAX_OBJECT = 16 << 20
_PARTS = Parts(WHOLE, in_flight=4)
SCRATCH = Path("/tmp")  # noqa: S108 - a volume of the movers' own


def read_object(store: Store, key: str) -> bytes:
    """Return the bytes of a small object."""
    return patiently(store, lambda: _read(store, key))


def write_object(store: Store, key: str, content: bytes | Path) -> None:
    """Write an object, atomically; a Path may be of any size."""
    if isinstance(content, bytes):
        patiently(store, lambda: store.write(key, content))
    elif content.stat().st_size <= WHOLE:
        write_object(store, key, content.read_bytes())
    else:
        patiently(store, lambda: store.write_parts(key, _pieces(content), _PARTS))


def create_object(store: Store, key: str, content: bytes) -> None:
    """Write a small object if there is none; whose it is shows when it is read."""
    patiently(store, lambda: store.create(key, content))


def commit_object(store: Store, key: str, content: bytes | Path) -> None:
    """Write the object that makes others count: they outlive a failure of the store's machine before it is there."""
    patiently(store, store.sync)
    write_object(store, key, content)
    patiently(store, store.sync)


def delete_object(store: Store, key: str) -> None:
    """Delete an object; one that is not there is no failure."""
    patiently(store, lambda: store.delete(key))


def object_state(store: Store, key: str) -> ObjectState | None:
    """Return what the store reports of an object, or None where there is none."""
    try:
        return patiently(store, lambda: store.state(key))
    except MoverFailure as failed:
        if failed.reason is Reason.OBJECT_NOT_FOUND:
            return None
        raise


def open_inventory(store: Store, key: str, digest: str, scratch: Path = SCRATCH) -> InventoryReader:
    """Return a reader of an inventory object that ends with InputDrift unless the content has this digest."""
    return InventoryReader(_fetched(_chunks(store, key), scratch), digest)


def fetch_inventory(store: Store, key: str, digest: str, file: Path) -> InventoryReader:
    """Copy an inventory object into a file, and return its reader, read to the end: so the digest is right."""
    with file.open("wb") as copy:
        reader = InventoryReader(_copied(_chunks(store, key), copy), digest)
        for _ in reader.entries():
            pass
    return reader


def _read(store: Store, key: str) -> bytes:
    body = store.read(key)
    if (size := body.state.size) > MAX_OBJECT:
        message = f"{store.where(key)} has {size} bytes, too many for what should be there."
        raise MoverFailure(Reason.STORE_REFUSED, message)
    return bytes(body.whole())


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


def _fetched(chunks: Iterator[bytes], scratch: Path) -> Iterator[bytes]:
    """Yield the same bytes, all fetched before the first is given; more than one chunk of them waits on disk.

    Entries are read as fast as their files are fetched, for hours if need be: no request lasts as long.
    """
    first, second = next(chunks, b""), next(chunks, None)
    if second is None:
        yield first
        return
    place = scratch / f".fetched-{os.getpid()}-{id(chunks):x}"
    with place.open("x+b") as copy:
        # Without a name nothing is left behind however the process ends.
        place.unlink()
        copy.writelines(chain((first, second), chunks))
        copy.seek(0)
        while piece := copy.read(PIECE):
            yield piece


def _copied(chunks: Iterator[bytes], copy: BinaryIO) -> Iterator[bytes]:
    for chunk in chunks:
        copy.write(chunk)
        yield chunk


def _chunks(store: Store, key: str) -> Iterator[bytes]:
    found = patiently(store, lambda: _small_or_seen(store, key))
    if isinstance(found, Entry):
        # After a cut only one range is read again, of the same state.
        yield from StoreRanges(store, found, "").pieces()
    else:
        yield bytes(found)


def _small_or_seen(store: Store, key: str) -> memoryview | Entry:
    body = store.read(key)
    state = body.state
    return (
        body.whole()
        if state.size <= WHOLE
        else Entry(key, state.size, etag=state.etag, version=state.version)
    )
