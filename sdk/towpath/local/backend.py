"""A workspace in a folder: `towpath.backend.Backend` over object files, whose operator is woken by each write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from towpath.backend import Container, Kind, LogLine, Manifest, Store
from towpath.errors import AlreadyExistsError, InvalidObjectError, NotFoundError
from towpath.flow import documents, names
from towpath.local import rules
from towpath.local.datastores import ensure_default
from towpath.local.log_files import read_logs
from towpath.local.looking import look_at_inputs
from towpath.local.objects import ObjectFolder, kind_of, merged
from towpath.local.places import NAMESPACE, LocalPlaces, find_places
from towpath.local.stores import open_local_store
from towpath.local.support import check_run
from towpath.local.variables import contents
from towpath.local.waking import wake

_LOOK_SECONDS = 0.03
_WAKE_SECONDS = 1.0
# A write that only somebody's own programme reads needs nobody else.
_RECONCILED = frozenset(
    {Kind.DATASTORE, Kind.DATASET, Kind.DATASET_VERSION, Kind.PIPELINE, Kind.PIPELINE_RUN}
)


class LocalBackend:
    """The workspace whose `.towpath` lies at `places.root`."""

    def __init__(self, places: LocalPlaces) -> None:
        self.places = places
        self.objects = ObjectFolder(places.objects, rules.check)
        self._woken_at = 0.0

    @property
    def where(self) -> str:
        """For people."""
        return f"local workspace {self.places.root}"

    @property
    def namespace(self) -> str:
        """Always the same: there is one workspace in a folder."""
        return NAMESPACE

    def get(self, kind: Kind, name: str) -> Manifest | None:
        """The object, or None; the embedded default datastore is there as soon as somebody wants it."""
        if (kind, name) == (Kind.DATASTORE, names.DEFAULT_DATASTORE):
            return ensure_default(self)
        return self.objects.read(kind, name)

    def list_objects(self, kind: Kind, labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """All objects of the kind that have these labels, by name."""
        wanted = dict(labels or {}).items()
        found = self.objects.list_objects(kind)
        return [item for item in found if wanted <= (item["metadata"].get("labels") or {}).items()]

    def create(self, manifest: Manifest) -> Manifest:
        """Make an object."""
        made = self._placed(manifest)
        self.places.make()
        if kind_of(made) in (Kind.PIPELINE_RUN, Kind.DATASET):
            ensure_default(self)
        if kind_of(made) is Kind.PIPELINE_RUN:
            check_run(made, self)
            look_at_inputs(self, made, self.wake)
        return self._woken(self.objects.create(made))

    def apply(self, manifest: Manifest) -> Manifest:
        """Make the object or bring its spec to this."""
        made = self._placed(manifest)
        name = (made.get("metadata") or {}).get("name")
        if not name:
            raise InvalidObjectError(f"A {made.get('kind')} that is applied needs metadata.name.")
        try:
            return self.create(made)
        except AlreadyExistsError:
            return self._woken(self.objects.edit(kind_of(made), name, lambda there: _applied(there, made)))

    def patch(self, kind: Kind, name: str, patch: Mapping[str, Any]) -> Manifest:
        """Merge into the object."""
        return self._woken(self.objects.edit(kind, name, lambda there: dict(merged(there, patch))))

    def delete(self, kind: Kind, name: str) -> None:
        """Delete the object, if it is there."""
        self.objects.remove(kind, name)
        if kind in _RECONCILED:
            self.wake()

    def watch(self, kind: Kind, name: str, timeout_seconds: float | None = None) -> Iterator[Manifest]:
        """The object as it is, then each time it changed."""
        began = time.monotonic()
        seen = ""
        while (item := self.objects.read(kind, name)) is not None:
            if item["metadata"]["resourceVersion"] != seen:
                seen = item["metadata"]["resourceVersion"]
                yield item
            now = time.monotonic()
            if timeout_seconds is not None and now - began >= timeout_seconds:
                return
            has_ended = bool((item.get("status") or {}).get("completionTime"))
            if now - self._woken_at > _WAKE_SECONDS and not has_ended:
                # Its operator may have been killed.
                self.wake()
            time.sleep(_LOOK_SECONDS)

    def wake(self) -> None:
        """See to it that somebody reconciles what is not finished."""
        self._woken_at = time.monotonic()
        wake(self.places)

    def plan_of(self, run: Manifest) -> dict[str, Manifest] | None:
        """The documents of the run's plan."""
        meta = run["metadata"]
        name = names.plan_name(meta["name"], meta["uid"])
        packed = contents(self.objects, Kind.CONFIG_MAP, name)
        return None if packed is None else dict(documents.unpack(packed))

    def logs(
        self, run: Manifest, step: str | None = None, container: Container | None = None, follow: bool = False
    ) -> Iterator[LogLine]:
        """Lines of the run's containers; they are kept until the run is deleted."""
        name = run["metadata"]["name"]

        def has_ended() -> bool:
            there = self.objects.read(Kind.PIPELINE_RUN, name)
            return there is None or bool((there.get("status") or {}).get("completionTime"))

        return read_logs(self.places, run, step, container, has_ended if follow else lambda: True)

    def open_store(self, datastore: str, direct: bool = False) -> AbstractContextManager[Store]:
        """Enter a datastore; here everything is direct."""
        del direct
        item = self.get(Kind.DATASTORE, datastore)
        if item is None:
            raise NotFoundError(f"There is no Datastore {datastore} in this workspace.")
        return open_local_store(item, self.objects, self.places)

    def _placed(self, manifest: Manifest) -> Manifest:
        return dict(manifest) | {
            "apiVersion": manifest.get("apiVersion") or _api_version(manifest),
            "metadata": dict(manifest.get("metadata") or {}) | {"namespace": NAMESPACE},
        }

    def _woken(self, item: Manifest) -> Manifest:
        if kind_of(item) in _RECONCILED:
            self.wake()
        return item


def _api_version(manifest: Mapping[str, Any]) -> str:
    return names.API_VERSION if kind_of(manifest) in _RECONCILED else "v1"


def _applied(there: Manifest, wanted: Manifest) -> Manifest:
    meta, new = dict(there["metadata"]), wanted["metadata"]
    for field in ("labels", "annotations"):
        if new.get(field):
            meta[field] = dict(meta.get(field) or {}) | dict(new[field])
    given = {key: value for key, value in wanted.items() if key not in ("metadata", "status")}
    return there | given | {"metadata": meta}


def open_backend(folder: Path | None = None) -> LocalBackend:
    """The workspace of a folder: its own, else the nearest above, else a new one."""

    return LocalBackend(find_places(folder or Path()))
