"""A pinned inventory and an input's transforms → the entries that the step gets.

The verified inventory lies on disk and is read as often as the view asks: memory does not grow with its files.
Loaded only for inputs with transforms: exact fractions cost each start some 30 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from towpath.flow.subsets import select_files
from towpath.flow.transform_documents import read_chain
from towpath.flow.transforms import Transform, TransformError
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import OrderError
from towpath_mover.inventory import Entry, Root, Summary, Tally
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.objects import fetch_inventory
from towpath_mover.order import InventoryRef
from towpath_mover.stores import Store
from towpath_mover.transfer import PIECE


class View(NamedTuple):
    """What a chain selects of the inventory in `file`, which holds `files_in_all`."""

    roots: tuple[Root, ...]
    chain: Sequence[Transform]
    file: Path
    files_in_all: int

    def entries(self) -> Iterator[Entry]:
        """Yield the selected files in the order of their paths, each time anew."""
        try:
            yield from select_files(self.chain, self.all_entries)
        except TransformError as error:
            raise MoverFailure(Reason.VIEW_REFUSED, str(error)) from error

    def summary(self) -> Summary:
        """Return digest and counts of the selected files."""
        tally = Tally(self.roots)
        for entry in self.entries():
            tally.add(entry)
        return tally.summary()

    def largest_share(self, shards: int) -> Summary:
        """Return the files of all, and the bytes and the disk space of the shares that have most of them."""
        tallies = [Tally(self.roots) for _ in range(shards)]
        files = 0
        for entry in self.entries():
            tallies[files % shards].add(entry)
            files += 1
        sums = [tally.summary() for tally in tallies]
        most_bytes, most_disk = max(one.bytes for one in sums), max(one.scratch_bytes for one in sums)
        return Summary("", files, most_bytes, most_disk)

    def with_chain(self, transforms: Sequence[Mapping[str, Any]]) -> View:
        """Return another view of the same inventory."""
        return self._replace(chain=_chain(transforms))

    def all_entries(self) -> Iterator[Entry]:
        """Yield all files of the inventory, each time anew."""
        return InventoryReader(_pieces(self.file)).entries()


@contextmanager
def open_view(
    store: Store, inventory: InventoryRef, transforms: Sequence[Mapping[str, Any]], file: Path
) -> Iterator[View]:
    """Fetch an inventory into `file`, which is there as long as the view; InputDrift if it is another one."""
    chain = _chain(transforms)
    try:
        reader = fetch_inventory(store, inventory.path, inventory.digest, file)
        yield View(reader.roots, chain, file, reader.summary().files)
    finally:
        file.unlink(missing_ok=True)


def _chain(transforms: Sequence[Mapping[str, Any]]) -> tuple[Transform, ...]:
    try:
        return read_chain(transforms)
    except TransformError as error:
        # The planner has read them already, and written them with all their seeds.
        raise OrderError(str(error)) from error


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece
