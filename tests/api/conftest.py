"""A judge that asks the real API server about objects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes import client, config

from api.judge import Judge
from cluster.access import Access
from cluster.kubectl import Kubectl, fresh_namespace


@pytest.fixture(scope="session")
def judge(served: Kubectl, cluster: Access) -> Iterator[Judge]:
    """The API server, asked in a namespace of its own."""
    context = served.context or None
    with (
        fresh_namespace(served) as namespace,
        config.new_client_from_config(str(cluster.kubeconfig), context=context) as connection,
    ):
        yield Judge(client.CustomObjectsApi(connection), namespace)
