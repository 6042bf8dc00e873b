"""An inventory's files → a folder: parallel, in bounded memory, every byte verified, visible only when complete."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from towpath_mover.inventory import Entry
from towpath_mover.joined_ranges import JoinedRange, joined
from towpath_mover.landing import Landing, LargeFile
from towpath_mover.packed_files import packed_files
from towpath_mover.pinned import (
    OTHER_DIGEST,
    OtherBytesError,
    Source,
    drifted,
    patiently_pinned,
    read_whole,
    stream_pinned,
)
from towpath_mover.progress import Progress
from towpath_mover.stores import Span
from towpath_mover.transfer import WHOLE, Limits, MiB, Work, run

# A range is held in pieces: with what the client has read ahead, about this much at a time.
_RANGE_COST = 4 * MiB
# Each range costs its server a start: they are longer, up to so many times, where all who may read at once have one.
_LONGEST_RANGE = 4
_READERS = 16
# What an entry takes, about.
_NAMES = 512


class _Range(NamedTuple):
    file: LargeFile
    number: int
    start: int
    end: int


_Task: TypeAlias = Entry | JoinedRange | _Range


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
    with new_folder(target) as folder:
        landing = Landing(folder, progress.size)
        landing.check_room()
        worker = _Download(sources, landing, progress)
        for _ in run(worker.tasks(entries), Work(_cost, worker.do), limits, progress.report):
            pass


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes `target` at the end; after a failure `target` is not there."""
    os.umask(0o022)
    partial_folder = target.with_name(f".{target.name}.partial")
    clear(partial_folder)
    partial_folder.mkdir(parents=True)
    yield partial_folder
    partial_folder.rename(target)


def clear(folder: Path) -> None:
    """Remove a folder, such as a killed download left, without shutil: importing it would cost each start 3 ms."""
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


def _cost(task: _Task) -> int:
    if isinstance(task, Entry):
        return task.size
    if isinstance(task, JoinedRange):
        return min(task.end - task.start, _RANGE_COST) + len(task.entries) * _NAMES
    return _RANGE_COST


class _Download:
    def __init__(self, sources: Sequence[Source], landing: Landing, progress: Progress) -> None:
        self._sources = sources
        self._landing = landing
        self._progress = progress

    def tasks(self, entries: Iterable[Entry]) -> Iterator[_Task]:
        """Yield small files as they are or joined, and large ones as their ranges."""
        for task in joined(entries):
            if isinstance(task, JoinedRange) or task.size <= WHOLE:
                yield task
            else:
                yield from self._ranges(task)

    def do(self, task: _Task) -> None:
        if isinstance(task, Entry):
            self._whole(task)
        elif isinstance(task, JoinedRange):
            self._joined(task)
        else:
            self._range(task)

    def _ranges(self, entry: Entry) -> Iterator[_Range]:
        length = min(max(entry.size // (_READERS * WHOLE), 1), _LONGEST_RANGE) * WHOLE
        starts = range(0, entry.size, length)
        file = self._landing.open_large(entry, len(starts))
        for number, start in enumerate(starts):
            yield _Range(file, number, start, min(start + length, entry.size))

    def _whole(self, entry: Entry) -> None:
        source = self._sources[entry.root]
        content = patiently_pinned(source.store, source.prefix, entry, partial(read_whole, source, entry))
        self._landing.write_whole(entry, content)
        self._progress.add(1, entry.size)

    def _joined(self, task: JoinedRange) -> None:
        for entry, content in packed_files(self._sources[task.root], task):
            self._landing.write_whole(entry, content)
            self._progress.add(1, entry.size)

    def _range(self, task: _Range) -> None:
        entry = task.file.entry
        source = self._sources[entry.root]
        patiently_pinned(source.store, source.prefix, entry, partial(self._stream, source, task))
        self._progress.add(0, task.end - task.start)
        if task.file.land(task.number, task.start, task.end):
            digest = task.file.close()
            if entry.sha256 not in (None, digest):
                raise drifted(source.store, source.prefix, entry, OTHER_DIGEST)
            self._progress.add(1, 0)

    def _stream(self, source: Source, task: _Range) -> None:
        entry = task.file.entry
        offset = entry.offset or 0
        stream = stream_pinned(source, entry, Span(offset + task.start, offset + task.end))
        count = task.file.write(task.start, stream.pieces())
        if count != task.end - task.start:
            raise OtherBytesError(f"{count} bytes came for a range")
