"""A Dataset and its versions → its status: what its latest version is, and what the last look came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.flow.conditions import condition, timestamp
from towpath.flow.datastore_flow import requested_at
from towpath.flow.observed import ObservedMover
from towpath.flow.ready_reasons import DatasetReason
from towpath.flow.verdicts import Moment

Said = tuple[str, DatasetReason, str]
_OF_LATEST = frozenset({"latestVersion", "files", "bytes", "digest"})


@dataclass(frozen=True)
class DatasetSources:
    """A Dataset and all that is looked at with it; `datastores` by name, those of the namespace.

    `is_asked` says that something waits for it to be Ready; a run that waits for a look wants one that began
    later than `wanted_after`. `refused` has the words that refused the Job of a look, by what that asks.
    """

    dataset: Dataset
    versions: tuple[DatasetVersion, ...] = ()
    datastores: Mapping[str, Datastore] = field(default_factory=dict)
    inventories: Sequence[ObservedMover] = ()
    is_asked: bool = False
    wanted_after: datetime | None = None
    refused: Mapping[str, str] = field(default_factory=dict)


def looked_at(sources: DatasetSources, mover: ObservedMover, said: Said, moment: Moment) -> dict[str, Any]:
    """The status after a look at the sources has ended: it answers what was asked."""
    after = status_of(sources, said, moment)
    after.pop("requestedAt", None)
    requested = requested_at(sources.dataset)
    after |= {} if requested is None else {"requestedAt": requested}
    return after | {"observedAt": timestamp(moment.now), "lookBeganAt": timestamp(mover.created_at)}


def status_of(sources: DatasetSources, said: Said | None, moment: Moment) -> dict[str, Any]:
    """The status with what the versions say; the condition changes only where something is `said`."""
    dataset = sources.dataset
    after = {key: value for key, value in dataset.status.as_dict().items() if key not in _OF_LATEST}
    after |= _latest(sources)
    if said is None:
        return after
    before = [one.as_dict() for one in dataset.status.conditions]
    generation = dataset.metadata.generation or 0
    ready = condition(before, "Ready", said[0], said[1:], moment.now) | {"observedGeneration": generation}
    return after | {"observedGeneration": generation, "conditions": [ready]}


def _latest(sources: DatasetSources) -> dict[str, Any]:
    if not sources.versions:
        return {}
    latest = max(sources.versions, key=lambda version: version.spec.version).spec
    return {
        "latestVersion": latest.version,
        "lastVersion": max(latest.version, sources.dataset.status.last_version or 0),
        "files": latest.files,
        "bytes": latest.bytes,
        "digest": latest.inventory.digest,
    }


def changed(sources: DatasetSources, status: dict[str, Any]) -> dict[str, Any] | None:
    """The status to write, or None if it stands as it is."""
    return None if status == sources.dataset.status.as_dict() else status
