"""Pods for tests: one container, valid under the restricted Pod Security level."""

from __future__ import annotations

from typing import Any

from cluster.kubectl import Kubectl

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
    ended = "--for=jsonpath={.status.containerStatuses[0].state.terminated}"
    kubectl("wait", ended, f"pod/{name}", "--namespace", namespace, "--timeout=120s")
    found = kubectl.json("get", "pod", name, "--namespace", namespace)
    code = found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]
    return code, kubectl("logs", name, "--namespace", namespace)
