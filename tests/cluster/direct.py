"""The API server without a kubectl in between: one that starts costs more processor time than what it asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from kubernetes import client, config

from cluster.waiting import wait_until
from towpath.api.meta import GROUP, VERSION

# The resources that tests ask for, by their plural names; all others are ours.
_GROUPS = {
    "": ("configmaps", "namespaces", "pods", "resourcequotas", "secrets", "serviceaccounts"),
    "authorization.k8s.io/v1": ("subjectaccessreviews",),
    "batch/v1": ("jobs",),
    "coordination.k8s.io/v1": ("leases",),
    "events.k8s.io/v1": ("events",),
    "apiextensions.k8s.io/v1": ("customresourcedefinitions",),
    "rbac.authorization.k8s.io/v1": ("clusterroles",),
    "storage.k8s.io/v1": ("csidrivers",),
}
_PREFIXES = {
    plural: f"/apis/{group}" if group else "/api/v1" for group, all_ in _GROUPS.items() for plural in all_
}
# Kinds whose objects are in no namespace.
_CLUSTER_WIDE = (
    "ClusterRole",
    "ClusterRoleBinding",
    "CSIDriver",
    "CustomResourceDefinition",
    "Namespace",
    "Node",
)
_MERGE, _APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
_STRICT = {"fieldValidation": "Strict"}
_FORCED = {"fieldManager": "tests", "force": "true"} | _STRICT


class RefusedError(AssertionError):
    """The API server refused where the test expected it to do what was asked."""

    def __init__(self, asked: str, status: int, said: str) -> None:
        super().__init__(f"{asked}: {status} {said}")
        self.status = status


@dataclass(frozen=True)
class Direct:
    """One user's connection; names of resources are plurals, objects are as the API has them."""

    kubeconfig: Path
    context: str

    def get(self, plural: str, name: str, namespace: str = "") -> Any:
        """One object."""
        return self._ask("GET", _path(plural, namespace, name))

    def select(self, plural: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Any]:
        """The objects with these labels or fields."""
        wanted = {"labelSelector": labels, "fieldSelector": fields}
        found: list[Any] = self._ask("GET", _path(plural, namespace), wanted)["items"]
        return found

    def make(self, plural: str, body: Mapping[str, Any], namespace: str = "") -> Any:
        """A new object, as it is then."""
        return self._ask("POST", _path(plural, namespace), _STRICT, body)

    def apply(self, *objects: Mapping[str, Any], namespace: str = "") -> None:
        """Objects made or changed, whoever else wrote fields of them; their own namespace comes first."""
        for body in objects:
            self._read("PATCH", _place(body, namespace), _FORCED, body, _APPLY)

    def would_warn(self, *objects: Mapping[str, Any]) -> list[str]:
        """The server's warnings at objects that must be accepted; nothing is stored."""
        trial = _FORCED | {"dryRun": "All"}
        answers = [self._answer("PATCH", _place(body), trial, body, _APPLY) for body in objects]
        return [said for answer in answers for said in answer.headers.getlist("Warning")]

    def patch(self, plural: str, name: str, changes: Mapping[str, Any], namespace: str = "") -> None:
        """Fields of an object changed."""
        self._ask("PATCH", _path(plural, namespace, name), {}, changes, _MERGE)

    def delete(self, plural: str, *names: str, namespace: str = "", wait: bool = True) -> None:
        """Objects taken away, by default until they are gone."""
        for name in names:
            self._ask("DELETE", _path(plural, namespace, name), {"propagationPolicy": "Background"})
        for name in names if wait else ():
            gone = wait_until(partial(self._is_gone, plural, name, namespace), 120)
            assert gone, f"{plural}/{name} in {namespace} is still there two minutes after its deletion"

    def log(self, pod: str, namespace: str, container: str) -> str:
        """What a container wrote so far."""
        path = f"{_path('pods', namespace, pod)}/log"
        return self._read("GET", path, {"container": container}).decode()

    def _is_gone(self, plural: str, name: str, namespace: str) -> bool:
        return not self.select(plural, namespace, fields=f"metadata.name={name}")

    def _ask(self, method: str, path: str, *query_and_sent: Any) -> Any:
        return json.loads(self._read(method, path, *query_and_sent))

    def _read(self, *asked: Any) -> bytes:
        data: bytes = self._answer(*asked).read()
        return data

    def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        kind: str = "application/json",
    ) -> Any:
        api = _connection(self.kubeconfig, self.context)
        asked = api.param_serialize(
            method,
            f"{path}?{urlencode(query or {})}",
            header_params={"Accept": "application/json, */*", "Content-Type": kind},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = api.call_api(*asked)
        said = answer.read()
        if answer.status >= 400:
            raise RefusedError(f"{method} {path}", answer.status, said.decode(errors="replace"))
        return answer


def _path(plural: str, namespace: str, name: str = "") -> str:
    return _joined(_PREFIXES.get(plural, f"/apis/{GROUP}/{VERSION}"), namespace, plural, name)


def _place(body: Mapping[str, Any], namespace: str = "") -> str:
    """Where an object is, by what it says of itself."""
    version, kind, metadata = body["apiVersion"], body["kind"].lower(), body["metadata"]
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    within = "" if body["kind"] in _CLUSTER_WIDE else metadata.get("namespace", namespace)
    return _joined(
        f"/apis/{version}" if "/" in version else f"/api/{version}", within, plural, metadata["name"]
    )


def _joined(prefix: str, namespace: str, plural: str, name: str) -> str:
    within = ["namespaces", namespace] if namespace else []
    return "/".join([prefix, *within, plural, *([name] if name else [])])


@cache
def _connection(kubeconfig: Path, context: str) -> client.ApiClient:
    connection: client.ApiClient = config.new_client_from_config(str(kubeconfig), context=context or None)
    return connection
