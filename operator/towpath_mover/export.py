"""`export`: an accepted output → a copy of it at a place of the user's choice, laid out and committed as the output is.

The claim first, then the files, the inventory last: a copy is there when its inventory is. Every byte is verified on
its way, and a mover that finds its own claim goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256

from towpath.flow import store_keys
from towpath_mover.ahead import in_order
from towpath_mover.export_claim import confirm, take
from towpath_mover.export_order import ExportOrder, export_order
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_writer import write_inventory
from towpath_mover.objects import commit_object, open_inventory
from towpath_mover.open_stores import OpenStores
from towpath_mover.pinned import OTHER_DIGEST, Source, drifted, patiently_pinned, read_span, read_whole
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.progress import Progress
from towpath_mover.report import Report
from towpath_mover.retry import patiently
from towpath_mover.stores import Span, Store
from towpath_mover.transfer import WHOLE, Limits, Work
from towpath_mover.transfer import run as run_transfer
from towpath_mover.upload import parts_of

# Of one large file: the next ranges are read while those before them are sent.
_AHEAD = Limits(in_flight=2, bytes_in_flight=2 * WHOLE)


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Copy one output, unless its copy is whole already, and report how much it is."""
    started = time.monotonic()
    paths = pod_paths(environ)
    order = export_order(environ)
    stores = OpenStores(order.datastores, paths.places)
    store = stores.store(order.place.datastore)
    take(store, order.place.folder, order.claim)
    if not _is_whole(store, order, paths):
        _copy(store, order, stores, paths)
    return {
        "digest": order.inventory.digest,
        "files": order.files,
        "bytes": order.bytes,
        "seconds": round(time.monotonic() - started, 3),
    }


def _is_whole(store: Store, order: ExportOrder, paths: PodPaths) -> bool:
    """Return whether an earlier mover committed the copy, and only its report was lost."""
    key = store_keys.export_inventory_key(order.place.folder)
    try:
        for _ in open_inventory(store, key, order.inventory.digest, paths.scratch).entries():
            pass
    except MoverFailure as failed:
        if failed.reason is Reason.OBJECT_NOT_FOUND:
            return False
        raise
    return True


def _copy(store: Store, order: ExportOrder, stores: OpenStores, paths: PodPaths) -> None:
    place, inventory = order.place, order.inventory
    reader = open_inventory(
        stores.store(inventory.datastore), inventory.path, inventory.digest, paths.scratch
    )
    progress = Progress(f"export of {order.claim.output}", order.files, order.bytes)
    file = paths.scratch / f"inventory-{os.getpid()}-export"
    try:
        sources = [Source(stores.store(root.datastore), root.prefix) for root in reader.roots]
        prefix = store_keys.export_data_prefix(place.folder)
        worker = _Copying(sources, store, prefix, progress)
        copied = run_transfer(reader.entries(), Work(_cost, worker.do), Limits(), progress.report)
        write_inventory(file, [Root(place.datastore, prefix)], copied)
        # It may have been taken where two could create it at once.
        confirm(store, place.folder, order.claim)
        commit_object(store, store_keys.export_inventory_key(place.folder), file)
    finally:
        file.unlink(missing_ok=True)


def _cost(entry: Entry) -> int:
    # What was read and what is sent are two copies for a moment.
    if entry.size <= WHOLE:
        return 2 * entry.size
    parts = parts_of(entry.size)
    return parts.size * (parts.in_flight + 1) + _AHEAD.bytes_in_flight


class _Copying:
    def __init__(self, sources: Sequence[Source], target: Store, prefix: str, progress: Progress) -> None:
        self._sources = sources
        self._target = target
        self._prefix = prefix
        self._progress = progress

    def do(self, entry: Entry) -> Entry:
        source = self._sources[entry.root]
        if entry.size <= WHOLE:
            self._whole(source, entry)
        else:
            self._parts(source, entry)
        self._progress.add(1, entry.size)
        return Entry(entry.path, entry.size, entry.sha256, executable=entry.executable)

    def _whole(self, source: Source, entry: Entry) -> None:
        read = partial(read_whole, source, entry)
        content = bytes(patiently_pinned(source.store, source.prefix, entry, read))
        key = self._prefix + entry.path
        patiently(self._target, lambda: self._target.write(key, content, executable=entry.executable))

    def _parts(self, source: Source, entry: Entry) -> None:
        key, parts = self._prefix + entry.path, parts_of(entry.size)

        def write() -> None:
            pieces = _verified(source, entry)
            self._target.write_parts(key, pieces, parts, executable=entry.executable)

        patiently(self._target, write)


def _verified(source: Source, entry: Entry) -> Iterator[bytes]:
    """Yield a file's bytes; other bytes end in InputDrift, so that the write of which they are part is given up.

    They are read by other threads: the client that writes takes them where it cannot wait for a client that reads.
    """
    spans = (Span(start, min(start + WHOLE, entry.size)) for start in range(0, entry.size, WHOLE))
    reading = Work(lambda span: span.end - span.start, partial(_read, source, entry))
    digest = sha256()
    for _, block in in_order(spans, reading, _AHEAD):
        digest.update(block)
        yield bytes(block)
    if entry.sha256 not in (None, digest.hexdigest()):
        raise drifted(source.store, source.prefix, entry, OTHER_DIGEST)


def _read(source: Source, entry: Entry, span: Span) -> memoryview:
    return patiently_pinned(source.store, source.prefix, entry, partial(read_span, source, entry, span))
