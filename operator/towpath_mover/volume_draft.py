"""A file of a volume while it is written: under a name of its own beside its place, then renamed into it.

So it is seen whole or not at all, also when the mover is killed: what is left then goes by a name that none asks for.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress

from towpath_mover.volume_folder import PARTIAL, VolumeFolder

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_OPEN = -1
# Whoever empties a folder at this moment removes it too. Who tries again at once may go on in step with them.
_TRIES = 100
_PAUSE_SECONDS = 0.01


class Draft:
    """One file that is not there yet."""

    def __init__(self, folder: VolumeFolder, parts: Sequence[str], *, executable: bool) -> None:
        self._name = parts[-1]
        self._partial = PARTIAL + os.urandom(8).hex()
        self._parent, self._file = _NOT_OPEN, _NOT_OPEN
        self._create(folder, parts[:-1], 0o755 if executable else 0o644)

    def _create(self, folder: VolumeFolder, parts: Sequence[str], mode: int) -> None:
        for tried in range(_TRIES):
            try:
                self._parent = folder.make_folder(parts)
                self._file = os.open(self._partial, _CREATE, mode, dir_fd=self._parent)
            except OSError as error:
                self._close()
                if tried + 1 == _TRIES or not isinstance(error, FileNotFoundError):
                    raise
            else:
                return
            time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311 - no secret

    def write(self, piece: bytes | memoryview) -> None:
        """Write the next bytes."""
        view = memoryview(piece)
        while view:
            view = view[os.write(self._file, view) :]

    def publish(self) -> None:
        """Let the file appear, in the place of whatever file was there."""
        self._close_file()
        self._rename()

    def publish_new(self) -> None:
        """Let the file appear where there is none, else FileExistsError."""
        self._close_file()
        try:
            os.link(self._partial, self._name, src_dir_fd=self._parent, dst_dir_fd=self._parent)
        except FileExistsError:
            raise
        except OSError:
            # What looks like a disk and is a bucket has no hard links. For a moment the file is empty there.
            os.close(os.open(self._name, _CREATE, 0o644, dir_fd=self._parent))
            self._rename()

    def _close_file(self) -> None:
        # Some file systems say only here that there was no room for what was written.
        file, self._file = self._file, _NOT_OPEN
        os.close(file)

    def _rename(self) -> None:
        os.rename(self._partial, self._name, src_dir_fd=self._parent, dst_dir_fd=self._parent)
        self._close()

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._parent != _NOT_OPEN:
            with suppress(OSError):
                os.unlink(self._partial, dir_fd=self._parent)
        self._close()

    def _close(self) -> None:
        file, parent = self._file, self._parent
        self._file, self._parent = _NOT_OPEN, _NOT_OPEN
        for opened in (file, parent):
            if opened != _NOT_OPEN:
                with suppress(OSError):
                    os.close(opened)
