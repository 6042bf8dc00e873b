"""Object files → the stores that passes read, as a watch would bring them: what changed since the last look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from towpath.backend import Kind
from towpath.local.objects import ObjectFolder, load
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.store import Store

Json = dict[str, Any]


class FolderFollower:
    """Remembers which state of each file it has seen."""

    def __init__(self, objects: ObjectFolder, cache: Cache) -> None:
        self._objects, self._stores = objects, cache.ours
        self._seen: dict[Path, tuple[tuple[int, int], Json]] = {}
        self._version = -1

    def look(self) -> bool:
        """Take in what changed; whether anything did."""
        version = self._objects.version()
        if version == self._version:
            return False
        for store in self._stores:
            self._look_at(store)
        self._version = version
        return True

    def _look_at(self, store: Store) -> None:
        there = set()
        for file in self._objects.files(Kind(store.resource.kind)):
            there.add(file)
            self._take(store, file)
        for file, (_, item) in list(self._seen.items()):
            if item["kind"] == store.resource.kind and file not in there:
                del self._seen[file]
                store.remove(item)

    def _take(self, store: Store, file: Path) -> None:
        try:
            status = file.stat()
            state = (status.st_ino, status.st_mtime_ns)
            known = self._seen.get(file)
            if known is not None and known[0] == state:
                return
            item = load(file)
        except FileNotFoundError:
            return
        if known is not None and known[1]["metadata"]["uid"] != item["metadata"]["uid"]:
            store.remove(known[1])
        slim = {"kind": item["kind"], "metadata": item["metadata"]}
        self._seen[file] = (state, slim | {"spec": item.get("spec") or {}})
        store.put(item)
