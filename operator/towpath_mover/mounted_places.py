"""Where our own FUSE mounts lie in a pod, and the few words by which they speak with its other containers.

`made/NAME` is there since the mount was; `failed/NAME` says why it is not; `lost/NAME` says what was lost after it was.
The volume itself is what is shared: a mount is a folder in it, so that a new one is seen where the old one died.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from towpath.flow import names
from towpath_mover.pod_paths import PodPaths

_SAID_AT_MOST = 600
_UNFINISHED = ".unfinished"


class FusePlace(NamedTuple):
    """The place of one datastore's mount, below the shared volume."""

    top: Path
    name: str

    @classmethod
    def of(cls, datastore: str, paths: PodPaths) -> FusePlace:
        """Return the place of this datastore's mount in the pod."""
        return cls(paths.here(names.CONTAINER_FUSE), datastore)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.top / "mounts" / self.name

    def prepare(self) -> None:
        """Make the folders."""
        for kind in ("made", "failed", "lost", "mounts", _UNFINISHED):
            (self.top / kind).mkdir(exist_ok=True)
        self.folder.mkdir(exist_ok=True)

    def is_mounted(self) -> bool:
        """Return whether something is mounted there that answers: of a mount that died this is false."""
        try:
            return os.path.ismount(self.folder)
        except OSError:
            return False

    def was_made(self) -> bool:
        """Return whether it was ever there, in whatever life of its container."""
        return (self.top / "made" / self.name).exists()

    def tell_made(self) -> None:
        """Say that it is there."""
        (self.top / "failed" / self.name).unlink(missing_ok=True)
        self._tell("made", "")

    def tell_failed(self, words: str) -> None:
        """Say why it is not there."""
        self._tell("failed", words)

    def tell_lost(self, words: str) -> None:
        """Say what was lost; the first loss is what counts."""
        if self.lost() is None:
            self._tell("lost", words)

    def failed(self) -> str | None:
        """Return why it is not there; None: nothing was said."""
        return self._told("failed")

    def lost(self) -> str | None:
        """Return what was lost; None: nothing."""
        return self._told("lost")

    def _tell(self, kind: str, words: str) -> None:
        file = self.top / kind / self.name
        partial = self.top / _UNFINISHED / self.name
        partial.write_text(words[:_SAID_AT_MOST])
        partial.chmod(0o644)
        partial.replace(file)

    def _told(self, kind: str) -> str | None:
        try:
            return (self.top / kind / self.name).read_text()
        except (FileNotFoundError, NotADirectoryError):
            return None
