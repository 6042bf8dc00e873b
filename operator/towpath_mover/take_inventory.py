"""`take-inventory`: the sources of a dataset → one inventory of what their stores report, kept by its own content.

Nothing is copied and no byte is read: files stay where they are, known by their ETags.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from towpath.flow import names
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.inventory_sort import in_order
from towpath_mover.inventory_writer import WrittenInventory, write_inventory
from towpath_mover.objects import write_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import InventoryOrder, inventory_order
from towpath_mover.paths import shown
from towpath_mover.pod_paths import pod_paths
from towpath_mover.progress import Progress
from towpath_mover.report import Report
from towpath_mover.sources import Source, open_source


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """List a dataset's sources, store the inventory and report what it is."""
    paths = pod_paths(environ)
    order = inventory_order(environ)
    stores = OpenStores(order.datastores, paths.places)
    sources = [
        open_source(source, number, stores.store(source.datastore), order.namespace)
        for number, source in enumerate(order.sources)
    ]
    file = paths.scratch / f"inventory-{os.getpid()}"
    try:
        written = _write(order, sources, file)
        key = names.source_inventory_key(order.namespace, written.document_sha256)
        write_object(stores.store(order.into), key, file)
    finally:
        file.unlink(missing_ok=True)
    return _report(order, sources, written, key)


def _write(order: InventoryOrder, sources: Sequence[Source], file: Path) -> WrittenInventory:
    entries: Iterator[Entry] = chain.from_iterable(source.entries for source in sources)
    if len(sources) > 1:
        entries = _without_collisions(in_order(entries, file.parent), order)
    counted = _counted(entries, Progress(f"dataset {order.dataset}"))
    return write_inventory(file, [source.root for source in sources], counted)


def _without_collisions(entries: Iterator[Entry], order: InventoryOrder) -> Iterator[Entry]:
    last: Entry | None = None
    for entry in entries:
        if last is not None and last.path == entry.path:
            first, second = (order.sources[root] for root in sorted((last.root, entry.root)))
            message = (
                f"Two sources of Dataset {order.dataset} have a file {shown(entry.path)}: {shown(first.path)} in"
                f" Datastore {first.datastore} and {shown(second.path)} in Datastore {second.datastore}."
                " Narrow one of them, or name the folder above both."
            )
            raise MoverFailure(Reason.DUPLICATE_PATH, message)
        yield entry
        last = entry


def _counted(entries: Iterator[Entry], progress: Progress) -> Iterator[Entry]:
    for entry in entries:
        progress.add(1, entry.size)
        progress.report()
        yield entry


def _report(order: InventoryOrder, sources: Sequence[Source], written: WrittenInventory, key: str) -> Report:
    summary = written.summary
    # A dataset is a file only if it is one file by itself, never a folder that happens to hold one.
    file = sources[0].file if len(sources) == 1 else None
    report: Report = {
        "inventory": {"datastore": order.into, "path": key, "digest": summary.digest},
        "files": summary.files,
        "bytes": summary.bytes,
        "scratchBytes": summary.scratch_bytes,
        "directory": file is None,
        "datastores": sorted({source.root.datastore for source in sources}),
    }
    return report if file is None else report | {"file": file}
