"""Files of a volume that were begun and never completed: those that killed movers left beside their places."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from towpath_mover.open_uploads import OpenUpload
from towpath_mover.store_volume import VolumeStore
from towpath_mover.stores import Places
from towpath_mover.volume_folder import PARTIAL, VolumeFolder, parts_of


def open_uploads(store: VolumeStore, places: Places, prefix: str) -> Iterator[OpenUpload]:
    """Yield what was begun below a prefix; to abort one also removes the folders that are empty then."""
    folder = VolumeFolder(places.volumes / store.datastore.name)
    waiting = [prefix.rstrip("/")]
    while waiting:
        key = waiting.pop()
        try:
            opened = folder.open_folder(parts_of(key))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise store.failure(error, "list", key) from error
        try:
            partials, folders = _found(opened)
        finally:
            os.close(opened)
        waiting.extend(f"{key}/{name}" for name in folders)
        for name, written_at in partials:
            whole = f"{key}/{name}"
            yield OpenUpload(whole, written_at, partial(_remove, store, folder, whole))


def _found(opened: int) -> tuple[list[tuple[str, float]], list[str]]:
    with os.scandir(opened) as entries:
        listed = list(entries)
        partials = [
            (entry.name, entry.stat(follow_symlinks=False).st_mtime)
            for entry in listed
            if entry.name.startswith(PARTIAL) and not entry.is_dir(follow_symlinks=False)
        ]
        return partials, [entry.name for entry in listed if entry.is_dir(follow_symlinks=False)]


def _remove(store: VolumeStore, folder: VolumeFolder, key: str) -> None:
    try:
        folder.remove(parts_of(key))
    except OSError as error:
        raise store.failure(error, "delete", key) from error
