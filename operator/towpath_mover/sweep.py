"""`sweep`: what a datastore holds that nothing refers to any more → deleted, and counted.

Only whole attempts of steps that wrote for a dataset; their inventories go first, so that nobody finds half of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from math import inf
from typing import NamedTuple

from towpath.flow import names
from towpath_mover.objects import delete_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.pod_paths import pod_paths
from towpath_mover.progress import Progress
from towpath_mover.report import Report
from towpath_mover.stores import ListedObject, Store
from towpath_mover.sweep_order import SweepOrder, sweep_order

_AT_ONCE = 16
_BATCH = 1000


class _Attempt(NamedTuple):
    """What lies below an attempt's prefix; `written_at` is in seconds since 1970, infinite where it is not known."""

    objects: int
    bytes: int
    written_at: float
    inventories: tuple[ListedObject, ...]


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Delete what may go, or only count it, and report how much it was."""
    order = sweep_order(environ)
    name = order.datastore.name
    store = OpenStores({name: order.datastore}, pod_paths(environ).places).store(name)
    report: Report = {"attempts": 0, "objects": 0, "bytes": 0, "young": 0}
    progress = Progress("sweep")
    for prefix in _gone(store, order):
        attempt = _look(store, prefix)
        if attempt.written_at >= order.written_before:
            report["young"] += 1
            continue
        if not order.is_dry:
            _delete(store, prefix, attempt, progress)
        report["attempts"] += 1
        report["objects"] += attempt.objects
        report["bytes"] += attempt.bytes
    return report


def _gone(store: Store, order: SweepOrder) -> Iterator[str]:
    for dataset in order.datasets:
        top = names.dataset_prefix(order.namespace, dataset)
        for folder in _folders(store, top):
            if folder[len(top) : -1] not in order.runs:
                attempts = (attempt for step in _folders(store, folder) for attempt in _folders(store, step))
                yield from (attempt for attempt in attempts if names.prefix_mark(attempt) not in order.kept)


def _folders(store: Store, prefix: str) -> list[str]:
    # All of one level before the next: a listing does not wait while others are made.
    listed = store.list_objects(prefix, recursive=False)
    return [found.key for found in listed if found.key.endswith("/") and found.key != prefix]


def _look(store: Store, prefix: str) -> _Attempt:
    objects, size, written_at, inventories = 0, 0, 0.0, []
    for found in store.list_objects(prefix):
        objects, size = objects + 1, size + found.size
        written_at = max(written_at, inf if found.modified is None else found.modified)
        if _is_inventory(found.key, prefix):
            inventories.append(found)
    return _Attempt(objects, size, written_at if objects else inf, tuple(inventories))


def _is_inventory(key: str, prefix: str) -> bool:
    step, _, attempt = prefix.rstrip("/").rpartition("/")
    first, _, rest = key[len(prefix) :].partition("/")
    if names.holds_shards(prefix):
        return key == names.output_inventory_key(prefix, first, rest.partition("/")[0])
    return key == names.output_inventory_key(f"{step}/", attempt, first)


def _delete(store: Store, prefix: str, attempt: _Attempt, progress: Progress) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        for batch in _batches(attempt.inventories, store.list_objects(prefix)):
            list(workers.map(lambda found: delete_object(store, found.key), batch))
            progress.add(len(batch), sum(found.size for found in batch))
            progress.report()


def _batches(
    first: Sequence[ListedObject], listed: Iterator[ListedObject]
) -> Iterator[Sequence[ListedObject]]:
    if first:
        yield first
    while batch := list(islice(listed, _BATCH)):
        yield batch
