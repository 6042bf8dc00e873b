"""Folders of this machine as Datastores: the embedded default, and overlays for places that only a cluster reaches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towpath.backend import Kind, Manifest
from towpath.errors import UserErrorException
from towpath.flow import names

if TYPE_CHECKING:
    from towpath.local.backend import LocalBackend


def apply_folder(backend: LocalBackend, name: str, folder: Path) -> Manifest:
    """Let a folder stand for the Datastore of this name, whatever it was before."""
    path = folder.expanduser().resolve()
    if not path.is_dir():
        raise UserErrorException(f"Datastore {name}: {path} is not a folder. Make it, or name another.")
    wanted = _datastore(name, os.path.relpath(path, backend.places.root))
    there = backend.objects.read(Kind.DATASTORE, name)
    if there is not None:
        if _folder_of(there) == _folder_of(wanted):
            return there
        # A place never changes: it is another datastore of the same name.
        backend.delete(Kind.DATASTORE, name)
    return backend.create(wanted)


def ensure_default(backend: LocalBackend) -> Manifest:
    """The default Datastore; the embedded one where there is none."""
    there = backend.objects.read(Kind.DATASTORE, names.DEFAULT_DATASTORE)
    if there is not None:
        return there
    backend.places.make()
    return apply_folder(backend, names.DEFAULT_DATASTORE, backend.places.store)


def is_of_this_machine(backend: LocalBackend, name: str) -> bool:
    """Whether the workspace has a Datastore of this name, with a place that is reached from here."""
    return backend.objects.read(Kind.DATASTORE, name) is not None


def _datastore(name: str, folder: str) -> Manifest:
    return {
        "apiVersion": names.API_VERSION,
        "kind": str(Kind.DATASTORE),
        "metadata": {"name": name, "annotations": {names.LOCAL_FOLDER_ANNOTATION: folder}},
        "spec": {"persistentVolumeClaim": {"claimName": f"local-{name}"}},
    }


def _folder_of(item: Manifest) -> Any:
    return (item["metadata"].get("annotations") or {}).get(names.LOCAL_FOLDER_ANNOTATION)
