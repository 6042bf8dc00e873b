"""`count-views`: views of pinned inventories → their files, bytes and disk space, before any step has started.

Each inventory is fetched once; no file that it lists is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from towpath_mover.count_order import ViewOrder, count_order
from towpath_mover.failures import MoverFailure
from towpath_mover.inventory import Summary
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import InventoryRef
from towpath_mover.pod_paths import pod_paths
from towpath_mover.report import Report
from towpath_mover.stores import Store
from towpath_mover.view import open_view

Numbered = Mapping[int, ViewOrder]


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Count views and report three numbers of each, in the order in which they were asked for."""
    paths = pod_paths(environ)
    order = count_order(environ)
    stores = OpenStores(order.datastores, paths.places)
    copy = paths.scratch / f"inventory-{os.getpid()}"
    counts: dict[int, Summary] = {}
    for inventory, views in _by_inventory(order.views).items():
        counts |= _count(stores.store(inventory.datastore), inventory, views, copy)
    found = [counts[number] for number in range(len(order.views))]
    return {"views": [[summary.files, summary.bytes, summary.scratch_bytes] for summary in found]}


def _by_inventory(views: Sequence[ViewOrder]) -> Mapping[InventoryRef, Numbered]:
    numbered: dict[InventoryRef, dict[int, ViewOrder]] = {}
    for number, view in enumerate(views):
        numbered.setdefault(view.inventory, {})[number] = view
    return numbered


def _count(store: Store, inventory: InventoryRef, views: Numbered, copy: Path) -> dict[int, Summary]:
    counts = {}
    with ExitStack() as opened:
        with _said_of(next(iter(views.values()))):
            whole = opened.enter_context(open_view(store, inventory, (), copy))
        for number, view in views.items():
            with _said_of(view):
                counts[number] = whole.with_chain(view.transforms).largest_share(view.shards)
    return counts


@contextmanager
def _said_of(view: ViewOrder) -> Iterator[None]:
    try:
        yield
    except MoverFailure as failed:
        raise MoverFailure(failed.reason, f"{view.input}: {failed.message}") from None
