"""The folder where a volume is mounted: files and folders below it by their keys, whoever else writes there.

Every name on the way is opened by itself and no link is followed, so nothing outside the volume is read or written.
What goes wrong rises as an OSError with its errno, ELOOP for a link; `volume_errors.py` has the words.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from towpath_mover.beneath import FILE, FOLDER, descend

# What is being written goes by such a name: no listing shows it.
PARTIAL = ".towpath-partial-"
# Nothing writes as long: what is older was left by a mover that was killed.
_LEFTOVER_SECONDS = 24 * 3600
# What a file system keeps for itself at its top; nobody but root may look into it.
_OF_THE_FILE_SYSTEM = "lost+found/"
_NO_NAMES = frozenset(("", ".", ".."))


class NotAFileError(OSError):
    """A link, a FIFO, a socket or a device stands where a file should be."""

    def __init__(self, mode: int) -> None:
        super().__init__(errno.ELOOP, os.strerror(errno.ELOOP))
        self.mode = mode


class VolumeFolder:
    """The top of one volume, held open."""

    def __init__(self, path: Path) -> None:
        self._top = -1
        self._top = os.open(path, FOLDER)

    def __del__(self) -> None:
        if self._top != -1:
            os.close(self._top)

    def open_folder(self, parts: Sequence[str]) -> int:
        """Open a folder for looking names up in it."""
        try:
            return descend(os.dup(self._top), parts)
        except NotADirectoryError as error:
            raise self._link_among(parts) or error from None

    def make_folder(self, parts: Sequence[str]) -> int:
        """Open a folder, made where it is missing: whoever shares its group may write there."""
        try:
            return self.open_folder(parts)
        except FileNotFoundError:
            folder = os.dup(self._top)
        for part in parts:
            try:
                below = _made(part, folder)
            except NotADirectoryError as error:
                raise self._link_among(parts) or error from None
            finally:
                os.close(folder)
            folder = below
        return folder

    def open_file(self, parts: Sequence[str]) -> int:
        """Open a regular file for reading; a folder is no file, and what is neither is never opened."""
        parent = self._holder(parts)
        try:
            _check_regular(os.stat(parts[-1], dir_fd=parent, follow_symlinks=False).st_mode)
            opened = os.open(parts[-1], FILE, dir_fd=parent)
        finally:
            os.close(parent)
        try:
            _check_regular(os.fstat(opened).st_mode)
        except OSError:
            os.close(opened)
            raise
        return opened

    def status(self, parts: Sequence[str]) -> os.stat_result:
        """Return the status of a regular file."""
        parent = self._holder(parts)
        try:
            status = os.stat(parts[-1], dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(parent)
        _check_regular(status.st_mode)
        return status

    def names(self, folder: int, parts: Sequence[str]) -> list[str]:
        """Return what an open folder holds, sorted as keys are: the name of a folder ends in a slash."""
        with os.scandir(folder) as entries:
            found = (
                f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries
            )
            return sorted(name for name in found if not _is_hidden(name, is_top=not parts))

    def remove(self, parts: Sequence[str]) -> None:
        """Remove a file, and the folders above it that are empty then; what is not there is no failure."""
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            parent = self.open_folder(parts[:-1])
            try:
                os.unlink(parts[-1], dir_fd=parent)
            finally:
                os.close(parent)
        for depth in range(len(parts) - 1, 0, -1):
            if not self._remove_empty(parts[:depth]):
                return

    def room(self) -> str:
        """Return how much room there is, in words."""
        state = os.fstatvfs(self._top)
        free, total = state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize
        return f"{free} of {total} bytes and {state.f_favail} of {state.f_files} files are free"

    def sync(self) -> None:
        """Wait until all that was written to the volume's file system would outlive a failure of its machine."""
        # Only where something was written: the module costs a mover's start some milliseconds.
        import ctypes  # noqa: PLC0415

        if ctypes.CDLL(None, use_errno=True).syncfs(self._top):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def _holder(self, parts: Sequence[str]) -> int:
        """Open the folder that should hold a file; below a file there is none."""
        try:
            return self.open_folder(parts[:-1])
        except NotADirectoryError:
            raise _not_there("/".join(parts)) from None

    def _remove_empty(self, parts: Sequence[str]) -> bool:
        try:
            parent = self.open_folder(parts[:-1])
            try:
                _remove_leftovers(parts[-1], parent)
                os.rmdir(parts[-1], dir_fd=parent)
            finally:
                os.close(parent)
        except OSError:
            # It is not empty, or somebody else's to remove.
            return False
        return True

    def _link_among(self, parts: Sequence[str]) -> OSError | None:
        for depth in range(len(parts)):
            try:
                parent = descend(os.dup(self._top), parts[:depth])
            except OSError:
                return None
            try:
                mode = os.stat(parts[depth], dir_fd=parent, follow_symlinks=False).st_mode
            except OSError:
                return None
            finally:
                os.close(parent)
            if stat.S_ISLNK(mode):
                return OSError(errno.ELOOP, os.strerror(errno.ELOOP), "/".join(parts[: depth + 1]))
        return None


def parts_of(key: str) -> list[str]:
    """Return the names that lead to a key; FileNotFoundError for one that no file can have."""
    parts = key.split("/")
    if "\0" in key or not _NO_NAMES.isdisjoint(parts):
        raise _not_there(key)
    return parts


def _not_there(key: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key)


def etag_of(status: os.stat_result) -> str:
    """Return what a file is known by: its number, its time of change to the nanosecond, and its size."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def is_executable(status: os.stat_result) -> bool:
    """Return whether a file's owner may execute it."""
    return bool(status.st_mode & stat.S_IXUSR)


def _made(name: str, folder: int) -> int:
    with suppress(FileNotFoundError):
        return os.open(name, FOLDER, dir_fd=folder)
    is_new = True
    try:
        os.mkdir(name, 0o775, dir_fd=folder)
    except FileExistsError:
        is_new = False
    made = os.open(name, FOLDER, dir_fd=folder)
    if is_new:
        # The umask took the group's right, and not every file system has rights to give.
        with suppress(OSError):
            os.fchmod(made, stat.S_IMODE(os.fstat(made).st_mode) | stat.S_IWGRP)
    return made


def _check_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise _not_there("")
    raise NotAFileError(mode)


def _is_hidden(name: str, *, is_top: bool) -> bool:
    return name.startswith(PARTIAL) or (is_top and name == _OF_THE_FILE_SYSTEM)


def _remove_leftovers(name: str, parent: int) -> None:
    """Remove what killed movers left in a folder that holds nothing else."""
    folder = os.open(name, FOLDER, dir_fd=parent)
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        if all(_is_leftover(name, folder) for name in names):
            for leftover in names:
                os.unlink(leftover, dir_fd=folder)
    finally:
        os.close(folder)


def _is_leftover(name: str, folder: int) -> bool:
    if not name.startswith(PARTIAL):
        return False
    return time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime > _LEFTOVER_SECONDS
