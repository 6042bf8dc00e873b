"""The fixtures that give tests a real Kubernetes and a real S3 server. Loaded by tests/conftest.py."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from cluster.access import REPOSITORY, S3, Access, write_access
from cluster.kubectl import Kubectl, fresh_namespace
from cluster.local_store import running_store
from cluster.progress import ImpossibleHereError
from cluster.provider import Provider
from cluster.providers import choose_provider
from cluster.space import Space, client_for, fresh_space, new_space
from cluster.waiting import wait_until


@pytest.fixture(scope="session")
def provider() -> Provider:
    """Whoever provides the cluster; the test is skipped where nobody can."""
    try:
        return choose_provider()
    except ImpossibleHereError as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def cluster(provider: Provider) -> Access:
    """A running cluster, started if need be, and left running."""
    return write_access(provider.up())


@pytest.fixture(scope="session")
def kubectl(cluster: Access) -> Kubectl:
    """kubectl as the administrator."""
    on_path = shutil.which("kubectl")
    if cluster.tools is None and on_path is None:
        pytest.skip("no kubectl on the PATH")
    program = cluster.tools / "kubectl" if cluster.tools else Path(on_path or "kubectl")
    # An `existing` cluster's kubeconfig has contexts of its own.
    return Kubectl(program, cluster.kubeconfig, "admin" if cluster.tools else "")


@pytest.fixture(scope="session")
def served(kubectl: Kubectl) -> Kubectl:
    """kubectl, once the API server serves our kinds as crds/ says. They stay: others use the cluster too."""
    for file in (REPOSITORY / "crds").glob("*.yaml"):
        crd = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        kubectl.apply(crd)
        assert wait_until(partial(_is_served, kubectl, crd["metadata"]["name"]), 120), crd["metadata"]["name"]
    return kubectl


def _is_served(kubectl: Kubectl, crd: str) -> bool:
    status = kubectl.direct.get("customresourcedefinitions", crd).get("status", {})
    found = {condition["type"]: condition["status"] for condition in status.get("conditions", [])}
    return found.get("Established") == "True"


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A fresh namespace for one test."""
    with fresh_namespace(kubectl) as name:
        yield name


@pytest.fixture
def s3(cluster: Access) -> Iterator[Space]:
    """A fresh prefix on the cluster's S3 server, which pods and tests reach by the same endpoint."""
    with fresh_space(cluster.s3) as space:
        yield space


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """An S3 server on loopback, without a cluster and without root."""
    with running_store(tmp_path_factory.mktemp("store")) as server:
        client_for(server).make_bucket(server.bucket)
        yield server


@pytest.fixture
def local_s3(s3_server: S3) -> Space:
    """A fresh prefix on the loopback server."""
    return new_space(s3_server)
