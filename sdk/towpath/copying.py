"""`copy(backend, source, target)`: between any two places, verified, and gone on with after a kill.

    copy(backend, "./data", "default:/raw")             the content of a folder goes below the target
    copy(backend, "default:/raw/a.csv", "./here/")      a single file keeps its name below a folder …
    copy(backend, "default:/raw/a.csv", "b.csv")        … and is the target itself, where that is none
    copy(backend, "run:iris-x7k2p/prep/clean", "other:/clean")
    copy(backend, "./data", "dataset:iris")             uploaded by content; the Dataset's next version is made of it

Files that are there already with equal content are left, and counted; other content is an error that names it before
anything is written, unless `overwrite`. UserErrorException for what cannot be, ChangedError for what changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from towpath.backend import Backend
from towpath.copy_files import CopyFile, CopySource, cost_of, files_here, files_stored
from towpath.copy_targets import LocalTarget, StoreTarget, Target
from towpath.errors import UserErrorException
from towpath.fetch import fetch
from towpath.meter import Meter, Show, silent
from towpath.moving import move_all
from towpath.pinned_places import pinned_at
from towpath.places import DatasetPlace, DatastorePlace, LocalPlace, OutputPlace, Place, parse_place
from towpath.uploaded import dataset_of, upload_by_content


@dataclass(frozen=True)
class Copied:
    """What was copied; `same` counts the files that were there already, `dataset` is the one that was applied."""

    files: int
    bytes: int
    same: int = 0
    dataset: str | None = None


class How(NamedTuple):
    """How to copy: over what is there, with this machine's own credentials, and whom to tell."""

    overwrite: bool = False
    direct: bool = False
    show: Show = silent


def copy(
    backend: Backend,
    source: str | Place,
    target: str | Place,
    *,
    overwrite: bool = False,
    direct: bool = False,
    show: Show = silent,
) -> Copied:
    """Copy the files at one place to another."""
    how = How(overwrite, direct, show)
    from_, to = (parse_place(place) if isinstance(place, str) else place for place in (source, target))
    if isinstance(to, OutputPlace):
        raise UserErrorException(
            f"{to} is no target: only a step publishes outputs. Copy to a datastore or dataset."
        )
    if isinstance(to, DatasetPlace) and to.version is not None:
        raise UserErrorException(f"{to} is no target: versions never change. Copy to dataset:{to.dataset}.")
    if from_ == to:
        raise UserErrorException(f"{from_} cannot be copied to itself.")
    with _opened_source(backend, from_, how) as files:
        if isinstance(to, DatasetPlace):
            return _to_dataset(backend, files, to, how)
        with _opened_target(backend, files, to, how) as (renamed, taking):
            return _copied(renamed, taking, f"{from_} to {to}", how)


@contextmanager
def _opened_source(backend: Backend, place: Place, how: How) -> Iterator[CopySource]:
    if isinstance(place, LocalPlace):
        yield files_here(place.path)
    elif isinstance(place, DatastorePlace):
        with backend.open_store(place.datastore, how.direct) as store:
            yield files_stored(store, place.path, str(place))
    else:
        pinned = pinned_at(backend, place)
        folder = fetch(backend, pinned.inventory, direct=how.direct, show=how.show)
        yield files_here(folder / pinned.file if pinned.file else folder)


@contextmanager
def _opened_target(
    backend: Backend, source: CopySource, place: LocalPlace | DatastorePlace, how: How
) -> Iterator[tuple[CopySource, Target]]:
    """The target, and the source with the paths that its files are to have there."""
    if isinstance(place, LocalPlace):
        is_folder = place.is_folder or place.path.is_dir() or not source.is_file
        folder, name = (place.path, None) if is_folder else (place.path.parent, place.path.name)
        yield _renamed(source, name), LocalTarget(folder)
    else:
        above, _, last = place.path.rpartition("/")
        is_folder = place.is_folder or not source.is_file
        folder_key, name = (place.path, None) if is_folder else (above, last)
        with backend.open_store(place.datastore, how.direct) as store:
            yield _renamed(source, name), StoreTarget(store, place.datastore, folder_key)


def _renamed(source: CopySource, name: str | None) -> CopySource:
    return source if name is None else replace(source, files=(replace(source.files[0], path=name),))


def _copied(source: CopySource, target: Target, what: str, how: How) -> Copied:
    wanted = _wanted(source.files, target, how.overwrite)
    size = sum(file.size for file in wanted)
    meter = Meter(what, len(wanted), size)

    def put(file: CopyFile) -> None:
        target.put(file, file.path, lambda count: meter.add(0, count))
        meter.add(1, 0)

    move_all(wanted, cost_of, put, meter, how.show)
    return Copied(len(wanted), size, len(source.files) - len(wanted))


def _wanted(files: tuple[CopyFile, ...], target: Target, overwrite: bool) -> list[CopyFile]:
    """The files that are not there yet with equal content; all is judged before anything is written."""
    wanted, sizes = [], target.sizes([file.path for file in files])
    for file in files:
        there = sizes.get(file.path)
        if there == file.size and target.digest_of(file.path) == file.digest():
            continue
        if there is not None and not overwrite:
            raise UserErrorException(
                f"{target.named(file.path)} is there already, with other content: nothing was copied. Say overwrite "
                "(--overwrite), or take another place; a dataset that has pinned it would then fail with InputDrift."
            )
        wanted.append(file)
    return wanted


def _to_dataset(backend: Backend, source: CopySource, place: DatasetPlace, how: How) -> Copied:
    uploaded = upload_by_content(backend, source, how.direct, how.show)
    backend.apply(dataset_of(backend, place.dataset, uploaded))
    return Copied(uploaded.sent, uploaded.bytes, len(source.files) - uploaded.sent, place.dataset)
