"""The datastores of a run: which they are, whether they can be used, and how movers enter them."""

from __future__ import annotations

from collections.abc import Mapping

from towpath.api.datastore import Datastore
from towpath.api.pipeline import PipelineSpec
from towpath.flow import names, support
from towpath.flow.conditions import RunReason
from towpath.flow.planned import PinnedVersion, PlannedDatastore
from towpath.flow.readiness import Patience, why_not_ready
from towpath.flow.sources import Sources
from towpath.flow.stalled import StalledError

Pins = Mapping[tuple[str, str], PinnedVersion]


def written_by(spec: PipelineSpec) -> set[str]:
    """The datastores to which a pipeline's outputs go."""
    outputs = (output for step in spec.steps for output in step.outputs)
    return {output.datastore or names.DEFAULT_DATASTORE for output in outputs}


def enter(
    sources: Sources, patience: Patience, spec: PipelineSpec, pins: Mapping[tuple[str, str], PinnedVersion]
) -> tuple[PlannedDatastore, ...]:
    """Every datastore that a run reads or writes; raises where one is missing, not Ready or not usable."""
    outputs = written_by(spec)
    contents = [pinned.content for pinned in pins.values()]
    read = {store for content in contents for store in (content.inventory.datastore, *content.datastores)}
    return tuple(_datastore(sources, patience, name, name in outputs) for name in sorted(outputs | read))


def _datastore(sources: Sources, patience: Patience, name: str, is_written: bool) -> PlannedDatastore:
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
    return planned_datastore(datastore)


def planned_datastore(datastore: Datastore) -> PlannedDatastore:
    """How movers enter this datastore; StalledError for a kind of store that is not available yet."""
    spec = datastore.spec
    if spec.s3 is None:
        raise StalledError(RunReason.NOT_SUPPORTED_YET, support.refusal(spec) or "Only s3 is available.")
    location = spec.s3.as_dict()
    for entrance in ("credentialsSecretRef", "caConfigMapRef"):
        location.pop(entrance, None)
    resources = spec.mover.resources.as_dict() if spec.mover and spec.mover.resources else {}
    return PlannedDatastore(
        name=datastore.metadata.name or "",
        location=location,
        read_only=spec.read_only,
        credentials_secret=spec.s3.credentials_secret_ref.name if spec.s3.credentials_secret_ref else None,
        ca_config_map=spec.s3.ca_config_map_ref.name if spec.s3.ca_config_map_ref else None,
        mover_resources=resources,
    )
