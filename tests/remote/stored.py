"""Outputs as steps leave them in a store of a test: files, packs, and the inventory that lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cli.memory import MemoryStore
from towpath.errors import ChangedError, UnreachableError
from towpath.flow.contents import InventoryRef
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_writer import write_inventory

PREFIX = "team-a/runs/iris-1-0a1b2c3d/prep/1-uid/clean/"


@dataclass
class CountingStore(MemoryStore):
    """Notes what is read of which path; breaks off when `breaks_after` bytes were given, and knows etags."""

    read_bytes: dict[str, int] = field(default_factory=dict)
    breaks_after: int | None = None

    def read(
        self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
    ) -> Iterator[bytes]:
        if etag is not None and etag != "as recorded":
            raise ChangedError(f"{path} changed.")
        for piece in super().read(path, start, length):
            if self.breaks_after is not None:
                if self.breaks_after <= 0:
                    raise UnreachableError("The connection broke.")
                self.breaks_after -= len(piece)
            self.read_bytes[path] = self.read_bytes.get(path, 0) + len(piece)
            yield piece

    def digest(self, path: str) -> str:
        # Taken beside the store: nothing of it is read from here.
        return sha256(self.objects[path]).hexdigest()


def an_output(
    store: MemoryStore, files: Mapping[str, bytes], folder: Path, packed: tuple[str, ...] = ()
) -> InventoryRef:
    """Put files into the store, some of them into a pack, and their inventory."""
    pack, entries = b"", []
    for path, content in sorted(files.items()):
        entry = Entry(path, len(content), sha256(content).hexdigest(), executable=path.endswith(".sh"))
        if path in packed:
            entry = entry._replace(pack="../packs/0", offset=len(pack))
            entry = entry._replace(pack="p0")
            pack += content
        else:
            store.objects[f"{PREFIX}data/{path}"] = content
        entries.append(entry)
    if pack:
        store.objects[f"{PREFIX}data/p0"] = pack
    return put_inventory(store, entries, folder)


def put_inventory(store: MemoryStore, entries: list[Entry], folder: Path) -> InventoryRef:
    """Put an inventory of these entries."""
    folder.mkdir(exist_ok=True)
    written = write_inventory(folder / "inventory", [Root("default", f"{PREFIX}data/")], entries)
    key = f"{PREFIX}inventory.jsonl.gz"
    store.objects[key] = written.file.read_bytes()
    return InventoryRef("default", key, written.summary.digest)
