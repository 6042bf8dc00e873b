"""A user of a namespace who is not its administrator: a service account's token in a kubeconfig of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cluster.kubectl import Kubectl

_GROUP = "rbac.authorization.k8s.io"


def with_role(kubectl: Kubectl, namespace: str, rules: list[dict[str, Any]], file: Path) -> Path:
    """The kubeconfig of a user who has just these rights in the namespace."""
    kubectl.apply(_object("Role", "own", rules=rules), namespace=namespace)
    return _user(kubectl, namespace, {"kind": "Role", "name": "own"}, file)


def with_cluster_role(kubectl: Kubectl, namespace: str, name: str, file: Path) -> Path:
    """The kubeconfig of a user who has one of the cluster's roles, such as `edit`, in the namespace."""
    return _user(kubectl, namespace, {"kind": "ClusterRole", "name": name}, file)


def _user(kubectl: Kubectl, namespace: str, role: dict[str, str], file: Path) -> Path:
    subject = {"kind": "ServiceAccount", "name": "somebody", "namespace": namespace}
    binding = _object("RoleBinding", "somebody", subjects=[subject], roleRef={"apiGroup": _GROUP, **role})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "somebody"}}
    kubectl.apply(account, binding, namespace=namespace)
    token = kubectl("create", "token", "somebody", "--namespace", namespace).strip()
    config = kubectl.json("config", "view", "--raw", "--minify")
    config["users"] = [{"name": "somebody", "user": {"token": token}}]
    config["contexts"][0]["context"] |= {"user": "somebody", "namespace": namespace}
    file.write_text(json.dumps(config))
    return file


def _object(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": {"name": name}, **fields}
