"""Where a local workspace keeps everything: one folder `.towpath`, with objects, the embedded store, logs and pods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = ".towpath"
NAMESPACE = "local"
# What a store says of its owner: no cluster's UID looks like it.
CLUSTER_ID = "local"


@dataclass(frozen=True)
class LocalPlaces:
    """The folders and files below `root`, the `.towpath` itself."""

    root: Path

    @property
    def objects(self) -> Path:
        """One folder per kind, one JSON file per object."""
        return self.root / "objects"

    @property
    def store(self) -> Path:
        """The bytes of the embedded default datastore."""
        return self.root / "store"

    @property
    def logs(self) -> Path:
        """What containers said, by run, step and attempt."""
        return self.root / "logs"

    @property
    def pods(self) -> Path:
        """The folders of what runs now."""
        return self.root / "pods"

    @property
    def programs(self) -> Path:
        """Programs that steps find first, where the machine lacks them."""
        return self.root / "bin"

    @property
    def operator_lock(self) -> Path:
        """Held by the process that reconciles this workspace."""
        return self.root / "operator.lock"

    @property
    def operator_log(self) -> Path:
        """What that process logs."""
        return self.root / "operator.log"

    def make(self) -> None:
        """Make what is missing; what lies here is no part of anybody's repository."""
        for folder in (self.objects, self.store, self.logs, self.pods):
            folder.mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")


def find_places(start: Path) -> LocalPlaces:
    """The workspace of a folder: its own, else that of the nearest folder above which has one, else a new one here."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FOLDER / "objects").is_dir():
            return LocalPlaces(folder / FOLDER)
    return LocalPlaces(start / FOLDER)
