"""`stage-in`: an attempt's order → a pod in which the user's command can run: inputs, code, context and launcher.

Every byte is verified against the pinned inventory, of which an input with transforms gets a part; publishing is
tried before anything is run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from towpath.flow import names
from towpath_mover.download import download
from towpath_mover.empty_input import empty_input
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root, Summary
from towpath_mover.objects import open_inventory
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import InputOrder, step_order
from towpath_mover.pinned import Source
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.progress import Progress
from towpath_mover.report import Report
from towpath_mover.workplace import prepare
from towpath_mover.write_check import WriteChecks

if TYPE_CHECKING:
    from towpath_mover.staged_rows import StagedRows
    from towpath_mover.view import View


# As the pod's volume for inputs is measured: its slack for a file system is twice that.
_LINK_BYTES, _SLACK = 4096, 16 << 20


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Stage one attempt in and report what was moved."""
    started = time.monotonic()
    os.umask(0o022)
    paths = pod_paths(environ)
    order = step_order(paths, environ)
    stores = OpenStores(order.datastores, paths.places)
    checks = WriteChecks(order, stores)
    prepare(order, paths)
    staged = []
    for given in order.inputs:
        checks.raise_refusal()
        staged.append(_stage(given, stores, Pod(paths, order.mounted)))
    checks.wait()
    if order.mounted:
        from towpath_mover.mount_loss import check_ours  # noqa: PLC0415 - few steps have mounts

        # What is lost already would only be told after the step.
        check_ours(order.mounted, paths)
    return {
        "files": sum(summary.files for summary in staged),
        "bytes": sum(summary.bytes for summary in staged),
        "seconds": round(time.monotonic() - started, 3),
        # Of what is mounted the names and sizes.
        "verified": "Listing" if any(given.is_mounted for given in order.inputs) else "Bytes",
    }


class Pod(NamedTuple):
    """Where everything lies, and which datastores can be read where they lie."""

    paths: PodPaths
    mounted: Mapping[str, str]


def _stage(given: InputOrder, stores: OpenStores, pod: Pod) -> Summary | StagedRows:
    if given.transforms or given.is_mounted:
        return _stage_view(given, stores, pod)
    inventory = given.inventory
    store = stores.store(inventory.datastore)
    reader = open_inventory(store, inventory.path, inventory.digest, pod.paths.scratch)
    progress = Progress(f"input {given.name}", given.files, given.bytes)
    _bring(reader.entries(), _sources(reader.roots, stores), _target(given, pod.paths), progress)
    summary = reader.summary()
    if not summary.files and not given.allow_empty:
        raise empty_input(given)
    return summary


def _stage_view(given: InputOrder, stores: OpenStores, pod: Pod) -> Summary | StagedRows:
    # Only here: what views need would cost every other start some 30 ms.
    from towpath_mover.view import open_view  # noqa: PLC0415

    store = stores.store(given.inventory.datastore)
    copy = pod.paths.scratch / f"inventory-{os.getpid()}-{given.name}"
    with open_view(store, given.inventory, given.transforms, copy) as view:
        sources, target = _sources(view.roots, stores), _target(given, pod.paths)
        if given.format is not None and given.transforms:
            from towpath_mover.staged_rows import stage_rows  # noqa: PLC0415

            return stage_rows(given, given.format, view, sources, target)
        # Counted first, so that a disk too small for the view is found before its first byte.
        summary = view.summary()
        if not summary.files and not given.allow_empty:
            raise empty_input(given, f"{view.files_in_all} files")
        if not (given.is_mounted and _link(given, view, sources, target, pod)):
            if given.is_mounted:
                _check_room(given, summary)
            progress = Progress(f"input {given.name}", summary.files, summary.bytes)
            _bring(view.entries(), sources, target, progress)
    return summary


def _link(given: InputOrder, view: View, sources: Sequence[Source], target: Path, pod: Pod) -> bool:
    """Whether the files were linked; where some lie in no mount, or in packs of an earlier run, all are brought."""
    from towpath_mover.mount_loss import explained  # noqa: PLC0415 - as views
    from towpath_mover.mounted_input import link_input, mounts_of  # noqa: PLC0415

    mounts = mounts_of(view.roots, pod.mounted, pod.paths)
    if mounts is None or any(entry.pack is not None for entry in view.entries()):
        return False
    with explained(given.name, {root.datastore for root in view.roots}, pod.mounted, pod.paths):
        link_input(given.name, view.entries, mounts, sources, target, pod.paths)
    return True


def _check_room(given: InputOrder, summary: Summary) -> None:
    """Refuse to bring what was to be mounted, and so has no room on the disk but for its links."""
    if summary.scratch_bytes <= summary.files * _LINK_BYTES + _SLACK:
        return
    message = (
        f"Input {given.name!r} cannot be mounted: some of its files lie in packs of an earlier run, or in a datastore "
        f"that is not mounted, and a copy takes {summary.scratch_bytes} bytes of the disk, which a mounted input does "
        "not have. Say mode: Download on the input, or reuse: Never on the step that wrote it."
    )
    raise MoverFailure(Reason.MOUNT_INCOMPLETE, message)


def _bring(entries: Iterable[Entry], sources: Sequence[Source], target: Path, progress: Progress) -> None:
    # A pod whose sandbox was lost is set up again, with what the first time left.
    if not target.exists():
        download(entries, sources, target, progress)
    else:
        for _ in entries:
            pass


def _sources(roots: Iterable[Root], stores: OpenStores) -> list[Source]:
    return [Source(stores.store(root.datastore), root.prefix) for root in roots]


def _target(given: InputOrder, paths: PodPaths) -> Path:
    return paths.here(f"{names.CONTAINER_INPUTS}/{given.name}")
