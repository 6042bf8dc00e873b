"""A mover's container: our image without privileges on a read-only root, entering the datastores that it must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from towpath.flow.documents import canonical
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.references import literal_for_pod
from towpath_operator.jobs.datastore_volumes import datastore_mounts
from towpath_operator.jobs.quantities import largest_resources
from towpath_operator.jobs.security import mover_security
from towpath_operator.jobs.settings import PodSettings

# As in the launcher's command: nothing is imported from the folder where it starts, nor from a user's.
_PYTHON = ("python3", "-P", "-s", "-m", "towpath_mover")


@dataclass(frozen=True)
class Mover:
    """What one mover is. `datastores` are those of its pod, in the order that names their volumes."""

    name: str
    image: str
    command: Sequence[str]
    environment: Sequence[Mapping[str, Any]]
    mounts: Sequence[Mapping[str, Any]]
    datastores: Sequence[PlannedDatastore]
    enters: frozenset[str]


def mover_command(word: str) -> list[str]:
    """The command of a mover that starts at once."""
    return [*_PYTHON, word]


def order_variable(name: str, order: Mapping[str, Any]) -> dict[str, Any]:
    """An order as a variable: canonical JSON, which the kubelet is kept from changing."""
    return {"name": name, "value": literal_for_pod(canonical(order).decode())}


def mover_container(mover: Mover, settings: PodSettings) -> dict[str, Any]:
    """The container, as it stands in the pod."""
    return {
        "name": mover.name,
        "image": mover.image,
        "imagePullPolicy": settings.mover_image_pull_policy,
        "command": [literal_for_pod(word) for word in mover.command],
        "env": [dict(entry) for entry in mover.environment],
        "resources": _resources(mover, settings),
        "securityContext": mover_security(),
        # Of a mover that breaks off without a report, the end of its log is the report.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [*map(dict, mover.mounts), *datastore_mounts(mover.datastores, mover.enters)],
    }


def _resources(mover: Mover, settings: PodSettings) -> dict[str, Any]:
    entered = [datastore for datastore in mover.datastores if datastore.name in mover.enters]
    asked = [datastore.mover_resources or settings.mover_resources for datastore in entered]
    return largest_resources(asked or [settings.mover_resources])
