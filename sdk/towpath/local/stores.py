"""A Datastore of a local workspace → its bytes for this machine's own programmes, through the movers' own stores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from towpath.api.datastore import Datastore
from towpath.backend import Kind, Store
from towpath.flow.datastores import planned_datastore
from towpath.flow.documents import datastore_document
from towpath.local.mounts import folder_of_claim
from towpath.local.objects import ObjectFolder
from towpath.local.places import NAMESPACE, LocalPlaces
from towpath.local.variables import contents
from towpath.opened_store import OpenedStore
from towpath.told import told
from towpath_mover.fields import Fields
from towpath_mover.stores import Places, datastore_from, open_store


@contextmanager
def open_local_store(item: Mapping[str, Any], objects: ObjectFolder, places: LocalPlaces) -> Iterator[Store]:
    """Enter a Datastore with what this workspace knows of its Secret, certificates and folder."""
    planned = planned_datastore(Datastore.model_validate(item))
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        entrance = Places(*(Path(folder) / part for part in ("credentials", "ca", "volumes")))
        _write(objects, Kind.SECRET, planned.credentials_secret, entrance.credentials / planned.name)
        _write(objects, Kind.CONFIG_MAP, planned.ca_config_map, entrance.ca / planned.name)
        entrance.volumes.mkdir()
        if "claimName" in planned.location:
            claim = folder_of_claim(planned.location["claimName"], objects, places)
            below = claim / (planned.location.get("subPath") or "")
            below.mkdir(parents=True, exist_ok=True)
            (entrance.volumes / planned.name).symlink_to(below)
        datastore = datastore_from(Fields(datastore_document(planned), f"Datastore {planned.name}"))
        with told():
            store = open_store(datastore, entrance)
        yield OpenedStore(store, NAMESPACE)


def _write(objects: ObjectFolder, kind: Kind, name: str | None, folder: Path) -> None:
    for key, content in (contents(objects, kind, name) or {}).items() if name else ():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key).touch(mode=0o600)
        (folder / key).write_bytes(content)
