"""Pods for tests: one container, valid under the restricted Pod Security level."""

from __future__ import annotations

from typing import Any

from cluster.kubectl import Kubectl
from cluster.waiting import wait_until

PYTHON_IMAGE = "localhost/python:3.11-slim"


def restricted_pod(name: str, image: str, *arguments: str, command: tuple[str, ...] = ()) -> dict[str, Any]:
    """A pod that runs once, as nobody in particular and with no rights."""
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "args": list(arguments),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"restartPolicy": "Never", "securityContext": security, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def run_pod(kubectl: Kubectl, namespace: str, pod: dict[str, Any]) -> tuple[int, str]:
    """The exit code of a pod's container, and what it wrote."""
    name = pod["metadata"]["name"]
    kubectl.apply(pod, namespace=namespace)
    ended = wait_until(lambda: bool(_end_of(kubectl, namespace, name)), 120)
    assert ended, f"pod {name} of {namespace} did not end within two minutes"
    code = _end_of(kubectl, namespace, name)["exitCode"]
    return code, kubectl.direct.log(name, namespace, "main")


def _end_of(kubectl: Kubectl, namespace: str, pod: str) -> dict[str, Any]:
    containers = kubectl.direct.get("pods", pod, namespace)["status"].get("containerStatuses", [])
    found: dict[str, Any] = containers[0]["state"].get("terminated", {}) if containers else {}
    return found
