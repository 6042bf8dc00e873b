"""The datastores of a run: which they are, whether they can be used, and how movers enter them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from towpath.api.datastore import KINDS_OF_STORE, Datastore, DatastoreSpec
from towpath.api.pipeline import PipelineSpec
from towpath.flow import names, support
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Pinned
from towpath.flow.mount_choice import MountChoice, choose_mount
from towpath.flow.planned_datastores import PlannedDatastore
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
    return tuple(replace(planned_datastore(one), mount=_choice(sources, one).mount) for one in entered)


def mount_choices(sources: Sources, entered: Iterable[PlannedDatastore]) -> dict[str, MountChoice]:
    """How each of these datastores is mounted in the run's pods, and why not otherwise."""
    return {one.name: _choice(sources, sources.datastores[one.name]) for one in entered}


def _choice(sources: Sources, datastore: Datastore) -> MountChoice:
    if not sources.installation.can_mount:
        return MountChoice(None)
    return choose_mount(datastore, sources.run.metadata.namespace or "", sources.mount_means)


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
