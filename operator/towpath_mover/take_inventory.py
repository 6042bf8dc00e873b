"""`take-inventory`: the sources of a dataset → one inventory of them, kept by its own content.

Files in a datastore stay where they are, known by what their store reports, or by their bytes with `hash: Content`.
What lies behind a URL or in an archive is copied once.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from towpath.flow import names, store_keys
from towpath.flow.columns import packed
from towpath_mover import pinned
from towpath_mover.content_hash import by_content
from towpath_mover.copied_sources import CopyPlace, open_archive, open_url
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.inventory_order import InventoryOrder, SourceOrder, inventory_order
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.inventory_sort import in_order
from towpath_mover.inventory_writer import WrittenInventory, write_inventory
from towpath_mover.objects import commit_object, object_state
from towpath_mover.open_stores import OpenStores
from towpath_mover.partitioned import partitioned
from towpath_mover.paths import shown
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.progress import Progress
from towpath_mover.report import Report
from towpath_mover.sources import Source, open_source
from towpath_mover.stores import Store
from towpath_mover.transfer import PIECE
from towpath_mover.web import shown_url


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """List a dataset's sources, store the inventory and report what it is."""
    paths = pod_paths(environ)
    order = inventory_order(environ)
    stores = OpenStores(order.datastores, paths.places)
    sources = [_opened(order, number, stores, paths) for number in range(len(order.sources))]
    file = paths.scratch / f"inventory-{os.getpid()}"
    try:
        written = _write(order, sources, file)
        columns = _columns(order, sources, stores, file)
        key = _key(stores.store(order.into), order.namespace, written.document_sha256)
        commit_object(stores.store(order.into), key, file)
    finally:
        file.unlink(missing_ok=True)
    return _report(order, sources, written, key) | columns


def _key(store: Store, namespace: str, document_sha256: str) -> str:
    """Return where the inventory goes: never to a place that a sweep has condemned, and may empty at any time."""
    key = store_keys.source_inventory_key(namespace, document_sha256)
    if object_state(store, store_keys.condemned_inventory_key(key)) is None:
        return key
    return store_keys.source_inventory_key(namespace, document_sha256, secrets.token_hex(4))


def _columns(order: InventoryOrder, sources: Sequence[Source], stores: OpenStores, file: Path) -> Report:
    if order.format is None:
        return {}
    from towpath_mover.table_columns import columns_of  # noqa: PLC0415 - most datasets have no rows

    places = [pinned.Source(stores.store(one.root.datastore), one.root.prefix) for one in sources]
    with file.open("rb") as opened:
        entries = InventoryReader(iter(partial(opened.read, PIECE), b"")).entries()
        columns = columns_of(entries, places, order.format, file.with_name(f"{file.name}-ends"))
    return {"columns": packed(columns)} if columns else {}


def _opened(order: InventoryOrder, number: int, stores: OpenStores, paths: PodPaths) -> Source:
    source = order.sources[number]
    opened = _of_kind(source, number, order, stores, paths)
    if source.partition_format is None:
        return opened
    root = opened.root._replace(partition_format=source.partition_format)
    # What lies in place is known by its whole key; the prefix of a copy is ours.
    above = "" if source.url or source.archive else root.prefix
    return Source(root, partitioned(opened.entries, source.partition_format, above), opened.file)


def _of_kind(
    source: SourceOrder, number: int, order: InventoryOrder, stores: OpenStores, paths: PodPaths
) -> Source:
    if source.url or source.archive:
        place = CopyPlace(stores.store(names.DEFAULT_DATASTORE), order.namespace, paths)
        if source.url:
            return open_url(source, number, place)
        return open_archive(source, number, place, stores.store(source.datastore))
    store = stores.store(source.datastore)
    opened = open_source(source, number, store, order.namespace)
    if not source.by_content:
        return opened
    progress = Progress(f"content of {source.path}")
    return opened._replace(entries=by_content(opened.entries, store, opened.root.prefix, progress))


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
            first, second = (_named(order.sources[root]) for root in sorted((last.root, entry.root)))
            message = (
                f"Two sources of Dataset {order.dataset} have a file {shown(entry.path)}: {first} and {second}."
                " Narrow one of them, or name the folder above both."
            )
            raise MoverFailure(Reason.DUPLICATE_PATH, message)
        yield entry
        last = entry


def _named(source: SourceOrder) -> str:
    return shown_url(source.url) if source.url else f"{shown(source.path)} in Datastore {source.datastore}"


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
