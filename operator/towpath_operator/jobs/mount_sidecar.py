"""The FUSE sidecar of a step's pod: our mover `mount`, privileged, beside the step, one for each datastore.

It is the only container with privileges that we ever make, off unless the chart enables it, and the only one of its
pod that has the credentials while the step runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from towpath.flow import names
from towpath.flow.decision import AttemptOrder
from towpath.flow.documents import datastore_document
from towpath.flow.planned import FORMAT_VERSION, Plan, PlannedDatastore, PlannedStep, SidecarMount
from towpath.flow.quantities import amount
from towpath_mover.launcher import IMAGE_BUSYBOX
from towpath_operator.jobs.mounted_datastores import FUSE_VOLUME, sidecar_mounts
from towpath_operator.jobs.mover import Mover, mover_command, mover_container, order_variable
from towpath_operator.jobs.quantities import whole
from towpath_operator.jobs.security import sidecar_security
from towpath_operator.jobs.settings import PodSettings

_CACHE = "/towpath/mount-cache"
# Of its memory limit: what rclone's collector of garbage keeps below, so that the limit is not met.
_OF_MEMORY = Decimal("0.8")
# A mount that is not there by then has said why: `stage-in` hears it. Longer than its own patience of a minute.
_PROBES = 150
_IS_UP = 'mountpoint -q "$1" || [ -e "$2" ]'


def sidecars(
    plan: Plan,
    mounted: Sequence[PlannedDatastore],
    entered: Sequence[PlannedDatastore],
    settings: PodSettings,
) -> list[dict[str, Any]]:
    """The containers, which stand before `stage-in`; none where no datastore is mounted so."""
    return [_sidecar(plan, number, one, entered, settings) for number, one in sidecar_mounts(mounted)]


def cache_volumes(
    step: PlannedStep, order: AttemptOrder, mounted: Sequence[PlannedDatastore]
) -> list[dict[str, Any]]:
    """A volume for each cache. An open file stays in it whole: so it may grow by what is mounted, and by no more."""
    size = sum(order.inputs[given.name].bytes for given in step.inputs if given.is_mounted)
    return [
        {"name": _cache(number), "emptyDir": {"sizeLimit": whole(Decimal(_cache_bytes(one) + size))}}
        for number, one in sidecar_mounts(mounted)
        if _cache_bytes(one)
    ]


def _sidecar(
    plan: Plan,
    number: int,
    datastore: PlannedDatastore,
    entered: Sequence[PlannedDatastore],
    settings: PodSettings,
) -> dict[str, Any]:
    cache = _cache_bytes(datastore)
    order = {"formatVersion": FORMAT_VERSION, "datastore": datastore_document(datastore), "cacheBytes": cache}
    mounts: list[dict[str, Any]] = [
        {"name": FUSE_VOLUME, "mountPath": names.CONTAINER_FUSE, "mountPropagation": "Bidirectional"}
    ]
    mounts += [{"name": _cache(number), "mountPath": _CACHE}] if cache else []
    environment = [order_variable("TOWPATH_ORDER", order), *_memory(settings.sidecar_resources)]
    command, name = mover_command("mount"), f"{names.MOUNT_CONTAINER}-{number}"
    mover = Mover(name, plan.mover_image, command, environment, mounts, entered, frozenset({datastore.name}))
    return mover_container(mover, settings) | {
        "restartPolicy": "Always",
        "resources": _resources(settings.sidecar_resources, cache),
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


def _resources(resources: Mapping[str, Any], cache_bytes: int) -> dict[str, Any]:
    if not cache_bytes:
        return dict(resources)
    requests = {**resources.get("requests", {}), "ephemeral-storage": str(cache_bytes)}
    return {**resources, "requests": requests}


def _cache_bytes(datastore: PlannedDatastore) -> int:
    return datastore.mount.cache_bytes if isinstance(datastore.mount, SidecarMount) else 0


def _cache(number: int) -> str:
    return f"mount-cache-{number}"
