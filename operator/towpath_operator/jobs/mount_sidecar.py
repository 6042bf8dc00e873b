"""The FUSE sidecar of a step's pod: our mover `mount`, privileged, beside the step, one for each datastore.

It is the only container with privileges that we ever make, off unless the chart enables it, and the only one of its
pod that has the credentials while the step runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from towpath.flow import names
from towpath.flow.decision import AttemptOrder
from towpath.flow.documents import datastore_document
from towpath.flow.planned import FORMAT_VERSION, Plan, PlannedStep
from towpath.flow.planned_datastores import PlannedDatastore, SidecarMount
from towpath.flow.quantities import amount
from towpath_mover.launcher import IMAGE_BUSYBOX
from towpath_operator.jobs.mounted_datastores import FUSE_VOLUME, sidecar_mounts
from towpath_operator.jobs.mover import Mover, mover_command, mover_container, order_variable
from towpath_operator.jobs.quantities import EPHEMERAL, whole
from towpath_operator.jobs.security import sidecar_security
from towpath_operator.jobs.settings import PodSettings

_CACHE = "/towpath/mount-cache"
# Of its memory limit: what rclone's collector of garbage keeps below, so that the limit is not met.
_OF_MEMORY = Decimal("0.8")
# The last block of a file, and the note that rclone keeps of it.
_OF_A_FILE = 8192
# A mount that is not there by then has said why: `stage-in` hears it. Longer than its own patience of a minute.
_PROBES = 150
_IS_UP = 'mountpoint -q "$1" || [ -e "$2" ]'


class Reading(NamedTuple):
    """A step's attempt that reads mounted datastores; `entered` are all that the pod's movers enter."""

    plan: Plan
    step: PlannedStep
    order: AttemptOrder
    mounted: Sequence[PlannedDatastore]
    entered: Sequence[PlannedDatastore]


def sidecars(reading: Reading, settings: PodSettings) -> list[dict[str, Any]]:
    """The containers, which stand before `stage-in`; none where no datastore is mounted so."""
    return [_sidecar(reading, number, one, settings) for number, one in sidecar_mounts(reading.mounted)]


def cache_volumes(reading: Reading) -> list[dict[str, Any]]:
    """A volume for each cache."""
    return [
        {"name": _cache(number), "emptyDir": {"sizeLimit": _cache_limit(reading, one)}}
        for number, one in sidecar_mounts(reading.mounted)
        if _cache_bytes(one)
    ]


def _cache_limit(reading: Reading, datastore: PlannedDatastore) -> str:
    """An open file stays in the cache whole: so it may grow by what is mounted, each file in its blocks and a note."""
    read = [reading.order.inputs[given.name] for given in reading.step.inputs if given.is_mounted]
    size = sum(content.bytes + content.files * _OF_A_FILE for content in read)
    return whole(Decimal(_cache_bytes(datastore) + size))


def _sidecar(
    reading: Reading, number: int, datastore: PlannedDatastore, settings: PodSettings
) -> dict[str, Any]:
    cache = _cache_bytes(datastore)
    order = {"formatVersion": FORMAT_VERSION, "datastore": datastore_document(datastore), "cacheBytes": cache}
    mounts: list[dict[str, Any]] = [
        {"name": FUSE_VOLUME, "mountPath": names.CONTAINER_FUSE, "mountPropagation": "Bidirectional"}
    ]
    mounts += [{"name": _cache(number), "mountPath": _CACHE}] if cache else []
    environment = [order_variable("TOWPATH_ORDER", order), *_memory(settings.sidecar_resources)]
    command, name = mover_command("mount"), f"{names.MOUNT_CONTAINER}-{number}"
    enters, image = frozenset({datastore.name}), reading.plan.mover_image
    mover = Mover(name, image, command, environment, mounts, reading.entered, enters)
    return mover_container(mover, settings) | {
        "restartPolicy": "Always",
        "resources": _resources(settings.sidecar_resources, reading, datastore),
        "securityContext": sidecar_security(),
        "startupProbe": _startup_probe(datastore),
    }


def _startup_probe(datastore: PlannedDatastore) -> dict[str, Any]:
    place = f"{names.CONTAINER_FUSE}/mounts/{datastore.name}"
    failed = f"{names.CONTAINER_FUSE}/failed/{datastore.name}"
    command = [IMAGE_BUSYBOX, "sh", "-c", _IS_UP, "is-up", place, failed]
    return {
        "exec": {"command": command},
        "periodSeconds": 1,
        "timeoutSeconds": 10,
        "failureThreshold": _PROBES,
    }


def _memory(resources: Mapping[str, Any]) -> list[dict[str, Any]]:
    limit = resources.get("limits", {}).get("memory")
    return [{"name": "GOMEMLIMIT", "value": whole(amount(limit) * _OF_MEMORY)}] if limit else []


def _resources(resources: Mapping[str, Any], reading: Reading, datastore: PlannedDatastore) -> dict[str, Any]:
    cache = _cache_bytes(datastore)
    if not cache:
        return dict(resources)
    asked = {"requests": str(cache)}
    # A limit of the step bounds the sum of the pod: without one beside it, the cache would use it up.
    if EPHEMERAL in reading.step.resources.get("limits", {}):
        asked["limits"] = _cache_limit(reading, datastore)
    widened = {side: {**resources.get(side, {}), EPHEMERAL: size} for side, size in asked.items()}
    return {**resources, **widened}


def _cache_bytes(datastore: PlannedDatastore) -> int:
    return datastore.mount.cache_bytes if isinstance(datastore.mount, SidecarMount) else 0


def _cache(number: int) -> str:
    return f"mount-cache-{number}"
