"""A source that is copied (a URL, an archive, or an archive behind a URL) → the entries of its latest copy.

Looked at again, a URL is asked whether it is another one now, and an object by its ETag: what is the same stays.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from towpath_mover.archive_members import Bounds
from towpath_mover.archives import ZIP, Archive, ArchivedFile, files_of_stream, files_of_zip
from towpath_mover.byte_source import FileRanges
from towpath_mover.copies import OF_CONTENT, Copies, Copy
from towpath_mover.copy_upload import StreamedFile
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory_order import ArchiveOrder, SourceOrder
from towpath_mover.paths import check_path, shown
from towpath_mover.pod_paths import PodPaths
from towpath_mover.sources import Source, entry_of_file
from towpath_mover.store_ranges import StoreRanges
from towpath_mover.stores import Store
from towpath_mover.web import Validators, file_name, shown_url, trust
from towpath_mover.web_file import WebFile, open_web_file


class CopyPlace(NamedTuple):
    """Where copies go."""

    store: Store
    namespace: str
    paths: PodPaths


def open_url(source: SourceOrder, number: int, place: CopyPlace) -> Source:
    """Return the source behind a URL, copied first if it is new or another one now."""
    url = source.url or ""
    name = file_name(url)
    with _about(f"The URL {shown_url(url)}"):
        check_path(name)
    copies = _copies(source, place)
    latest = copies.latest()
    known = Validators(**latest.state["validators"]) if latest else None
    file = open_web_file(url, _trusted(source, place.paths), known)
    if file is not None:
        try:
            latest = _copied(source, file, copies, place.paths.scratch)
        finally:
            file.close()
    if latest is None:
        raise AssertionError("a URL that is unchanged was known before")
    with _about(f"The archive {shown_url(url)}"):
        return _source(copies, latest, number, None if source.archive else name)


def open_archive(source: SourceOrder, number: int, place: CopyPlace, store: Store) -> Source:
    """Return the source in an archive that is an object of a datastore, unpacked first if it is new."""
    root, entry = entry_of_file(source, store)
    state = {"etag": entry.etag, "version": entry.version, "size": entry.size}
    copies, what = _copies(source, place), store.where(source.path)
    latest = copies.latest()
    if latest is None or dict(latest.state) != state:
        content, archive = StoreRanges(store, entry, root.prefix), _archive(source)
        is_zip = archive.type == ZIP
        files = files_of_zip(archive, content) if is_zip else files_of_stream(archive, content.pieces())
        with _about(f"The archive {what}"):
            latest = copies.make(_streamed(files, archive, what), lambda: state, what)
    with _about(f"The archive {what}"):
        return _source(copies, latest, number, None)


def _copied(source: SourceOrder, file: WebFile, copies: Copies, scratch: Path) -> Copy:
    url, what = source.url or "", shown_url(source.url or "")
    if source.archive is None:
        only = StreamedFile(file_name(url), file.size, executable=False, pieces=file.pieces)
        return copies.make([only], lambda: _web_state(file), what)
    with _about(f"The archive {what}"):
        files = _unpacked(_archive(source), file, scratch, what)
        return copies.make(files, lambda: _web_state(file), what)


def _unpacked(archive: Archive, file: WebFile, scratch: Path, what: str) -> Iterator[StreamedFile]:
    if archive.type != ZIP:
        yield from _streamed(files_of_stream(archive, file.pieces()), archive, what)
        return
    # Its directory stands at its end.
    with _spooled(file, scratch) as descriptor:
        yield from _streamed(files_of_zip(archive, FileRanges(descriptor)), archive, what)


@contextmanager
def _spooled(file: WebFile, scratch: Path) -> Iterator[int]:
    place = scratch / f".archive-{os.getpid()}-{id(file):x}"
    with place.open("x+b") as copy:
        # Without a name nothing is left behind however the process ends.
        place.unlink()
        copy.writelines(file.pieces())
        copy.flush()
        yield copy.fileno()


def _streamed(files: Iterable[ArchivedFile], archive: Archive, what: str) -> Iterator[StreamedFile]:
    is_empty = True
    for file in files:
        is_empty = False
        yield StreamedFile(file.path, file.size, file.executable, file.pieces)
    if is_empty:
        none = f"no file matches {shown(archive.entry_glob)}" if archive.entry_glob else "there is no file"
        message = f"In the archive {what} {none}. Correct archive.entryGlob in the Dataset's source."
        raise MoverFailure(Reason.SOURCE_NOT_FOUND, message)


@contextmanager
def _about(what: str) -> Iterator[None]:
    try:
        yield
    except MoverFailure as failed:
        if failed.reason not in OF_CONTENT:
            raise
        raise MoverFailure(failed.reason, f"{what} is refused: {failed.message}") from failed


def _source(copies: Copies, latest: Copy, number: int, file: str | None) -> Source:
    if latest.refused:
        raise latest.refused
    entries = (entry._replace(root=number) for entry in copies.entries(latest))
    return Source(copies.root(latest), entries, file)


def _copies(source: SourceOrder, place: CopyPlace) -> Copies:
    return Copies(place.store, place.namespace, source.copied_as, place.paths.scratch)


def _web_state(file: WebFile) -> dict[str, Any]:
    return {"validators": file.validators._asdict(), "size": file.taken, "sha256": file.sha256}


def _archive(source: SourceOrder) -> Archive:
    order, usual = source.archive or ArchiveOrder(ZIP), Bounds()
    bounds = Bounds(
        order.max_entries or usual.entries, order.max_bytes or usual.bytes, order.max_ratio or usual.ratio
    )
    return Archive(order.type, order.entry_glob, bounds)


def _trusted(source: SourceOrder, paths: PodPaths) -> ssl.SSLContext:
    if source.ca_config_map is None:
        return trust(None)
    file = paths.source_ca(source.ca_config_map)
    why = f"ConfigMap {source.ca_config_map!r} of this namespace does not exist or has no key ca.crt"
    if file.is_file():
        try:
            return trust(file)
        except ssl.SSLError:
            why = f"the key ca.crt of ConfigMap {source.ca_config_map!r} holds no certificate in PEM"
    message = f"Could not read {shown_url(source.url or '')}: {why}, which the source's caConfigMapRef names."
    raise MoverFailure(Reason.CERTIFICATE_NOT_TRUSTED, f"{message} Write the CA's certificate there.")
