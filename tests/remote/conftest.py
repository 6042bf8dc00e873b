"""A backend for a namespace of the test cluster, as the administrator and as a user with a few rights."""

from __future__ import annotations

import pytest

from cluster.access import Access
from cluster.kubectl import Kubectl
from towpath.cluster import ClusterBackend, open_backend


@pytest.fixture
def backend(served: Kubectl, cluster: Access, namespace: str) -> ClusterBackend:
    """A fresh namespace, as its administrator."""
    return open_backend(namespace, kubeconfig=cluster.kubeconfig, context=served.context or None)
