"""What a cluster and a namespace have for mounting, read when a run is planned that may mount; never watched."""

from __future__ import annotations

from collections.abc import Iterable

from towpath.api.datastore import Datastore
from towpath.flow.mount_choice import Driver, MountMeans
from towpath_operator.cluster.api import Api, ApiError, NotFoundError, TryAgainError
from towpath_operator.cluster.resources import CSI_DRIVERS, NAMESPACES

_LEVEL = "pod-security.kubernetes.io/enforce"


async def read_mount_means(
    client: Api, namespace: str, datastores: Iterable[Datastore], sidecar_cache_bytes: int | None
) -> MountMeans:
    """What there is of what these datastores name. What the operator may not read is left to the kubelet to judge."""
    ways = [way for datastore in datastores for way in datastore.spec.mount]
    drivers = sorted({way.csi.driver for way in ways if way.csi})
    wants_sidecar = sidecar_cache_bytes is not None and any(way.fuse_sidecar for way in ways)
    return MountMeans(
        drivers={name: await _driver(client, name) for name in drivers},
        sidecar_cache_bytes=sidecar_cache_bytes,
        pod_security=await _pod_security(client, namespace) if wants_sidecar else None,
    )


async def _driver(client: Api, name: str) -> Driver:
    try:
        found = await client.get(CSI_DRIVERS.path(name=name))
    except NotFoundError:
        return Driver.MISSING
    except TryAgainError:
        raise
    except ApiError:
        return Driver.UNKNOWN
    modes = (found.get("spec") or {}).get("volumeLifecycleModes") or ()
    return Driver.INLINE if "Ephemeral" in modes else Driver.NOT_INLINE


async def _pod_security(client: Api, namespace: str) -> str | None:
    try:
        found = await client.get(NAMESPACES.path(name=namespace))
    except TryAgainError:
        raise
    except ApiError:
        return None
    labels = found["metadata"].get("labels") or {}
    level: str | None = labels.get(_LEVEL)
    return level
