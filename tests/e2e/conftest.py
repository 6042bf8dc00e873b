"""One installation for all stories: the chart with our image, and a user's namespace under `restricted`."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from cluster.access import Access
from cluster.installation import Tools, create_namespace, install, uninstall
from cluster.native.images import STATIC_STEP_IMAGE, build_static_step
from cluster.provider import Provider
from cluster.space import Space, fresh_space
from cluster.towpath_image import load_image
from e2e.node_folder import NodeFolder, node_folder
from e2e.tenant import Tenant, is_ready


@pytest.fixture(scope="session")
def tools(cluster: Access) -> Tools:
    """kubectl and helm of the test cluster."""
    return Tools(cluster)


@pytest.fixture(scope="session")
def tenants(cluster: Access, tools: Tools) -> Iterator[tuple[Tenant, Tenant]]:
    """Two namespaces that an operator of their own, installed by Helm, watches; with the store's Secret in each.

    The first is restricted, the second is not: there a FUSE sidecar may run, which the chart enables.
    """
    mark = secrets.token_hex(3)
    system, namespaces = f"towpath-e2e-{mark}", [f"tenant-{mark}", f"roomy-{mark}"]
    load_image()
    create_namespace(tools, namespaces[0])
    create_namespace(tools, namespaces[1], level="privileged")
    limits = {"startTimeoutSeconds": 20, "maxScratchBytes": 10**12}
    sweep = {"olderThanSeconds": 0, "dryRun": False}
    mounts = {"fuseSidecar": {"enabled": True}}
    install(tools, f"e2e-{mark}", system, namespaces, limits=limits, sweep=sweep, mounts=mounts)
    made = [Tenant(tools, cluster, namespace) for namespace in namespaces]
    for tenant in made:
        tenant.secret("store", cluster.s3.admin)
    yield made[0], made[1]
    tools.kubectl.direct.delete("namespaces", *namespaces, wait=False)
    uninstall(tools, f"e2e-{mark}", system)
    tools.kubectl.direct.delete("namespaces", system, wait=False)


@pytest.fixture(scope="session")
def tenant(tenants: tuple[Tenant, Tenant]) -> Tenant:
    """A user's namespace."""
    return tenants[0]


@pytest.fixture(scope="session")
def roomy(tenants: tuple[Tenant, Tenant]) -> Tenant:
    """A user's namespace whose Pod Security level lets everything in."""
    return tenants[1]


@pytest.fixture(scope="session")
def this_machine(cluster: Access) -> str:
    """Where pods find servers of this machine: the address from which it speaks to the cluster's store."""
    place = urlsplit(cluster.s3.endpoint)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((place.hostname, place.port or 80))
        return str(probe.getsockname()[0])


@pytest.fixture(scope="session")
def space(cluster: Access) -> Iterator[Space]:
    """A prefix of the shared bucket for all stories."""
    with fresh_space(cluster.s3) as space:
        yield space


@pytest.fixture(scope="session")
def default_store(tenant: Tenant, space: Space) -> str:
    """The Datastore `default`, Ready; its name."""
    tenant.apply("Datastore", "default", tenant.s3_datastore(space))
    tenant.until("datastores", "default", is_ready)
    return "default"


@pytest.fixture(scope="module")
def folder(tools: Tools) -> Iterator[NodeFolder]:
    """A folder of the node with files of somebody."""
    with node_folder(tools) as made:
        yield made


@pytest.fixture(scope="session")
def static_step(provider: Provider, cluster: Access) -> str:
    """The name of an image on the cluster that holds one static program and nothing else."""
    provider.load_image(build_static_step(), STATIC_STEP_IMAGE)
    return STATIC_STEP_IMAGE
