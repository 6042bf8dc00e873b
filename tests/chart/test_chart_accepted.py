"""The API server takes every template of the chart, in a `restricted` namespace, without a warning."""

from __future__ import annotations

from typing import Any

import pytest

from chart.helm import Helm, the_one
from cluster.kubectl import Kubectl

pytestmark = pytest.mark.server

EVERYTHING: dict[str, Any] = {
    "replicas": 2,
    "podDisruptionBudget__enabled": True,
    "networkPolicy__enabled": True,
    "imagePullSecrets": ["registry"],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "pool", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "priorityClassName": "system-cluster-critical",
    "serviceAccount__annotations": {"note": "x"},
    "service__annotations": {"note": "x"},
    "podLabels": {"team": "a"},
    "podAnnotations": {"note": "x"},
}


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"pods__platformAssignsUser": True}])
def test_every_template_is_accepted(
    helm: Helm, kubectl: Kubectl, namespace: str, values: dict[str, Any]
) -> None:
    objects = helm.render(namespace, watchNamespaces=[namespace], **values)
    # Admission asks for a pod's account, which a trial does not make.
    kubectl.apply(the_one(objects, "ServiceAccount"))
    assert len(objects) > 10
    assert kubectl.direct.would_warn(*objects) == []


@pytest.mark.parametrize("platform", [False, True])
def test_the_operators_pod_is_accepted_where_restricted_is_enforced(
    helm: Helm, kubectl: Kubectl, namespace: str, *, platform: bool
) -> None:
    objects = helm.render(namespace, pods__platformAssignsUser=platform)
    kubectl.apply(the_one(objects, "ServiceAccount"))
    template = the_one(objects, "Deployment")["spec"]["template"]
    metadata = template["metadata"] | {"name": "operator", "namespace": namespace}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    assert kubectl.direct.would_warn(pod) == []
