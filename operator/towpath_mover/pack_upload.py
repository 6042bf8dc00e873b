"""Opened files in the order of their paths → packs and plain objects, and the entries that say where each file lies."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

from towpath_mover.inventory import Entry
from towpath_mover.packs import MOST_FILES, MOST_IN_PACK, Pack, lay_out
from towpath_mover.paths import check_path
from towpath_mover.progress import Progress
from towpath_mover.retry import patiently
from towpath_mover.stores import Store
from towpath_mover.transfer import Limits, Work, run
from towpath_mover.upload import LocalFile, Upload, changed, cost, still

PLAIN_ROOT, PACKS_ROOT = 0, 1
# What the names of a file and its entry take in memory, about.
_NAMES = 1024
# Two packs at once: one is read while the other travels.
PACKING = Limits(bytes_in_flight=2 * (MOST_IN_PACK + MOST_FILES * _NAMES))


class Prefixes(NamedTuple):
    """Where an output's plain files and its packs lie: roots 0 and 1 of its inventory."""

    files: str
    packs: str


def upload_packed(
    files: Iterable[LocalFile],
    store: Store,
    prefixes: Prefixes,
    progress: Progress,
    limits: Limits = PACKING,
) -> Iterator[Entry]:
    """Send all files, small ones in packs, and yield each one's entry when its object is complete, in no order."""
    worker = _PackUpload(store, prefixes, progress)
    for entries in run(lay_out(files), Work(_cost, worker.do), limits, progress.report):
        yield from entries


def _cost(task: LocalFile | Pack[LocalFile]) -> int:
    return task.size + len(task.files) * _NAMES if isinstance(task, Pack) else cost(task)


class _PackUpload:
    def __init__(self, store: Store, prefixes: Prefixes, progress: Progress) -> None:
        self._plain = Upload(store, prefixes.files, progress)
        self._store = store
        self._prefix = prefixes.packs
        self._progress = progress

    def do(self, task: LocalFile | Pack[LocalFile]) -> list[Entry]:
        return self._pack(task) if isinstance(task, Pack) else [self._plain.do(task)]

    def _pack(self, pack: Pack[LocalFile]) -> list[Entry]:
        content = _room(pack.size)
        entries = list(_read(pack, content))
        # The same bytes at each try: what was hashed is what is sent, whatever the files have become.
        patiently(self._store, lambda: self._store.write(self._prefix + pack.name, content))
        self._progress.add(len(entries), pack.size)
        return entries


def _room(size: int) -> memoryview:
    """Return memory for a pack: in huge pages where the kernel has some, or each of its small ones is asked for."""
    mapped = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        mapped.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(mapped)[:size]


def _read(pack: Pack[LocalFile], content: memoryview) -> Iterator[Entry]:
    """Read the files into their places in `content`."""
    for file, offset in pack.placed():
        check_path(file.path)
        place = content[offset : offset + file.size]
        _read_file(file, place)
        digest = sha256(place).hexdigest()
        yield Entry(
            file.path,
            file.size,
            digest,
            executable=file.executable,
            root=PACKS_ROOT,
            pack=pack.name,
            offset=offset,
        )


def _read_file(file: LocalFile, place: memoryview) -> None:
    # One byte too many is asked for: a file that has grown shows itself.
    spare = bytearray(1)
    with still(file) as descriptor:
        count = os.preadv(descriptor, [place, spare], 0)
    if count != file.size:
        raise changed(file, count)
