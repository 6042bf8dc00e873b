"""What a cluster has to mount with, read from a real API server; and what is made of a refusal to tell."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import pytest
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_kube_config

from cluster.access import Access
from cluster.kubectl import Kubectl, fresh_namespace
from controller.broken_server import broken_server, refuse
from flow.sightings import a_datastore
from towpath.api.datastore import Datastore
from towpath.flow.mount_choice import Driver, MountMeans
from towpath_operator.cluster.api import TryAgainError
from towpath_operator.cluster.client import Client
from towpath_operator.cluster.mount_means import read_mount_means


@pytest.fixture
def drivers(kubectl: Kubectl) -> Iterator[dict[str, str]]:
    """Two drivers that the API server knows, by what they can, and one that it does not."""
    mark = secrets.token_hex(3)
    made = {"Ephemeral": f"inline-{mark}.towpath.test", "Persistent": f"claims-{mark}.towpath.test"}
    for mode, name in made.items():
        spec = {"attachRequired": False, "volumeLifecycleModes": [mode]}
        body = {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}}
        kubectl.apply(body | {"spec": spec})
    yield made | {"none": f"missing-{mark}.towpath.test"}
    kubectl.direct.delete("csidrivers", *made.values(), wait=False)


def naming(*drivers: str, sidecar: bool = False) -> Datastore:
    ways = [{"csi": {"driver": driver}} for driver in drivers]
    return a_datastore(mount=[*ways, *([{"fuseSidecar": {}}] if sidecar else [])])


async def read(cluster: Access, namespace: str, datastore: Datastore, cache: int | None) -> MountMeans:
    configuration = Configuration()
    await load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
    client = Client(configuration)
    try:
        return await read_mount_means(client, namespace, [datastore], cache)
    finally:
        await client.close()


@pytest.mark.server
def test_drivers_and_the_level_of_a_namespace_are_read(
    cluster: Access, kubectl: Kubectl, drivers: dict[str, str]
) -> None:
    datastore = naming(*drivers.values(), sidecar=True)
    expected = {
        drivers["Ephemeral"]: Driver.INLINE,
        drivers["Persistent"]: Driver.NOT_INLINE,
        drivers["none"]: Driver.MISSING,
    }
    for level in ("restricted", "privileged"):
        with fresh_namespace(kubectl, level) as namespace:
            means = asyncio.run(read(cluster, namespace, datastore, 5))
        assert means == MountMeans(expected, 5, level)
    # What no Datastore asks for is not asked of the server.
    assert asyncio.run(read(cluster, "none-such", naming(), 5)) == MountMeans({}, 5, None)


async def refused(status: int) -> MountMeans:
    async with broken_server() as (server, client):
        server.handler = refuse(status, "Forbidden")
        return await read_mount_means(client, "team-a", [naming("d.example.org", sidecar=True)], 0)


def test_who_may_not_look_leaves_it_to_the_kubelet() -> None:
    assert asyncio.run(refused(403)) == MountMeans({"d.example.org": Driver.UNKNOWN}, 0, None)


def test_a_server_that_is_in_need_is_asked_again_later() -> None:
    with pytest.raises(TryAgainError):
        asyncio.run(refused(503))
