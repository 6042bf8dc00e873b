"""Registered datasets and datastores → paths, and files on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

from towpath.backend import Store, Stored
from towpath.errors import UserErrorException
from towpath.fetch import fetch
from towpath.fetched_files import place_files
from towpath.flow.contents import InventoryRef
from towpath.flow.subsets import select_files
from towpath.local_view import chain_of, place_view
from towpath.meter import Meter, shown
from towpath.told import told
from towpath.transferring import differing, transfer_all
from towpath_mover.inventory_reader import InventoryReader

if TYPE_CHECKING:
    from towpath.dataset_base import AnyDataset
    from towpath.datastore import Datastore


def paths(dataset: AnyDataset) -> list[str]:
    """Return the paths of a dataset's files, sorted, each with a leading slash; nothing but the list is fetched."""
    version = version_spec(dataset)
    inventory = version["inventory"]
    facts = dataset.facts
    assert facts is not None  # noqa: S101 - version_spec has looked
    with facts.workspace.backend.open_store(inventory["datastore"]) as store, told():
        entries = list(InventoryReader(store.read(inventory["path"]), inventory["digest"]).entries())
    return sorted(f"/{entry.path}" for entry in select_files(chain_of(dataset.transforms), lambda: entries))


def download(dataset: AnyDataset, target_path: str | None, overwrite: bool) -> list[str]:
    """Download a dataset's files to a folder, and return where they are."""
    target = Path(target_path) if target_path is not None else Path(mkdtemp(prefix="towpath-"))
    with files_of(dataset) as folder:
        return [str(file) for file in place_files(folder, target, overwrite)]


@contextmanager
def files_of(dataset: AnyDataset, show_progress: bool | None = True) -> Iterator[Path]:
    """The folder with a dataset's files, as a step would see them; not to be changed."""
    version = version_spec(dataset)
    facts = dataset.facts
    assert facts is not None  # noqa: S101 - version_spec has looked
    inventory = version["inventory"]
    pinned = InventoryRef(inventory["datastore"], inventory["path"], inventory["digest"])
    fetched = fetch(facts.workspace.backend, pinned, show=shown(show_progress))
    if not dataset.transforms:
        yield fetched
        return
    with TemporaryDirectory(prefix="towpath-") as folder:
        place_view(fetched, version, dataset.transforms, Path(folder) / "view")
        yield Path(folder) / "view"


def version_spec(dataset: AnyDataset) -> Mapping[str, Any]:
    """Return the spec of the version that a dataset stands for; an error where there is none."""
    if dataset.facts is None:
        raise UserErrorException(
            "The dataset is not registered, so nothing has looked at its files yet: call register(workspace, "
            "'name') first, or read it in a step."
        )
    if dataset.facts.version is None:
        raise UserErrorException(
            f"The dataset {dataset.name} has no version yet: see `towpath describe dataset`."
        )
    return dataset.facts.spec


def download_prefix(
    datastore: Datastore, target: Path, prefix: str, overwrite: bool, show_progress: bool
) -> int:
    """Download what begins with a prefix below a folder; return how many files that were."""
    backend = datastore.workspace.backend
    with backend.open_store(datastore.object_name) as store:
        found = [one for one in store.list_files(prefix) if not one.path.endswith("/")]
        wanted = [one for one in found if not _is_there(store, one, target / one.path, overwrite)]
        meter = Meter(f"{datastore.name}:/{prefix}", len(wanted), sum(one.size for one in wanted))
        transfer_all(wanted, lambda one: _fetch(store, one, target / one.path, meter), meter, show_progress)
    if len(found) > len(wanted):
        sys.stderr.write(f"{len(found) - len(wanted)} files were there already, with equal content.\n")
    return len(wanted)


def _is_there(store: Store, stored: Stored, file: Path, overwrite: bool) -> bool:
    if overwrite or not file.exists():
        return False
    if differing(store, stored, file):
        raise UserErrorException(
            f"{file} exists already, with other content: nothing was downloaded. Say overwrite=True, or another folder."
        )
    return True


def _fetch(store: Store, stored: Stored, file: Path, meter: Meter) -> None:
    """Bring one object; the file is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{sha256(stored.path.encode()).hexdigest()[:8]}.part")
    with part.open("wb") as written:
        for piece in store.read(stored.path, 0, None, stored.etag):
            written.write(piece)
            meter.add(0, len(piece))
    part.replace(file)
    meter.add(1, 0)
