"""Objects as JSON files, with the promises of an API server that others rest on.

Creation is a lock, `resourceVersion` grows with each write and is a precondition where one is named, `generation`
with each change of the spec. Any process may write: one lock of the folder makes writes come one after another.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from towpath.backend import Kind, Manifest
from towpath.errors import AlreadyExistsError, InvalidObjectError, NotFoundError

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
# What only its owner may read.
_SECRET_MODE = 0o600


class StaleError(Exception):
    """The object changed since it was read."""


def utc_text() -> str:
    """This moment, as objects say it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class ObjectFolder:
    """The objects of one workspace; `check` refuses what the rules of the API refuse."""

    def __init__(self, folder: Path, check: Callable[[Manifest, Manifest | None], None]) -> None:
        self._folder, self._check = folder, check

    def read(self, kind: Kind, name: str) -> Manifest | None:
        """The object as it is now, or None."""
        try:
            return load(self._file(kind, name))
        except FileNotFoundError:
            return None

    def list_objects(self, kind: Kind) -> list[Manifest]:
        """All objects of a kind, by name."""
        found = (self._read_again(file) for file in self.files(kind))
        return sorted(filter(None, found), key=lambda item: str(item["metadata"]["name"]))

    def files(self, kind: Kind) -> Iterator[Path]:
        """The files of a kind's objects."""
        folder = self._folder / kind.lower()
        return (
            (Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith(".json"))
            if (folder.is_dir())
            else iter(())
        )

    def version(self) -> int:
        """That of the newest write."""
        try:
            return int((self._folder / ".version").read_text() or 0)
        except FileNotFoundError:
            return 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def create(self, manifest: Mapping[str, Any]) -> Manifest:
        """Store a new object, named by `generateName` where it has no name."""
        made = dict(manifest) | {"metadata": dict(manifest.get("metadata") or {})}
        kind, meta = kind_of(made), made["metadata"]
        with self.locked():
            meta["name"] = meta.get("name") or self._new_name(kind, meta)
            if self._file(kind, meta["name"]).exists():
                raise AlreadyExistsError(f"{kind} {meta['name']} exists already in this workspace.")
            meta |= {"uid": str(uuid.uuid4()), "generation": 1, "creationTimestamp": utc_text()}
            self._check(made, None)
            return self._write(kind, made)

    def edit(
        self, kind: Kind, name: str, change: Callable[[Manifest], Manifest], version: str | None = None
    ) -> Manifest:
        """Store what `change` makes of the object; with a `version`, only if it is still that one."""
        with self.locked():
            before = self.read(kind, name)
            if before is None:
                raise NotFoundError(f"There is no {kind} {name} in this workspace.")
            if version not in (None, before["metadata"]["resourceVersion"]):
                raise StaleError(f"{kind} {name} changed since it was read.")
            after = change(json.loads(json.dumps(before)))
            if after == before:
                return before
            self._check(after, before)
            if after.get("spec") != before.get("spec"):
                after["metadata"]["generation"] = int(before["metadata"].get("generation") or 1) + 1
            return self._write(kind, after)

    def remove(self, kind: Kind, name: str, uid: str | None = None) -> Manifest | None:
        """Take the object away, with the ConfigMaps that it owns; with a `uid`, only if it is that one."""
        with self.locked():
            there = self.read(kind, name)
            if there is None or uid not in (None, there["metadata"]["uid"]):
                return None
            self._file(kind, name).unlink()
            for owned in self.list_objects(Kind.CONFIG_MAP):
                owners = owned["metadata"].get("ownerReferences") or ()
                if any(owner["uid"] == there["metadata"]["uid"] for owner in owners):
                    self._file(Kind.CONFIG_MAP, owned["metadata"]["name"]).unlink(missing_ok=True)
            self._tell(self.version() + 1)
            return there

    def _write(self, kind: Kind, item: Manifest) -> Manifest:
        # It grows with each write of the object, also where a writer was killed before it could tell its number.
        number = max(self.version(), int(item["metadata"].get("resourceVersion") or 0)) + 1
        item["metadata"]["resourceVersion"] = str(number)
        file = self._file(kind, item["metadata"]["name"])
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.touch(mode=_SECRET_MODE if kind is Kind.SECRET else 0o666)
        new.write_text(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
        new.replace(file)
        # Told last: who sees the number finds the object.
        self._tell(number)
        return item

    def _tell(self, number: int) -> None:
        file = self._folder / ".version"
        new = file.with_name(".version.new")
        new.write_text(str(number))
        new.replace(file)

    def _new_name(self, kind: Kind, meta: Mapping[str, Any]) -> str:
        beginning = str(meta.get("generateName") or "")
        if not beginning:
            raise InvalidObjectError(f"A {kind} has neither metadata.name nor metadata.generateName.")
        while True:
            name = beginning + "".join(secrets.choice(_SUFFIX) for _ in range(5))
            if not self._file(kind, name).exists():
                return name

    def _file(self, kind: Kind, name: str) -> Path:
        if not _NAME.fullmatch(name):
            words = "lower case letters, digits, `-` and `.`, beginning and ending with a letter or digit"
            raise InvalidObjectError(f"{name!r} cannot be the name of a {kind}: a name has {words}.")
        return self._folder / kind.lower() / f"{name}.json"

    def _read_again(self, file: Path) -> Manifest | None:
        try:
            return load(file)
        except FileNotFoundError:
            return None


def load(file: Path) -> Manifest:
    """The object in a file, which was moved there whole."""
    item: Manifest = json.loads(file.read_text())
    return item


def kind_of(manifest: Mapping[str, Any]) -> Kind:
    """The kind that a manifest says it is."""
    try:
        return Kind(str(manifest.get("kind")))
    except ValueError:
        known = ", ".join(Kind)
        raise InvalidObjectError(
            f"A local workspace holds no {manifest.get('kind')!r}; it knows {known}."
        ) from None


def merged(old: Any, patch: Any) -> Any:
    """What a JSON merge patch (RFC 7386) makes of a value."""
    if not isinstance(patch, Mapping):
        return patch
    there = dict(old) if isinstance(old, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            there.pop(key, None)
        else:
            there[key] = merged(there.get(key), value)
    return there
