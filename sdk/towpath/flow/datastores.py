"""The datastores of a run: which they are, whether they can be used, and how movers enter them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from towpath.api.datastore import KINDS_OF_STORE, Datastore, DatastoreSpec
from towpath.api.pipeline import PipelineSpec
from towpath.flow import names, support
from towpath.flow.conditions import RunReason
from towpath.flow.planned import Pinned, PlannedDatastore, PlannedMount
from towpath.flow.readiness import Patience, why_not_ready
from towpath.flow.sources import Sources
from towpath.flow.stalled import StalledError

ENTRANCES = ("credentialsSecretRef", "caConfigMapRef")


def written_by(spec: PipelineSpec) -> set[str]:
    """The datastores to which a pipeline's outputs go, and copies of them."""
    outputs = [output for step in spec.steps for output in step.outputs]
    places = [output.datastore for output in outputs]
    places += [output.export.datastore for output in outputs if output.export]
    return {place or names.DEFAULT_DATASTORE for place in places}


def enter(
    sources: Sources, patience: Patience, spec: PipelineSpec, pins: Mapping[tuple[str, str], Pinned]
) -> tuple[PlannedDatastore, ...]:
    """Every datastore that a run reads or writes; raises where one is missing, not Ready or not usable."""
    outputs = written_by(spec)
    contents = [pinned.content for pinned in pins.values()]
    read = {store for content in contents for store in (content.inventory.datastore, *content.datastores)}
    entered = (usable(sources, patience, name, name in outputs) for name in sorted(outputs | read))
    can_mount = sources.installation.can_mount
    return tuple(
        replace(planned_datastore(one), mount=planned_mount(one) if can_mount else None) for one in entered
    )


def usable(sources: Sources, patience: Patience, name: str, is_written: bool = False) -> Datastore:
    """The datastore of this name; raises where it is missing, not Ready or not usable."""
    datastore = sources.datastores.get(name)
    if datastore is None:
        raise patience.missing("Datastore", name, sources.known.datastores)
    support.refuse(datastore.spec, f"Datastore {name}: ")
    if is_written and datastore.spec.read_only:
        raise StalledError(
            RunReason.READ_ONLY, f"Datastore {name} is readOnly, and an output is to be written there."
        )
    why = why_not_ready(datastore)
    if why:
        raise patience.not_ready("Datastore", name, why)
    return datastore


def planned_datastore(datastore: Datastore) -> PlannedDatastore:
    """How movers enter this datastore; StalledError for a kind of store that is not available yet."""
    spec = datastore.spec
    support.refuse(spec, f"Datastore {datastore.metadata.name}: ")
    kind, location = _place(spec)
    secret, certificates = (location.pop(entrance, {}).get("name") for entrance in ENTRANCES)
    resources = spec.mover.resources.as_dict() if spec.mover and spec.mover.resources else {}
    return PlannedDatastore(
        name=datastore.metadata.name or "",
        location=location,
        kind=kind,
        read_only=spec.read_only,
        credentials_secret=secret,
        ca_config_map=certificates,
        mover_resources=resources,
    )


def _place(spec: DatastoreSpec) -> tuple[str, dict[str, Any]]:
    described = spec.as_dict()
    return next((kind, described[kind]) for kind in KINDS_OF_STORE if kind in described)


def planned_mount(datastore: Datastore) -> PlannedMount | None:
    """How a datastore is mounted: by its own claim, or by the first claim in its `mount` list; None: not at all."""
    spec = datastore.spec
    if spec.persistent_volume_claim is not None:
        own = spec.persistent_volume_claim
        return PlannedMount(own.claim_name, own.sub_path)
    claims = (provider.persistent_volume_claim for provider in spec.mount)
    claim = next((one for one in claims if one is not None), None)
    return PlannedMount(claim.claim_name, claim.sub_path) if claim else None
