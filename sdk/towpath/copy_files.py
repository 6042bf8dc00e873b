"""One file to be copied, wherever it lies, and the files that a place stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from towpath.backend import Store, Stored
from towpath.errors import ChangedError, NotFoundError, UserErrorException
from towpath.moving import LARGE_COST
from towpath.told import told
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.paths import check_path

_PIECE = 1 << 20


@dataclass(frozen=True)
class CopyFile:
    """A file: its path in what is copied, size, a word for its state, its bytes from a place on, its SHA-256."""

    path: str
    size: int
    state: str
    read: Callable[[int], Iterator[bytes]]
    digest: Callable[[], str]


@dataclass(frozen=True)
class CopySource:
    """What is copied: one single file, or the files below a folder."""

    files: tuple[CopyFile, ...]
    is_file: bool


def files_here(place: Path) -> CopySource:
    """A file or folder of this machine. Links inside the folder that lead out of it are refused, not followed."""
    if place.is_file():
        return CopySource((_here(place, place.name),), is_file=True)
    if not place.is_dir():
        raise NotFoundError(f"There is no file or folder {place} on this machine.")
    root = place.resolve()
    found = []
    for file in sorted(place.rglob("*")):
        if file.is_file():
            if not file.resolve().is_relative_to(root):
                raise UserErrorException(f"{file} is a link that leads out of {place}: copy the file itself.")
            found.append(_here(file, file.relative_to(place).as_posix()))
    return _source(found, str(place))


def files_stored(store: Store, path: str, where: str) -> CopySource:
    """An object of a store, or all below a path of it."""
    single = _stored_object(store, path) if path else None
    if single is not None:
        return CopySource((_there(store, single, path.rpartition("/")[2]),), is_file=True)
    prefix = f"{path}/" if path else ""
    found = [
        _there(store, stored, stored.path.removeprefix(prefix))
        for stored in store.list_files(prefix)
        # What some tools put in the place of a folder.
        if not stored.path.endswith("/")
    ]
    return _source(found, where)


def cost_of(file: CopyFile) -> int:
    """How many bytes of a file are held while it is copied."""
    return min(file.size, LARGE_COST)


def digest_here(file: Path) -> str:
    """The SHA-256 of a file of this machine, in hex."""
    digest = sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _source(files: list[CopyFile], where: str) -> CopySource:
    if not files:
        raise NotFoundError(f"There are no files at {where}.")
    paths = {file.path for file in files}
    with told():
        for file in files:
            check_path(file.path)
            _check_folders(file.path, paths)
    return CopySource(tuple(files), is_file=False)


def _check_folders(path: str, paths: set[str]) -> None:
    folder = path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        if folder in paths:
            message = f"{folder!r} is a file and also the folder of {path!r}: no disk can hold both."
            raise MoverFailure(Reason.FILE_AND_FOLDER, f"{message} Rename one of them.")


def _stored_object(store: Store, path: str) -> Stored | None:
    try:
        return store.state(path)
    except NotFoundError:
        return None


def _there(store: Store, stored: Stored, path: str) -> CopyFile:
    def read(start: int) -> Iterator[bytes]:
        if start < stored.size:
            yield from store.read(stored.path, start, stored.size - start, stored.etag)

    return CopyFile(path, stored.size, stored.etag or "", read, lambda: store.digest(stored.path))


def _here(file: Path, path: str) -> CopyFile:
    status = file.stat()

    def read(start: int) -> Iterator[bytes]:
        with file.open("rb") as opened:
            opened.seek(start)
            while piece := opened.read(_PIECE):
                yield piece
        if file.stat().st_mtime_ns != status.st_mtime_ns:
            raise ChangedError(f"{file} changed while it was copied: copy it when nobody writes to it.")

    return CopyFile(path, status.st_size, str(status.st_mtime_ns), read, lambda: digest_here(file))
