"""One source of a dataset (a file, a folder, or a glob) → the entries of the objects that it means now.

Keys are hostile input: whoever may write into the bucket chose them. One that no disk could hold is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from itertools import islice
from typing import NamedTuple

from towpath.flow import store_keys
from towpath.flow.globs import is_glob, parse
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_order import SourceOrder
from towpath_mover.objects import object_state
from towpath_mover.paths import check_path, shown
from towpath_mover.stores import ListedObject, Store

NEAR_SEARCHED = 1000
NEAR_SHOWN = 5


class Source(NamedTuple):
    """What a source means: its root, its entries, and the file's name if it is one file by itself."""

    root: Root
    entries: Iterator[Entry]
    file: str | None = None


class _Selection(NamedTuple):
    base: str
    takes: Callable[[str], bool]


def open_source(source: SourceOrder, number: int, store: Store, namespace: str) -> Source:
    """Return a source of which nothing but its kind is known yet; `number` is that of its root."""
    if is_glob(source.path):
        glob = parse(source.path)
        selection = _Selection(glob.base, glob.matches)
    else:
        file = _file(source, number, store)
        if file:
            return file
        selection = _Selection(source.path.strip("/") + "/", lambda path: True)  # noqa: ARG005
    owned = () if selection.base.startswith(f"{namespace}/") else store_keys.owned_keys(namespace)
    listed = (found for found in store.list_objects(selection.base) if not found.key.startswith(owned))
    entries = _entries(listed, selection, number, store)
    return Source(Root(source.datastore, selection.base), _some(entries, source, store))


def entry_of_file(source: SourceOrder, store: Store) -> tuple[Root, Entry]:
    """Return the one object that a source names, with root 0, and its root."""
    found = _file(source, 0, store)
    if found is None or found.file is None:
        raise _not_found(source, store)
    return found.root, next(found.entries)


def _file(source: SourceOrder, number: int, store: Store) -> Source | None:
    state = None if source.path.endswith("/") else object_state(store, source.path)
    if state is None:
        return None
    folder, slash, name = source.path.rpartition("/")
    found = ListedObject(source.path, state.size, state.etag, state.executable, version=state.version)
    entry = _entry(found, name, number, store)
    return Source(Root(source.datastore, folder + slash), iter([entry]), name)


def _entries(
    listed: Iterator[ListedObject], selection: _Selection, number: int, store: Store
) -> Iterator[Entry]:
    for found in listed:
        path = found.key[len(selection.base) :]
        # Consoles mark a folder by an empty object with a slash at its end.
        is_marker = not found.size and (not path or path.endswith("/"))
        if not is_marker and selection.takes(path):
            yield _entry(found, path, number, store)


def _entry(found: ListedObject, path: str, number: int, store: Store) -> Entry:
    try:
        check_path(path)
    except MoverFailure as refused:
        message = f"A key in {store.where()} cannot become a file: {refused.message}"
        raise MoverFailure(Reason.UNSAFE_KEY, f"{message} Or narrow the Dataset's source.") from None
    if found.unfit:
        message = f"{store.where(found.key)} is {found.unfit}. Only regular files can be part of a dataset"
        raise MoverFailure(
            Reason.UNSAFE_FILE, f"{message}: put a copy there, or narrow the Dataset's source."
        )
    if found.etag is None:
        message = f"{store.where(found.key)} has no ETag, so a later change could not be seen."
        raise MoverFailure(Reason.STORE_REFUSED, f"{message} Copy the data to another store.")
    return Entry(
        path, found.size, etag=found.etag, version=found.version, executable=found.executable, root=number
    )


def _some(entries: Iterator[Entry], source: SourceOrder, store: Store) -> Iterator[Entry]:
    first = next(entries, None)
    if first is None:
        raise _not_found(source, store)
    yield first
    yield from entries


def _not_found(source: SourceOrder, store: Store) -> MoverFailure:
    sought = parse(source.path).base.rstrip("/") if is_glob(source.path) else source.path.rstrip("/")
    folder, slash, name = sought.rpartition("/")
    listed = islice(store.list_objects(folder + slash, recursive=False), NEAR_SEARCHED)
    beside = [found.key[len(folder + slash) :] for found in listed]
    near = get_close_matches(name, beside, NEAR_SHOWN, 0.5) or beside[:NEAR_SHOWN]
    hint = f"Near it there is {', '.join(map(shown, near))}." if near else "There is nothing near it either."
    kind = "No object matches" if is_glob(source.path) else "There is no object or folder"
    message = (
        f"{kind} {shown(store.datastore.prefix + source.path)} in {store.where()}, seen as {store.identity}."
    )
    return MoverFailure(
        Reason.SOURCE_NOT_FOUND, f"{message} {hint} Correct the path in the Dataset's sources."
    )
