"""`sweep`: what a datastore holds that nothing refers to any more → deleted, and counted; before that, records.

Only whole attempts of steps, uploads that were begun for them and never completed, and inventories and copies of
sources. What is killed in the middle is taken up by the next sweep: what makes it count goes first, and so it stays
deletable.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from towpath.flow import store_keys
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import delete_object, write_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.open_uploads import OpenUpload, open_uploads
from towpath_mover.owner import check
from towpath_mover.pod_paths import pod_paths
from towpath_mover.progress import Progress
from towpath_mover.report import Report
from towpath_mover.stores import ListedObject, Store
from towpath_mover.sweep_attempts import Attempt, attempts_of_nobody
from towpath_mover.sweep_order import SweepOrder, sweep_order
from towpath_mover.sweep_rules import Fate, fate
from towpath_mover.sweep_sources import Leftover, leftovers

_AT_ONCE = 16
_BATCH = 1000
# What is left then is for the next sweep: no pod should delete by what was true long ago.
LONGEST_SECONDS = 3600.0
_NAMES_BYTES = 1000
_COUNTED = (
    *("attempts", "objects", "bytes", "young", "uploads"),
    *("records", "refused", "inventories", "copies"),
)
_CONDEMNED = json.dumps({"formatVersion": 1}).encode()
# Nobody writes one object for a week, also not one that belongs to somebody.
_STALE_SECONDS = 7 * 86_400


def run(
    arguments: Sequence[str],  # noqa: ARG001 - every mover has both
    environ: Mapping[str, str],
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Delete what may go, or only count it, and report how much it was."""
    paths = pod_paths(environ)
    order = sweep_order(paths, environ)
    name = order.datastore.name
    store = OpenStores({name: order.datastore}, paths.places).store(name)
    _check_owner(store, order)
    sweep = _Sweep(store, order, clock)
    sweep.write_records()
    sweep.attempts()
    sweep.sources()
    sweep.uploads(open_uploads(store, paths.places, f"{order.owner.namespace}/"))
    return sweep.report


def _check_owner(store: Store, order: SweepOrder) -> None:
    if not check(store, order.owner):
        message = (
            f"{store.where(store_keys.owner_key(order.owner.namespace))} is not there, so it is not known whose "
            "this place is, and nothing is deleted. A probe writes it: change the annotation towpath.dev/requested-at."
        )
        raise MoverFailure(Reason.OWNED_ELSEWHERE, message)


class _Sweep:
    """One sweep under way, and its report."""

    def __init__(self, store: Store, order: SweepOrder, clock: Callable[[], float]) -> None:
        self._store = store
        self._order = order
        self._clock = clock
        self._began = clock()
        self._progress = Progress("sweep")
        self.report: Report = {
            **dict.fromkeys(_COUNTED, 0),
            "dryRun": order.is_dry,
            "left": False,
            "names": [],
        }
        if order.requested is not None:
            self.report["requested"] = order.requested

    def write_records(self) -> None:
        """Write the records of runs that are to go."""
        for record in () if self._order.is_dry else self._order.records:
            key = store_keys.record_key(self._order.owner.namespace, record.run)
            write_object(self._store, key, json.dumps(record.document).encode())
            self.report["records"] += 1

    def attempts(self) -> None:
        """Delete attempts, or count them."""
        for attempt in attempts_of_nobody(self._store, self._order.rules):
            if self._is_late():
                return
            if not self._order.written_since <= attempt.written_since:
                continue
            if attempt.written_at >= self._order.written_before:
                self.report["young"] += 1
            else:
                self._take(attempt)

    def sources(self) -> None:
        """Condemn inventories and copies of sources, and delete those that were condemned before."""
        order, before = self._order, self._order.condemned_before
        for found in () if before is None else leftovers(self._store, order.rules):
            if self._is_late():
                return
            what = fate(found.life, order.written_since, order.written_before, before or 0)
            if what is Fate.GOES:
                self._take(found)
            self.report["young"] += what in (Fate.YOUNG, Fate.CONDEMNED)
            if what is Fate.CONDEMNED and not order.is_dry:
                write_object(self._store, found.note, _CONDEMNED)
            if what is Fate.FORGIVEN and not order.is_dry:
                delete_object(self._store, found.note)

    def _is_late(self) -> bool:
        if self._clock() - self._began > LONGEST_SECONDS:
            self.report["left"] = True
        return bool(self.report["left"])

    def uploads(self, found: Iterator[OpenUpload]) -> None:
        """Abort uploads that were never completed, or count them."""
        for upload in found:
            if self._is_abandoned(upload):
                if not self._order.is_dry:
                    upload.abort()
                self.report["uploads"] += 1

    def _is_abandoned(self, upload: OpenUpload) -> bool:
        if not self._order.written_since <= upload.began < self._order.written_before:
            return False
        return self._order.rules.is_of_nobody(upload.key) or upload.began < time.time() - _STALE_SECONDS

    def _take(self, found: Attempt | Leftover) -> None:
        try:
            if not self._order.is_dry:
                self._delete(found)
        except MoverFailure as failed:
            if failed.exit is not Exit.REFUSED:
                raise
            # One key that cannot be named must not keep all others.
            sys.stderr.write(f"{found.name} stays: {failed.reason}: {failed.message}\n")
            self.report["refused"] += 1
            return
        if found.counted_as and found.objects:
            self.report[found.counted_as] += 1
        self.report["objects"] += found.objects
        self.report["bytes"] += found.bytes
        self._tell(found)

    def _tell(self, found: Attempt | Leftover) -> None:
        did = "would delete" if self._order.is_dry else "deleted"
        line = {"sweep": did, "prefix": found.name, "objects": found.objects, "bytes": found.bytes}
        sys.stderr.write(json.dumps(line) + "\n")
        if sum(map(len, self.report["names"])) + len(found.name) <= _NAMES_BYTES:
            self.report["names"].append(found.name)

    def _delete(self, found: Attempt | Leftover) -> None:
        below = self._store.list_objects(found.name) if found.name.endswith("/") else iter(())
        # What says that it is condemned goes last: so the next sweep knows what one that was killed has left.
        note = found.note if isinstance(found, Leftover) else None
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            for batch in _batches(found.commits, (one for one in below if one.key != note)):
                list(workers.map(lambda found: delete_object(self._store, found.key), batch))
                self._progress.add(len(batch), sum(found.size for found in batch))
                self._progress.report()
        if note is not None:
            delete_object(self._store, note)


def _batches(
    first: Sequence[ListedObject], listed: Iterator[ListedObject]
) -> Iterator[Sequence[ListedObject]]:
    if first:
        yield first
    while batch := list(islice(listed, _BATCH)):
        yield batch
