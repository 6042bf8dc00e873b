"""An inventory's files → a folder: parallel, in bounded memory, every byte verified, visible only when complete."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing, LargeFile
from towpath_mover.pinned import OtherBytesError, drifted, patiently_pinned
from towpath_mover.progress import Progress
from towpath_mover.stores import Body, Pin, Span, Store
from towpath_mover.transfer import WHOLE, Limits, MiB, Work, run

# A range is held in pieces: with what the client has read ahead, about this much at a time.
_RANGE_COST = 4 * MiB
_OTHER_DIGEST = "its bytes have another SHA-256"


class Source(NamedTuple):
    """Where the files of one root lie: an open store, and the root's key prefix below the datastore's own."""

    store: Store
    prefix: str


class _Range(NamedTuple):
    file: LargeFile
    number: int
    start: int
    end: int


def download(
    entries: Iterable[Entry],
    sources: Sequence[Source],
    target: Path,
    progress: Progress,
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> None:
    """Bring all files into the folder `target`, which appears at the end, complete, or not at all.

    `sources` are those of the inventory's roots, in their order. What is wrong rises as a MoverFailure.
    """
    os.umask(0o022)
    partial_folder = target.with_name(f".{target.name}.partial")
    _clear(partial_folder)
    partial_folder.mkdir(parents=True)
    landing = Landing(partial_folder, progress.size)
    landing.check_room()
    worker = _Download(sources, landing, progress)
    for _ in run(worker.tasks(entries), Work(_cost, worker.do), limits, progress.report):
        pass
    partial_folder.rename(target)


def _clear(folder: Path) -> None:
    """Remove what a killed download left, without shutil: importing it would cost each start 3 ms."""
    # Not os.walk, which calls itself for each level: a key may have more levels than Python has calls.
    waiting, found = ([str(folder)] if folder.exists() else []), []
    while waiting:
        found.append(waiting.pop())
        for entry in os.scandir(found[-1]):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108
    for place in reversed(found):
        os.rmdir(place)  # noqa: PTH106


def _cost(task: Entry | _Range) -> int:
    return task.size if isinstance(task, Entry) else _RANGE_COST


class _Download:
    def __init__(self, sources: Sequence[Source], landing: Landing, progress: Progress) -> None:
        self._sources = sources
        self._landing = landing
        self._progress = progress

    def tasks(self, entries: Iterable[Entry]) -> Iterator[Entry | _Range]:
        """Yield small files as they are and large ones as their ranges."""
        for entry in entries:
            if entry.size <= WHOLE:
                yield entry
            else:
                yield from self._ranges(entry)

    def do(self, task: Entry | _Range) -> None:
        if isinstance(task, Entry):
            self._whole(task)
        else:
            self._range(task)

    def _ranges(self, entry: Entry) -> Iterator[_Range]:
        starts = range(0, entry.size, WHOLE)
        file = self._landing.open_large(entry, len(starts))
        for number, start in enumerate(starts):
            yield _Range(file, number, start, min(start + WHOLE, entry.size))

    def _whole(self, entry: Entry) -> None:
        source = self._sources[entry.root]
        content = patiently_pinned(source.store, source.prefix, entry, partial(self._fetch, source, entry))
        self._landing.write_whole(entry, content)
        self._progress.add(1, entry.size)

    def _fetch(self, source: Source, entry: Entry) -> memoryview:
        if entry.pack is not None and entry.size == 0:
            return memoryview(b"")
        span = Span(entry.offset or 0, (entry.offset or 0) + entry.size) if entry.pack is not None else None
        content = self._read(source, entry, span).whole()
        if len(content) != entry.size:
            raise OtherBytesError(f"{len(content)} bytes came")
        if entry.sha256 is not None and sha256(content).hexdigest() != entry.sha256:
            raise OtherBytesError(_OTHER_DIGEST)
        return content

    def _range(self, task: _Range) -> None:
        entry = task.file.entry
        source = self._sources[entry.root]
        patiently_pinned(source.store, source.prefix, entry, partial(self._stream, source, task))
        self._progress.add(0, task.end - task.start)
        if task.file.land(task.number, task.start, task.end):
            digest = task.file.close()
            if entry.sha256 not in (None, digest):
                raise drifted(source.store, source.prefix, entry, _OTHER_DIGEST)
            self._progress.add(1, 0)

    def _stream(self, source: Source, task: _Range) -> None:
        entry = task.file.entry
        offset = entry.offset or 0
        body = self._read(source, entry, Span(offset + task.start, offset + task.end))
        count = task.file.write(task.start, body.pieces())
        if count != task.end - task.start:
            raise OtherBytesError(f"{count} bytes came for a range")

    def _read(self, source: Source, entry: Entry, span: Span | None) -> Body:
        key = source.prefix + (entry.pack or entry.path)
        body = source.store.read(key, Pin(entry.etag, entry.version), span)
        # Checked before a byte is read: what has grown must not fill the memory.
        if entry.pack is None and (size := body.state.size) != entry.size:
            raise OtherBytesError(f"it has {size} bytes now")
        return body
