"""Fixtures of the API's tests: the CRDs on the real API server, and a judge that asks it about objects."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from api.judge import PLURALS, Judge
from cluster.access import Access
from cluster.kubectl import Kubectl
from towpath.api.meta import GROUP

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def served(kubectl: Kubectl) -> Kubectl:
    """kubectl, once the API server serves our kinds as crds/ says. They stay: others use the cluster too."""
    kubectl("apply", "--server-side", "--force-conflicts", "--filename", str(CRDS))
    names = [f"crd/{plural}.{GROUP}" for plural in PLURALS.values()]
    kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
    return kubectl


@pytest.fixture(scope="session")
def judge(served: Kubectl, cluster: Access) -> Iterator[Judge]:
    """The API server, asked in a namespace of its own."""
    namespace = f"api-{secrets.token_hex(4)}"
    served("create", "namespace", namespace)
    context = served.context or None
    with config.new_client_from_config(str(cluster.kubeconfig), context=context) as connection:
        yield Judge(client.CustomObjectsApi(connection), namespace)
    served("delete", "namespace", namespace, "--wait=false")
