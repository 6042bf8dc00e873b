"""A run with a pod of one of its steps, as the operator would have made it: for its logs."""

from __future__ import annotations

from typing import Any

from towpath.flow import names

UID = "6f7c9a1e-2b3d-4c5e-8f90-123456789abc"
IMAGE = "localhost/python:3.11-slim"


def a_run(**status: Any) -> dict[str, Any]:
    """A run that has such a status."""
    return {"metadata": {"name": "iris-1", "uid": UID}, "status": status}


def step_pod(step: str, scripts: dict[str, str], attempt: int = 1) -> dict[str, Any]:
    """A pod whose containers run scripts of the shell."""
    made = {name: _container(name, script) for name, script in scripts.items()}
    begins = [made.pop(names.STAGE_IN_CONTAINER)] if names.STAGE_IN_CONTAINER in made else []
    security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    metadata = {
        "name": f"iris-1-{step.replace('_', '-')}-{attempt}",
        "labels": names.attempt_labels("iris-1", UID, step, attempt),
        "annotations": names.attempt_annotations(step, "sha256:0", None, None),
    }
    spec = {"restartPolicy": "Never", "securityContext": security, "terminationGracePeriodSeconds": 0}
    spec |= {"initContainers": begins, "containers": list(made.values())}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _container(name: str, script: str) -> dict[str, Any]:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    command = ["sh", "-c", script]
    return {"name": name, "image": IMAGE, "command": command, "securityContext": security}
