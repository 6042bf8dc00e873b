"""`stage-in`: an attempt's order → a pod in which the user's command can run: inputs, code, context and launcher.

Every byte is verified against the pinned inventory, and publishing is tried before anything is run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from towpath.flow import names
from towpath_mover.download import Source, download
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Summary
from towpath_mover.objects import open_inventory
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import InputOrder, step_order
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.progress import Progress
from towpath_mover.report import Report
from towpath_mover.workplace import prepare
from towpath_mover.write_check import WriteChecks


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
        staged.append(_stage(given, stores, paths))
    checks.wait()
    return {
        "files": sum(summary.files for summary in staged),
        "bytes": sum(summary.bytes for summary in staged),
        "seconds": round(time.monotonic() - started, 3),
        "verified": "Bytes",
    }


def _stage(given: InputOrder, stores: OpenStores, paths: PodPaths) -> Summary:
    inventory = given.inventory
    reader = open_inventory(stores.store(inventory.datastore), inventory.path, inventory.digest)
    sources = [Source(stores.store(root.datastore), root.prefix) for root in reader.roots]
    target = paths.here(f"{names.CONTAINER_INPUTS}/{given.name}")
    # A pod whose sandbox was lost is set up again, with what the first time left.
    if not target.exists():
        progress = Progress(f"input {given.name}", given.files, given.bytes)
        download(reader.entries(), sources, target, progress)
    else:
        for _ in reader.entries():
            pass
    summary = reader.summary()
    if not summary.files and not given.allow_empty:
        message = (
            f"Input {given.name!r} has no files. Say allowEmpty: true on it if that is what the step expects."
        )
        raise MoverFailure(Reason.EMPTY_INPUT, message)
    return summary
