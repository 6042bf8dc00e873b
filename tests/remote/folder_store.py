"""A backend whose every datastore is one folder, entered as a local workspace enters it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from cli.memory import MemoryBackend
from towpath.backend import Store
from towpath.opened_store import OpenedStore
from towpath_mover.stores import Datastore, Kind, Places, open_store


class FolderBackend(MemoryBackend):
    """`noted` is told from where each read begins."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def noted(self, start: int) -> None:
        """Nothing, unless a test wants to know."""

    def open_store(self, datastore: str, direct: bool = False) -> AbstractContextManager[Store]:
        del datastore, direct
        # Of a claim the mover finds the volume by the datastore's name.
        described = Datastore(self.folder.name, Kind.PERSISTENT_VOLUME_CLAIM, {"claimName": "data"})
        return nullcontext(_Noting(self, described))


class _Noting(OpenedStore):
    def __init__(self, backend: FolderBackend, described: Datastore) -> None:
        super().__init__(open_store(described, Places(volumes=backend.folder.parent)), backend.namespace)
        self._backend = backend

    def read(
        self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
    ) -> Iterator[bytes]:
        self._backend.noted(start)
        return super().read(path, start, length, etag)
