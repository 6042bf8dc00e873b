"""An output that a step has published: where it lies, what it is, and its files on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towpath.fetch import fetch
from towpath.fetched_files import place_files
from towpath.flow.contents import InventoryRef
from towpath.meter import shown

if TYPE_CHECKING:
    from towpath.backend import Backend


class StepOutput:
    """One published output, known by the digest of its inventory (Azure ML's PortDataReference)."""

    def __init__(self, backend: Backend, step: str, published: Mapping[str, Any]) -> None:
        self._backend = backend
        self._published = published
        self.step = step
        self.name: str = published["name"]
        self.datastore: str = published["datastore"]
        self.digest: str = published["digest"]
        self.files: int = published["files"]
        self.bytes: int = published["bytes"]
        # Of an output that is one single file, the file's path in it: the output's name, unless it says otherwise.
        self.file: str | None = None if published["directory"] else published.get("file") or self.name
        # The number of the dataset version that it was registered as.
        self.version: int | None = published.get("version")

    @property
    def path_on_datastore(self) -> str:
        """Where it lies, below the datastore's prefix; small files of it may lie in packs there."""
        return str(self._published["inventory"]).rpartition("/")[0]

    @property
    def inventory(self) -> InventoryRef:
        """Its list of files."""
        return InventoryRef(self.datastore, self._published["inventory"], self.digest)

    def fetch(self, *, show_progress: bool | None = True, direct: bool = False) -> Path:
        """Return its files in the user's cache, not to be changed: the file where it is one, else a folder."""
        folder = fetch(self._backend, self.inventory, direct=direct, show=shown(show_progress))
        return folder / self.file if self.file else folder

    def download(
        self,
        local_path: str | Path,
        overwrite: bool | None = None,
        show_progress: bool | None = None,
        *,
        direct: bool = False,
    ) -> int:
        """Copy its files below a folder, by their paths in the output, and return how many they are."""
        folder = fetch(self._backend, self.inventory, direct=direct, show=shown(show_progress))
        return len(place_files(folder, Path(local_path), overwrite or False))

    def __repr__(self) -> str:
        """Show what it is."""
        return f"StepOutput({self.step}/{self.name}: {self.files} files, {self.bytes} bytes, {self.digest})"
