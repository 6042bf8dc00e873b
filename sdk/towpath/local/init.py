"""`towpath init --local`: a folder becomes a workspace, with a default datastore in it or in a folder of the user's."""

from __future__ import annotations

from pathlib import Path

from towpath.flow import names
from towpath.local.backend import LocalBackend
from towpath.local.datastores import apply_folder, ensure_default
from towpath.local.places import FOLDER, LocalPlaces


def init(folder: Path, data: Path | None = None) -> LocalBackend:
    """Make the workspace of this folder, if there is none; `data` is the folder that is its default datastore."""
    backend = LocalBackend(LocalPlaces(folder.resolve() / FOLDER))
    if data is not None:
        apply_folder(backend, names.DEFAULT_DATASTORE, data)
    ensure_default(backend)
    return backend
