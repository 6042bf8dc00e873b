"""Where files are copied to: a folder of this machine, or a datastore. A file is seen there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from towpath.backend import Store
from towpath.copy_files import CopyFile, digest_here
from towpath.errors import ChangedError, NotFoundError, UserErrorException

_FEW = 8

Count = Callable[[int], None]


class Target(Protocol):
    """A place that takes files, each by its path below it."""

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """The sizes of those of these that are there."""

    def digest_of(self, path: str) -> str:
        """The SHA-256 of what is there."""

    def put(self, file: CopyFile, path: str, count: Count) -> None:
        """Write a file, going on where an earlier try of the same was killed; `count` is told of bytes."""

    def named(self, path: str) -> str:
        """For people."""


class LocalTarget:
    """A folder of this machine; what is under way lies beside its place, under a name that tells of what."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """The sizes of those of these that are there."""
        places = {path: self._folder / path for path in paths}
        for place in places.values():
            if place.is_dir():
                raise UserErrorException(f"{place} is a folder, and a file is to be written there.")
        return {path: place.stat().st_size for path, place in places.items() if place.exists()}

    def digest_of(self, path: str) -> str:
        """The SHA-256 of what is there."""
        return digest_here(self._folder / path)

    def put(self, file: CopyFile, path: str, count: Count) -> None:
        """Write a file, going on where an earlier try of the same was killed."""
        place = self._folder / path
        with _told_as(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(_partial_name(file, place.name))
            with part.open("ab") as opened:
                there = opened.tell()
                count(there)
                for piece in file.read(there):
                    opened.write(piece)
                    count(len(piece))
            # What an earlier try left may not have reached the disk as it was, if the machine went down.
            if there and digest_here(part) != file.digest():
                part.unlink()
                raise ChangedError(
                    f"{place} was put together of two tries, and is not what is there: try again."
                )
            part.replace(place)

    def named(self, path: str) -> str:
        """For people."""
        return str(self._folder / path)


class StoreTarget:
    """All below a path of a datastore."""

    def __init__(self, store: Store, datastore: str, folder: str) -> None:
        self._store = store
        self._datastore = datastore
        self._prefix = f"{folder}/" if folder else ""

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """The sizes of those of these that are there: of a few by a request for each."""
        if len(paths) > _FEW:
            listed = self._store.list_files(self._prefix)
            there = {stored.path.removeprefix(self._prefix): stored.size for stored in listed}
            return {path: there[path] for path in paths if path in there}
        found = {}
        for path in paths:
            with suppress(NotFoundError):
                found[path] = self._store.state(self._prefix + path).size
        return found

    def digest_of(self, path: str) -> str:
        """The SHA-256 of what is there."""
        return self._store.digest(self._prefix + path)

    def put(self, file: CopyFile, path: str, count: Count) -> None:
        """Write a file; a store of a cluster sends only the parts of a large one that are not there yet."""
        self._store.write(self._prefix + path, _counted(file.read(0), count), file.size)

    def named(self, path: str) -> str:
        """For people."""
        return f"{self._datastore}:/{self._prefix}{path}"


def _counted(pieces: Iterator[bytes], count: Count) -> Iterator[bytes]:
    for piece in pieces:
        count(len(piece))
        yield piece


def _partial_name(file: CopyFile, name: str) -> str:
    # Of another state of the file it is another one: so nothing is ever put together of two.
    mark = sha256(f"{file.path}\n{file.size}\n{file.state}".encode()).hexdigest()[:16]
    return f".{name[:100]}.{mark}.towpath-partial"


class _told_as:  # noqa: N801 - reads as the word that it is
    """What the disk refuses, as the user's error that names the place."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Say what the disk refused."""
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            said = error.strerror or os.strerror(error.errno or 0)
            raise UserErrorException(f"Could not write {self._place}: {said}.") from error
