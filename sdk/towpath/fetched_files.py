"""Single files of a fetch: from a store into the partial folder, verified, and moved to their place when complete."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from towpath.backend import Store
from towpath.errors import ChangedError, UserErrorException
from towpath.meter import Meter
from towpath_mover.inventory import Entry
from towpath_mover.joined_ranges import JoinedRange

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_PIECE = 1 << 20


class FetchedFiles:
    """The files below `data`; those that are under way lie below `parts`, under names that no file can have there."""

    def __init__(self, folder: Path, roots: Sequence[tuple[Store, str]], meter: Meter) -> None:
        self._data = folder / "data"
        self._parts = folder / "parts"
        self._roots = roots
        self._meter = meter
        self._parts.mkdir(exist_ok=True)
        self._landing = threading.Lock()
        self._was_left = any(self._data.iterdir())

    def missing(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The files that an earlier fetch has not left here; what it left is verified again, and counted."""
        for entry in entries:
            if self._was_left and self._is_there(entry):
                self._meter.add(1, entry.size)
            else:
                yield entry

    def fetch(self, task: Entry | JoinedRange) -> None:
        """Bring one file, or neighbours in a pack."""
        if isinstance(task, JoinedRange):
            self._fetch_joined(task)
        else:
            self._fetch_one(task)

    def tidy(self) -> None:
        """Remove what is of no use once all files are there."""
        shutil.rmtree(self._parts)

    def _fetch_joined(self, task: JoinedRange) -> None:
        store, prefix = self._roots[task.root]
        first = task.entries[0]
        content = memoryview(b"".join(store.read(f"{prefix}{first.pack}", task.start, task.end - task.start)))
        for entry in task.entries:
            start = (entry.offset or 0) - task.start
            with self._part(entry).open("wb") as part:
                part.write(content[start : start + entry.size])
            self._meter.add(0, entry.size)
            self._land(entry, sha256(content[start : start + entry.size]).hexdigest())

    def _fetch_one(self, entry: Entry) -> None:
        """Bring a file, going on behind what is there of it."""
        store, prefix = self._roots[entry.root]
        with self._part(entry).open("a+b") as part:
            digest, there = _digested(part.fileno(), entry.size)
            part.truncate(there)
            self._meter.add(0, there)
            start, left = (entry.offset or 0) + there, entry.size - there
            key = f"{prefix}{entry.pack or entry.path}"
            for piece in store.read(key, start, left, entry.etag) if left else ():
                part.write(piece)
                digest.update(piece)
                self._meter.add(0, len(piece))
        self._land(entry, digest.hexdigest())

    def _land(self, entry: Entry, digest: str) -> None:
        part = self._part(entry)
        size = part.stat().st_size
        if size != entry.size or entry.sha256 not in (None, digest):
            part.unlink()
            what = f"{size} bytes, {entry.size} were recorded" if size != entry.size else "other bytes"
            raise ChangedError(
                f"{entry.path!r} is not what its inventory records: {what}. See who wrote there."
            )
        part.chmod(0o555 if entry.executable else 0o444)
        target = self._data / entry.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Of two that land at once under one name, the second must find the first.
            with self._landing:
                if target.exists() and target not in target.parent.iterdir():
                    raise UserErrorException(_one_name(entry.path))
                part.replace(target)
        except OSError as error:
            raise UserErrorException(f"This disk cannot hold {entry.path!r}: {error.strerror}.") from error
        self._meter.add(1, 0)

    def _is_there(self, entry: Entry) -> bool:
        file = self._data / entry.path
        if not file.is_file() or file.stat().st_size != entry.size:
            return False
        with file.open("rb") as opened:
            return entry.sha256 in (None, _digested(opened.fileno(), entry.size)[0].hexdigest())

    def _part(self, entry: Entry) -> Path:
        return self._parts / sha256(entry.path.encode()).hexdigest()


def _one_name(path: str) -> str:
    return (
        f"This disk takes {path!r} and another file of the same inventory for one, since it does not tell capitals "
        "from small letters: set TOWPATH_CACHE to a folder on a disk that does."
    )


def _digested(descriptor: int, most: int) -> tuple[Hash, int]:
    """The digest of what is there of a file, and how much that is."""
    digest, there = sha256(), 0
    while piece := os.pread(descriptor, min(_PIECE, most - there), there):
        digest.update(piece)
        there += len(piece)
    return digest, there


def place_files(folder: Path, target: Path, overwrite: bool = False) -> list[Path]:
    """Copy fetched files below `target`, and return where they are; nothing is copied if one is there already."""
    files = sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    taken = [] if overwrite else [file for file in files if os.path.lexists(target / file)]
    if taken:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise UserErrorException(
            f"{target / taken[0]}{more} exist already: nothing was downloaded. Say overwrite=True, or another folder."
        )
    for file in files:
        place = target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            place.unlink()
        shutil.copyfile(folder / file, place)
        place.chmod((folder / file).stat().st_mode | 0o200)
    return [target / file for file in files]
