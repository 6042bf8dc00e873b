"""An inventory → its files in the user's cache: every byte verified, each file seen whole or not at all.

A fetch that was killed is taken up again: complete files stay, and a large one goes on where it ended.
`fetch(backend, inventory)` returns the folder with the files; `place_files(folder, target)` copies them out of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from towpath.backend import Backend, Store
from towpath.cache import cache_folder, cached_inventory, fetching
from towpath.fetched_files import FetchedFiles
from towpath.flow.contents import InventoryRef
from towpath.meter import Meter, Show, silent
from towpath.moving import LARGE_COST, move_all
from towpath.told import told
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.joined_ranges import JoinedRange, joined

_PIECE = 1 << 20


def fetch(
    backend: Backend,
    inventory: InventoryRef,
    *,
    direct: bool = False,
    show: Show = silent,
    cache: Path | None = None,
) -> Path:
    """The folder with the files of an inventory, which is fetched if it is not in the cache yet. Not to be changed.

    `direct` enters the datastore with this machine's own credentials; `show` is told how far it is.
    """
    place = cached_inventory(inventory.digest, cache or cache_folder(os.environ))
    if place.data.is_dir():
        return place.data
    with fetching(place) as partial, ExitStack() as opened:
        if partial == place.partial:
            _fetch(_Stores(backend, direct, opened), inventory, partial, show)
    return place.data


class _Stores:
    """Datastores, each entered when it is first needed."""

    def __init__(self, backend: Backend, direct: bool, opened: ExitStack) -> None:
        self._backend = backend
        self._direct = direct
        self._opened = opened
        self._stores: dict[str, Store] = {}

    def store(self, name: str) -> Store:
        if name not in self._stores:
            self._stores[name] = self._opened.enter_context(self._backend.open_store(name, self._direct))
        return self._stores[name]


def _fetch(stores: _Stores, inventory: InventoryRef, partial: Path, show: Show) -> None:
    file = partial / "inventory.jsonl.gz"
    roots, count, size = _copy_inventory(stores.store(inventory.datastore), inventory, file)
    places = [(stores.store(root.datastore), root.prefix) for root in roots]
    meter = Meter(inventory.path.rpartition("/")[0].rpartition("/")[2] or "data", count, size)
    files = FetchedFiles(partial, places, meter)
    move_all(joined(files.missing(_entries(file))), _cost, files.fetch, meter, show)
    files.tidy()


def _copy_inventory(store: Store, inventory: InventoryRef, file: Path) -> tuple[tuple[Root, ...], int, int]:
    """Keep the inventory, and read it to its end: only then is it known to be the one that was recorded."""
    with file.open("wb") as copy, told():
        reader = InventoryReader(_copied(store.read(inventory.path), copy), inventory.digest)
        for _ in reader.entries():
            pass
        summary = reader.summary()
    return reader.roots, summary.files, summary.bytes


def _copied(chunks: Iterable[bytes], copy: BinaryIO) -> Iterator[bytes]:
    for chunk in chunks:
        copy.write(chunk)
        yield chunk


def _entries(file: Path) -> Iterator[Entry]:
    with file.open("rb") as opened:
        yield from InventoryReader(iter(lambda: opened.read(_PIECE), b"")).entries()


def _cost(task: Entry | JoinedRange) -> int:
    if isinstance(task, JoinedRange):
        return task.end - task.start
    return min(task.size, LARGE_COST)
