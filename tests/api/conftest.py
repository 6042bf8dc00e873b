"""A judge that asks the real API server about objects."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from kubernetes import client, config

from api.judge import Judge
from cluster.access import Access
from cluster.kubectl import Kubectl


@pytest.fixture(scope="session")
def judge(served: Kubectl, cluster: Access) -> Iterator[Judge]:
    """The API server, asked in a namespace of its own."""
    namespace = f"api-{secrets.token_hex(4)}"
    served("create", "namespace", namespace)
    context = served.context or None
    with config.new_client_from_config(str(cluster.kubeconfig), context=context) as connection:
        yield Judge(client.CustomObjectsApi(connection), namespace)
    served("delete", "namespace", namespace, "--wait=false")
