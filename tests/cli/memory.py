"""A Backend in memory: objects by kind and name, plans, logs and stores as a test gives them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from towpath.backend import Container, Kind, LogLine, Manifest, Store, Stored
from towpath.errors import AlreadyExistsError, NotFoundError


@dataclass
class MemoryStore:
    """One datastore's objects by their path."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def list_files(self, prefix: str) -> Iterator[Stored]:
        """Every object below the prefix."""
        for path in sorted(self.objects):
            if path.startswith(prefix):
                yield Stored(path, len(self.objects[path]))

    def state(self, path: str) -> Stored:
        """What one object is."""
        if path not in self.objects:
            raise NotFoundError(f"There is no object {path}.")
        return Stored(path, len(self.objects[path]))

    def read(
        self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
    ) -> Iterator[bytes]:
        """The object in pieces of seven bytes, so that nobody relies on getting it whole."""
        self.state(path)
        data = self.objects[path][start : None if length is None else start + length]
        yield from (data[at : at + 7] for at in range(0, len(data), 7))

    def digest(self, path: str) -> str:
        """The SHA-256 of the object."""
        return sha256(b"".join(self.read(path))).hexdigest()

    def write(self, path: str, chunks: Iterable[bytes], size: int) -> Stored:
        """Write the object."""
        self.objects[path] = b"".join(chunks)
        return Stored(path, size)

    def delete(self, path: str) -> None:
        """Delete the object."""
        self.objects.pop(path, None)


@dataclass
class MemoryBackend:
    """A namespace in memory. `changes` are what a watch shows next, after the object as it is: each a merge patch."""

    objects: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    plans: dict[str, dict[str, Manifest]] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)
    stores: dict[str, MemoryStore] = field(default_factory=dict)
    changes: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    where: str = "namespace team-a of cluster test"
    namespace: str = "team-a"

    def hold(self, *manifests: Manifest) -> MemoryBackend:
        """Put objects into it."""
        for one in manifests:
            self.objects[one["kind"], one["metadata"]["name"]] = one
        return self

    def get(self, kind: Kind, name: str) -> Manifest | None:
        """The object, or None."""
        return copy.deepcopy(self.objects.get((kind, name)))

    def list_objects(self, kind: Kind, labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """All that have these labels."""
        wanted = dict(labels or {}).items()
        return [
            copy.deepcopy(one)
            for (its, _), one in sorted(self.objects.items())
            if its == kind and wanted <= (one["metadata"].get("labels") or {}).items()
        ]

    def create(self, manifest: Manifest) -> Manifest:
        """Make it; a name is made of `generateName` and a number."""
        made = copy.deepcopy(manifest)
        meta = made["metadata"]
        if "name" not in meta:
            meta["name"] = f"{meta['generateName']}{len(self.objects):05}"
        if (made["kind"], meta["name"]) in self.objects:
            raise AlreadyExistsError(f"{made['kind']} {meta['name']} exists already.")
        self.hold(made)
        return copy.deepcopy(made)

    def apply(self, manifest: Manifest) -> Manifest:
        """Make it, or bring its spec to this."""
        before = self.objects.get((manifest["kind"], manifest["metadata"]["name"]), {})
        self.hold(copy.deepcopy(before | manifest))
        return copy.deepcopy(before | manifest)

    def patch(self, kind: Kind, name: str, patch: Mapping[str, Any]) -> Manifest:
        """Merge it in."""
        merged = merge(self.objects[kind, name], patch)
        self.objects[kind, name] = merged
        return copy.deepcopy(merged)

    def delete(self, kind: Kind, name: str) -> None:
        """Delete it."""
        self.objects.pop((kind, name), None)

    def watch(self, kind: Kind, name: str, timeout_seconds: float | None = None) -> Iterator[Manifest]:
        """The object as it is, and after each of the changes that the test gave."""
        if (kind, name) not in self.objects:
            return
        yield copy.deepcopy(self.objects[kind, name])
        for change in self.changes.pop((kind, name), []):
            yield self.patch(kind, name, change)

    def plan_of(self, run: Manifest) -> dict[str, Manifest] | None:
        """The documents that the test gave for it."""
        return self.plans.get(run["metadata"]["name"])

    def logs(
        self, run: Manifest, step: str | None = None, container: Container | None = None, follow: bool = False
    ) -> Iterator[LogLine]:
        """The lines that the test gave, of that step and container."""
        for line in self.lines:
            if step in (None, line.step) and container in (None, line.container):
                yield line

    def open_store(self, datastore: str, direct: bool = False) -> AbstractContextManager[Store]:
        """The store that the test gave."""
        return nullcontext(self.stores[datastore])


def merge(before: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, Mapping):
        return patch
    after = dict(before) if isinstance(before, Mapping) else {}
    for key, value in patch.items():
        after.pop(key, None) if value is None else after.update({key: merge(after.get(key), value)})
    return after
