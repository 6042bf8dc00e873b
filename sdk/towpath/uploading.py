"""Files of this machine → a datastore: what is there with equal content is left, other content is an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from towpath.backend import Store
from towpath.datapath import DataPath, data_path_of
from towpath.datastore import Datastore
from towpath.errors import UserErrorException
from towpath.flow import globs
from towpath.meter import Meter
from towpath.transferring import differing, pieces_of, transfer_all

_LONGEST_KEY = 1024


def upload_directory(
    src_dir: str, target: Any, pattern: str | None, overwrite: bool, show_progress: bool
) -> DataPath:
    """Upload a folder's files to a place in a datastore, and return the place."""
    datastore = datastore_of(target)
    place = data_path_of(target)
    upload_folder(datastore, Path(src_dir), place.path_on_datastore, pattern, overwrite, show_progress)
    return DataPath(datastore, place.path_on_datastore)


def upload_folder(
    datastore: Datastore, folder: Path, target: str, pattern: str | None, overwrite: bool, show_progress: bool
) -> int:
    """Upload what a folder holds; return how many files that were."""
    if not folder.is_dir():
        raise UserErrorException(
            f"{str(folder)!r} is no folder: give one, or upload_files([…]) for single files."
        )
    glob = globs.parse(pattern) if pattern else None
    files = {path: file for path, file in _below(folder) if glob is None or glob.fits(path)}
    if not files:
        matching = f" that {pattern!r} matches" if pattern else ""
        raise UserErrorException(f"{str(folder)!r} has no files{matching}.")
    return _upload(datastore, files, target, overwrite, show_progress)


def upload_files(
    datastore: Datastore,
    files: list[str],
    relative_root: str | None,
    target: str,
    overwrite: bool,
    show_progress: bool,
) -> int:
    """Upload single files, each below the target as it lies below the root."""
    given = [Path(file).absolute() for file in files]
    missing = [file for file in given if not file.is_file()]
    if missing or not given:
        raise UserErrorException(f"There is no file {missing[0]}." if missing else "files is empty.")
    parents = [str(file.parent) for file in given]
    root = Path(relative_root).absolute() if relative_root else Path(os.path.commonpath(parents))
    outside = [file for file in given if not file.is_relative_to(root)]
    if outside:
        raise UserErrorException(f"{outside[0]} does not lie below relative_root {root}.")
    return _upload(
        datastore,
        {file.relative_to(root).as_posix(): file for file in given},
        target,
        overwrite,
        show_progress,
    )


def upload_bytes(datastore: Datastore, key: str, data: bytes, show_progress: bool) -> None:
    """Upload one object that is named by its content, unless it is there."""
    with datastore.workspace.backend.open_store(datastore.object_name) as store:
        if not any(one.path == key for one in store.list_files(key)):
            meter = Meter(f"to {datastore.name}:/{key}", 1, len(data))
            transfer_all([data], lambda content: _write(store, key, content, meter), meter, show_progress)


def _write(store: Store, key: str, data: bytes, meter: Meter) -> None:
    store.write(key, [data], len(data))
    meter.add(1, len(data))


def _upload(
    datastore: Datastore, files: dict[str, Path], target: str, overwrite: bool, show_progress: bool
) -> int:
    keys = {f"{target}/{path}".lstrip("/"): file for path, file in sorted(files.items())}
    _check_keys(keys)
    with datastore.workspace.backend.open_store(datastore.object_name) as store:
        wanted = {key: keys[key] for key in _wanted(store, keys, target, overwrite)}
        meter = Meter(f"to {datastore.name}:/{target}", len(wanted), _bytes(wanted))
        transfer_all(wanted.items(), lambda one: _send(store, *one, meter), meter, show_progress)
    if len(wanted) < len(keys):
        sys.stderr.write(f"{len(keys) - len(wanted)} files were there already, with equal content.\n")
    return len(wanted)


def _wanted(store: Store, keys: dict[str, Path], target: str, overwrite: bool) -> Iterator[str]:
    """Yield what is to be sent; everything is judged before anything is sent."""
    there = {} if overwrite else {one.path: one for one in store.list_files(f"{target}/" if target else "")}
    wanted = []
    for key, file in keys.items():
        if key not in there:
            wanted.append(key)
        elif differing(store, there[key], file):
            raise UserErrorException(
                f"{key} is there already, with other content: nothing was uploaded. Say overwrite=True, or another "
                "target; a dataset that has pinned it would then fail with InputDrift."
            )
    yield from wanted


def _send(store: Store, key: str, file: Path, meter: Meter) -> None:
    store.write(key, pieces_of(file, meter), file.stat().st_size)
    meter.add(1, 0)


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file


def _check_keys(keys: dict[str, Path]) -> None:
    for key in keys:
        if len(key.encode()) > _LONGEST_KEY:
            raise UserErrorException(f"{key!r} has more than {_LONGEST_KEY} bytes, which no store takes.")
        folder = key
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in keys:
                raise UserErrorException(f"{folder!r} would be a file and a folder, of {key!r}: rename one.")


def _bytes(files: dict[str, Path]) -> int:
    return sum(file.stat().st_size for file in files.values())


def datastore_of(target: Any) -> Datastore:
    """Return the Datastore object of a target; a name alone would not say in which workspace."""
    datastore = target[0] if isinstance(target, tuple) else getattr(target, "datastore", target)
    if not isinstance(datastore, Datastore):
        raise UserErrorException(
            "target is (datastore, path) or a DataPath, with the Datastore object: Datastore.get(…)."
        )
    return datastore
