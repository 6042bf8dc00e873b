"""What a step left at an output's path, read as hostile input: beside the datastore's credentials.

Everything is opened by descriptor, one name after another, and never through a link, so nothing outside the output
can be reached. Only regular files count; whatever else lies there is refused by name, without being opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from pathlib import Path
from typing import NamedTuple

from towpath_mover.beneath import FILE, descend, kind, open_parent
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.inventory_sort import in_order
from towpath_mover.paths import check_path, shown

NEAR_LIMIT = 8
_NOT_OPEN = -1

_ADVICE = (
    "Only regular files and folders can be published: write a copy of what it stands for, or leave it out."
)


class FoundFile(NamedTuple):
    """A regular file of an output: its path below the output, its size, and whether its owner may execute it."""

    path: str
    size: int
    executable: bool


class FoundOutput:
    """An output that is there: a folder of files, or one file that goes by the output's name."""

    def __init__(self, name: str, path: Path, seen_as: str) -> None:
        self._name = name
        self._seen_as = seen_as
        self._file = path.name
        # The folder from which every name is looked up: the output itself, or the one that holds its single file.
        self._anchor = _NOT_OPEN
        try:
            self._enter(path)
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:
            raise self._unreadable("", error) from error
        if not self.directory and not stat.S_ISREG(self._status.st_mode):
            raise self._unsafe("", self._status.st_mode)

    def _enter(self, path: Path) -> None:
        parent = open_parent(path)
        try:
            self._status = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
            self._anchor = descend(os.dup(parent), [path.name] if self.directory else [])
        finally:
            os.close(parent)

    def __del__(self) -> None:
        if self._anchor != _NOT_OPEN:
            os.close(self._anchor)

    @property
    def directory(self) -> bool:
        """Whether the output is a folder."""
        return stat.S_ISDIR(self._status.st_mode)

    def files(self) -> Iterator[FoundFile]:
        """Yield every file, in no order; memory grows with the folders only."""
        if not self.directory:
            yield _found(self._name, self._status)
            return
        folders = [""]
        while folders:
            yield from self._files_in(folders.pop(), folders)

    def open_file(self, path: str) -> int:
        """Return a descriptor of a file that `files` gave; what took its place meanwhile is refused."""
        below = path if self.directory else ""
        folder, _, name = below.rpartition("/")
        parent = self._open_folder(folder)
        try:
            opened = os.open(name or self._file, FILE, dir_fd=parent)
        except OSError as error:
            raise self._unreadable(below, error) from error
        finally:
            os.close(parent)
        mode = os.fstat(opened).st_mode
        if stat.S_ISREG(mode):
            return opened
        os.close(opened)
        raise self._unsafe(below, mode)

    def _files_in(self, folder: str, folders: list[str]) -> Iterator[FoundFile]:
        opened = self._open_folder(folder)
        try:
            with os.scandir(opened) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    self._check_path(path)
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        folders.append(path)
                    elif stat.S_ISREG(status.st_mode):
                        yield _found(path, status)
                    else:
                        raise self._unsafe(path, status.st_mode)
        except OSError as error:
            raise self._unreadable(folder, error) from error
        finally:
            os.close(opened)

    def _open_folder(self, folder: str) -> int:
        try:
            return descend(os.dup(self._anchor), folder.split("/") if folder else [])
        except OSError as error:
            raise self._unreadable(folder, error) from error

    def _check_path(self, path: str) -> None:
        if "\\" in path:
            # Seen with SeaweedFS: `a\\b` lands on `a/b`, and a name that ends in one becomes an empty folder.
            message = (
                f"Output {self._name!r} cannot be published. The path {shown(path)} holds a backslash, which"
            )
            raise MoverFailure(Reason.UNSAFE_PATH, f"{message} some stores take for a `/`. Rename the file.")
        try:
            check_path(path)
        except MoverFailure as refused:
            raise MoverFailure(
                refused.reason, f"Output {self._name!r} cannot be published. {refused.message}"
            ) from None

    def _shown(self, below: str) -> str:
        return shown(f"{self._seen_as}/{below}" if below else self._seen_as)

    def _unsafe(self, below: str, mode: int) -> MoverFailure:
        message = (
            f"Output {self._name!r} cannot be published: {self._shown(below)} is {kind(mode)}. {_ADVICE}"
        )
        return MoverFailure(Reason.UNSAFE_FILE, message)

    def _unreadable(self, below: str, error: OSError) -> MoverFailure:
        message = (
            f"Output {self._name!r} cannot be published: {self._shown(below)} cannot be read as UID {os.getuid()}"
            f" ({error.strerror}). Leave files readable for their owner, and nothing running that changes them."
        )
        return MoverFailure(Reason.UNREADABLE_FILE, message)


def find_output(name: str, path: Path, seen_as: str) -> FoundOutput | None:
    """Return what lies at an output's path, or None if nothing does; `seen_as` is the path that the step knows."""
    try:
        return FoundOutput(name, path, seen_as)
    except (FileNotFoundError, NotADirectoryError):
        return None


def by_path(files: Iterable[FoundFile], folder: Path) -> Iterator[FoundFile]:
    """Yield the files in the order of their paths; many of them are sorted in runs in the folder."""
    entries = (Entry(file.path, file.size, executable=file.executable) for file in files)
    for entry in in_order(entries, folder):
        yield FoundFile(entry.path, entry.size, entry.executable)


def near(path: Path, work: Path) -> str:
    """Return a sentence on what a step wrote instead of the output: beside it, or in its working directory."""
    beside = _listed_beside(path)
    sentence = f"Beside it there is {beside}." if beside else "There is nothing beside it."
    if os.path.lexists(work / path.name):
        sentence += f" The working directory holds {shown(path.name)}: was it meant?"
    return sentence


def _found(path: str, status: os.stat_result) -> FoundFile:
    return FoundFile(path, status.st_size, bool(status.st_mode & stat.S_IXUSR))


def _listed_beside(path: Path) -> str:
    # A link on the way might lead to where the credentials are; and a folder may hold millions of names.
    try:
        folder = open_parent(path)
    except OSError:
        return ""
    try:
        with os.scandir(folder) as entries:
            first = nsmallest(NEAR_LIMIT + 1, (entry.name for entry in entries))
    except OSError:
        return ""
    finally:
        os.close(folder)
    more = " and more" if len(first) > NEAR_LIMIT else ""
    return ", ".join(shown(name) for name in first[:NEAR_LIMIT]) + more
