"""The API server as a judge: what it says of an object, or of a change, without keeping anything of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from kubernetes import client

from builders import Object, in_namespace
from towpath.api.crds import make_crds
from towpath.api.kinds import KINDS
from towpath.api.meta import GROUP, VERSION

PLURALS = {kind.info.kind: kind.info.plural for kind in KINDS}


@cache
def crds() -> dict[str, dict[str, Any]]:
    """All CRDs by their plural names; who only collects tests does not make them."""
    return make_crds()


@dataclass(frozen=True)
class Case:
    """A rule with an object that keeps it, one that breaks it, and what the user then reads."""

    rule: str
    good: Object
    bad: Object
    says: str

    def __str__(self) -> str:
        return self.rule


@dataclass(frozen=True)
class Change(Case):
    """A rule on changes: both objects are tried as the next state of `before`."""

    before: Object


@dataclass(frozen=True)
class Judge:
    """An API server and a namespace in it."""

    objects: client.CustomObjectsApi
    namespace: str

    def says_of(self, body: Object) -> str:
        """The message with which the object is refused; empty where it is accepted."""
        return self._refusal(self.objects.create_namespaced_custom_object, self._place(body), body)

    def says_of_change(self, change: Change, after: Object) -> str:
        """The message with which the change is refused; empty where it is accepted."""
        place = self._place(change.before)
        stored: Any = self.objects.create_namespaced_custom_object(
            **place, body=in_namespace(self.namespace, change.before)
        )
        name = stored["metadata"]["name"]
        try:
            version = {"resourceVersion": stored["metadata"]["resourceVersion"]}
            body = after | {"metadata": after["metadata"] | version}
            return self._refusal(self.objects.replace_namespaced_custom_object, place | {"name": name}, body)
        finally:
            self.objects.delete_namespaced_custom_object(**place, name=name)

    def stores(self, body: Object) -> Object:
        """The object as the server would store it, with its defaults."""
        place = self._place(body)
        stored: Any = self.objects.create_namespaced_custom_object(
            **place, body=in_namespace(self.namespace, body), dry_run="All", field_validation="Strict"
        )
        return dict(stored)

    def _place(self, body: Object) -> dict[str, Any]:
        plural = PLURALS[body["kind"]]
        return {"group": GROUP, "version": VERSION, "namespace": self.namespace, "plural": plural}

    def _refusal(self, call: Any, place: dict[str, Any], body: Object) -> str:
        sent = in_namespace(self.namespace, body)
        try:
            call(**place, body=sent, dry_run="All", field_validation="Strict")
        except client.ApiException as refused:
            return message_of(refused)
        return ""


def message_of(refused: client.ApiException) -> str:
    """What kubectl would print of a refusal."""
    return str(json.loads(str(refused.body))["message"])


def rules_in(node: Any) -> Iterator[dict[str, str]]:
    """All CEL rules below a node of a CRD."""
    if isinstance(node, dict):
        yield from node.get("x-kubernetes-validations", [])
        for child in node.values():
            yield from rules_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from rules_in(child)
