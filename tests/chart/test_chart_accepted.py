"""The API server takes every template of the chart, in a `restricted` namespace, without a warning."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from chart.helm import Helm, Object, the_one
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


def dry_run(kubectl: Kubectl, objects: list[Object]) -> str:
    """All that the server says of these objects; nothing is stored."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    command = [str(kubectl.program), "--kubeconfig", str(kubectl.kubeconfig), "apply", "--server-side"]
    command += ["--force-conflicts", "--dry-run=server", "--filename", "-"]
    done = subprocess.run(command, input=listed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def make_account(kubectl: Kubectl, objects: list[Object]) -> None:
    """Makes the operator's service account, which a dry run does not."""
    kubectl("create", "--filename", "-", stdin=json.dumps(the_one(objects, "ServiceAccount")))


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"pods__platformAssignsUser": True}])
def test_every_template_is_accepted(
    helm: Helm, kubectl: Kubectl, namespace: str, values: dict[str, Any]
) -> None:
    objects = helm.render(namespace, watchNamespaces=[namespace], **values)
    # Admission asks for a pod's account.
    make_account(kubectl, objects)
    said = dry_run(kubectl, objects)
    assert "Warning" not in said
    assert said.count("serverside-applied") == len(objects)


@pytest.mark.parametrize("platform", [False, True])
def test_the_operators_pod_is_accepted_where_restricted_is_enforced(
    helm: Helm, kubectl: Kubectl, namespace: str, *, platform: bool
) -> None:
    objects = helm.render(namespace, pods__platformAssignsUser=platform)
    make_account(kubectl, objects)
    template = the_one(objects, "Deployment")["spec"]["template"]
    metadata = template["metadata"] | {"name": "operator", "namespace": namespace}
    dry_run(kubectl, [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}])
