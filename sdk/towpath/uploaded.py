"""Files → `uploads/<digest>/` of the default datastore, and the Dataset whose source that is.

The place says what lies there, so nothing there ever changes, equal files are uploaded once, and an upload that was
killed sends only what is not there yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from towpath.backend import Backend, Kind, Manifest
from towpath.copy_files import CopyFile, CopySource, cost_of
from towpath.copy_targets import StoreTarget
from towpath.flow import names, store_keys
from towpath.meter import Meter, Show
from towpath.moving import move_all
from towpath.told import told
from towpath_mover.inventory import Entry, Tally


@dataclass(frozen=True)
class Uploaded:
    """Where the files lie, as the source of a Dataset names it; `sent` counts those that were not there yet."""

    datastore: str
    path: str
    digest: str
    files: int
    bytes: int
    sent: int


def upload_by_content(backend: Backend, source: CopySource, direct: bool, show: Show) -> Uploaded:
    """Upload files to the place that their content names."""
    digests = {file.path: file.digest() for file in source.files}
    digest = _digest(source, digests)
    prefix = store_keys.upload_prefix(backend.namespace, digest)
    with backend.open_store(names.DEFAULT_DATASTORE, direct) as store:
        there = {stored.path.removeprefix(prefix): stored.size for stored in store.list_files(prefix)}
        wanted = [file for file in source.files if there.get(file.path) != file.size]
        size = sum(file.size for file in wanted)
        meter = Meter(f"upload to {names.DEFAULT_DATASTORE}", len(wanted), size)

        def count(size: int) -> None:
            meter.add(0, size)

        def send(file: CopyFile) -> None:
            StoreTarget(store, names.DEFAULT_DATASTORE, prefix.rstrip("/")).put(file, file.path, count)
            meter.add(1, 0)

        move_all(wanted, cost_of, send, meter, show)
    path = prefix + source.files[0].path if source.is_file else prefix
    return Uploaded(names.DEFAULT_DATASTORE, path, digest, len(source.files), size, len(wanted))


def dataset_of(backend: Backend, name: str, uploaded: Uploaded) -> Manifest:
    """The Dataset with these files as its only source; what else it says stays."""
    found = backend.get(Kind.DATASET, name) or {}
    # By their bytes: the same files are the same version, wherever and whenever they were uploaded.
    source = {"path": uploaded.path, "datastore": uploaded.datastore, "hash": "Content"}
    return {
        "apiVersion": names.API_VERSION,
        "kind": str(Kind.DATASET),
        "metadata": {"name": name},
        "spec": {**(found.get("spec") or {}), "sources": [source]},
    }


def _digest(source: CopySource, digests: dict[str, str]) -> str:
    tally = Tally(())
    with told():
        for file in sorted(source.files, key=lambda one: one.path):
            tally.add(Entry(file.path, file.size, digests[file.path]))
    return tally.summary().digest
