"""The files of a volume below a prefix, in the order of their keys; memory grows with single folders, not with all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from towpath_mover.beneath import FOLDER, kind
from towpath_mover.paths import MAX_PATH_BYTES
from towpath_mover.stores import ListedObject
from towpath_mover.volume_folder import VolumeFolder, etag_of, is_executable, parts_of


class _Level(NamedTuple):
    """A folder on the way down: its names that are still to come, the next one last."""

    parts: list[str]
    names: list[str]


def list_files(volume: VolumeFolder, prefix: str, *, recursive: bool) -> Iterator[ListedObject]:
    """Yield what begins with the prefix; not recursive: folders too, by names with a slash at their end."""
    folder, _, beginning = prefix.rpartition("/")
    try:
        walk = _Walk(volume, parts_of(folder) if folder else [], beginning)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        yield from walk.files() if recursive else walk.level()
    finally:
        walk.close()


class _Walk:
    """Goes through folders with one of them open at a time, however deep they are."""

    def __init__(self, volume: VolumeFolder, parts: list[str], beginning: str) -> None:
        self._volume = volume
        self._open: int | None = None
        with _named(parts):
            self._open = volume.open_folder(parts)
            names = self._names(parts)
        self._levels = [_Level(parts, [name for name in names if name.startswith(beginning)])]

    def close(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None

    def level(self) -> Iterator[ListedObject]:
        """Yield what lies in the first folder."""
        parts, names = self._levels[0]
        for name in reversed(names):
            if name.endswith("/"):
                yield ListedObject("/".join([*parts, name]), 0, None)
            elif (found := self._listed(parts, name)) is not None:
                yield found

    def files(self) -> Iterator[ListedObject]:
        """Yield all that are not folders."""
        while self._levels:
            parts, names = self._levels[-1]
            if not names:
                self._levels.pop()
                self.close()
                continue
            name = names.pop()
            if name.endswith("/"):
                self._enter([*parts, name[:-1]])
            elif (found := self._listed(parts, name)) is not None:
                yield found

    def _enter(self, parts: list[str]) -> None:
        # What was removed, or replaced, since its name was read is passed over.
        with suppress(FileNotFoundError, NotADirectoryError), _named(parts):
            if sum(len(os.fsencode(part)) + 1 for part in parts) > MAX_PATH_BYTES:
                raise OSError(errno.ENAMETOOLONG, f"it is deeper than {MAX_PATH_BYTES} bytes of path")
            below = os.open(parts[-1], FOLDER, dir_fd=self._folder())
            self.close()
            self._open = below
            self._levels.append(_Level(parts, self._names(parts)))

    def _listed(self, parts: list[str], name: str) -> ListedObject | None:
        try:
            status = os.stat(name, dir_fd=self._folder(), follow_symlinks=False)
        except FileNotFoundError:
            return None
        key = "/".join([*parts, name])
        if stat.S_ISREG(status.st_mode):
            return ListedObject(
                key, status.st_size, etag_of(status), is_executable(status), modified=status.st_mtime
            )
        return ListedObject(key, 0, None, unfit=kind(status.st_mode), modified=status.st_mtime)

    def _names(self, parts: list[str]) -> list[str]:
        names = self._volume.names(self._folder(), parts)
        names.reverse()
        return names

    def _folder(self) -> int:
        if self._open is None:
            parts = self._levels[-1].parts
            with _named(parts):
                self._open = self._volume.open_folder(parts)
        return self._open


@contextmanager
def _named(parts: list[str]) -> Iterator[None]:
    """Let an error name the folder, not what it was opened by."""
    try:
        yield
    except OSError as error:
        error.filename = "/".join(parts)
        raise
