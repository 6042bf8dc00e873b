"""`--direct`: a datastore of a cluster entered from this machine, as whom this machine's own environment says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from towpath.api.datastore import Datastore
from towpath.backend import Kind, Store
from towpath.errors import NotFoundError, UserErrorException
from towpath.flow.datastores import planned_datastore
from towpath.flow.documents import datastore_document
from towpath.flow.near_names import near
from towpath.flow.planned import CLAIM
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.opened_store import OpenedStore
from towpath.told import told
from towpath_mover.fields import Fields
from towpath_mover.stores import Places, datastore_from, open_store
from towpath_mover.stores import Store as MoverStore

if TYPE_CHECKING:
    from towpath.cluster.backend import ClusterBackend


@contextmanager
def open_direct_store(backend: ClusterBackend, name: str) -> Iterator[Store]:
    """Enter it with what the store's own tools would take here, such as AWS_ACCESS_KEY_ID or ~/.aws."""
    planned = _planned(backend, name)
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        places = Places(*(Path(folder) / part for part in ("credentials", "ca", "volumes")))
        _place_certificate(backend, planned, places)
        datastore = datastore_from(Fields(datastore_document(planned), f"Datastore {name}"))
        try:
            with told():
                store = open_store(datastore, places)
        except ImportError as error:
            raise UserErrorException(
                f"--direct needs the clients of stores, and {error.name} is not installed: "
                "pip install 'towpath[mover]', or go through the cluster, without --direct."
            ) from error
        yield OpenedStore(_as_this_machine(store), backend.namespace)


def _planned(backend: ClusterBackend, name: str) -> PlannedDatastore:
    found = backend.get(Kind.DATASTORE, name)
    if found is None:
        known = [item["metadata"]["name"] for item in backend.list_objects(Kind.DATASTORE)]
        raise NotFoundError(f"There is no Datastore {name} in {backend.where}. {near(name, known)}")
    planned = planned_datastore(Datastore.model_validate(found))
    if planned.kind == CLAIM:
        raise UserErrorException(
            f"Datastore {name} is a volume of the cluster, which this machine cannot enter: leave out --direct."
        )
    # Its Secret is for movers: whoever may read it can put it into the environment.
    return replace(planned, credentials_secret=None)


def _as_this_machine(store: MoverStore) -> MoverStore:
    """The same, which says of itself that it speaks as this machine, and not as a pod."""
    from towpath_mover.object_store import ObjectStore  # noqa: PLC0415 - its clients are there by now

    return (
        store._replace(identity="this machine's own environment") if isinstance(store, ObjectStore) else store
    )


def _place_certificate(backend: ClusterBackend, planned: PlannedDatastore, places: Places) -> None:
    found = backend.get(Kind.CONFIG_MAP, planned.ca_config_map) if planned.ca_config_map else None
    text = ((found or {}).get("data") or {}).get("ca.crt")
    if text is not None:
        (places.ca / planned.name).mkdir(parents=True)
        (places.ca / planned.name / "ca.crt").write_text(text)
