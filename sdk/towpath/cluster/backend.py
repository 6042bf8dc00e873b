"""`Backend` over Kubernetes: objects are those of one namespace, seen and changed with the user's own rights."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from towpath.backend import Container, Kind, LogLine, Manifest, Store
from towpath.cluster.addresses import ADDRESSES
from towpath.cluster.client import MERGE_PATCH, Client, RefusedError, Request
from towpath.cluster.direct_store import open_direct_store
from towpath.cluster.logs import follow_logs, read_logs
from towpath.cluster.remote_store import open_remote_store
from towpath.cluster.replace import replaced
from towpath.cluster.watching import watch_object
from towpath.errors import NotFoundError, UserErrorException
from towpath.flow import documents
from towpath.flow.near_names import near

# Who else writes a spec is a person or a controller: it settles, or something is wrong.
_TRIES = 5


class ClusterBackend:
    """One namespace of a cluster."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self._namespace = namespace

    @property
    def where(self) -> str:
        """For people: namespace and cluster."""
        return self.client.where

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self._namespace

    def get(self, kind: Kind, name: str) -> Manifest | None:
        """The object, or None."""
        doing = f"read {kind} {name}"
        try:
            return self.client.get(self.path(kind, name), doing)
        except RefusedError as refused:
            if refused.refusal.is_missing_object:
                return None
            raise self.client.error(refused, doing) from None

    def list_objects(self, kind: Kind, labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """All objects of the kind that have these labels, by name."""
        selector = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        query, doing = {"labelSelector": selector} if selector else {}, f"list objects of kind {kind}"
        try:
            found = self.client.list_all(self.path(kind), doing, query)
        except RefusedError as refused:
            raise self.client.error(refused, doing) from None
        typed = {"apiVersion": ADDRESSES[kind].api_version, "kind": str(kind)}
        return sorted((typed | item for item in found), key=lambda item: str(item["metadata"]["name"]))

    def create(self, manifest: Manifest) -> Manifest:
        """Make an object; its name may be left to the server (`generateName`)."""
        kind = kind_of(manifest)
        return self._send("POST", self.path(kind), f"create {_called(manifest)}", manifest)

    def apply(self, manifest: Manifest) -> Manifest:
        """Make the object, or bring what the manifest says to that; status and foreign labels stay."""
        kind, name = kind_of(manifest), str(manifest["metadata"]["name"])
        if kind is Kind.SECRET:
            return self._write_secret(name, manifest)
        for _ in range(_TRIES):
            try:
                return self._bring_to(kind, name, manifest)
            except RefusedError as refused:
                # Somebody made or changed it between our look and our write.
                if refused.refusal.code != 409:
                    raise self.client.error(refused, f"apply {_called(manifest)}") from None
        raise UserErrorException(
            f"Could not apply {_called(manifest)} in {self.where}: it changes all the time."
        )

    def patch(self, kind: Kind, name: str, patch: Mapping[str, Any]) -> Manifest:
        """A JSON merge patch."""
        request = Request(
            "PATCH", self.path(kind, name), f"change {kind} {name}", None, dict(patch), MERGE_PATCH
        )
        try:
            return self.client.send(request)
        except RefusedError as refused:
            if refused.refusal.is_missing_object:
                raise self._missing(kind, name) from None
            raise self.client.error(refused, request.doing) from None

    def delete(self, kind: Kind, name: str) -> None:
        """Delete the object and what it owns, if it is there."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        request = Request("DELETE", self.path(kind, name), f"delete {kind} {name}", None, options)
        try:
            self.client.send(request)
        except RefusedError as refused:
            if not refused.refusal.is_missing_object:
                raise self.client.error(refused, request.doing) from None

    def watch(self, kind: Kind, name: str, timeout_seconds: float | None = None) -> Iterator[Manifest]:
        """The object as it is, then each time it changed; ends at the timeout or when the object goes."""
        found = self.get(kind, name)
        if found is None:
            raise self._missing(kind, name)
        return watch_object(self.client, self.path(kind), found, timeout_seconds)

    def plan_of(self, run: Manifest) -> dict[str, Manifest] | None:
        """The documents of the run's plan, or None before it is planned or after it is gone."""
        name = (run.get("status") or {}).get("plan")
        found = self.get(Kind.CONFIG_MAP, name) if name else None
        if found is None:
            return None
        packed = {key: base64.b64decode(text) for key, text in (found.get("binaryData") or {}).items()}
        return documents.unpack(packed)

    def logs(
        self, run: Manifest, step: str | None = None, container: Container | None = None, follow: bool = False
    ) -> Iterator[LogLine]:
        """Lines of the run's containers as far as they are kept; with `follow` until the run has ended."""
        read = follow_logs if follow else read_logs
        return read(self, run, step, container)

    def open_store(self, datastore: str, direct: bool = False) -> AbstractContextManager[Store]:
        """Enter a datastore: through a mover pod of its own, or `direct` with this machine's own credentials."""
        return open_direct_store(self, datastore) if direct else open_remote_store(self, datastore)

    def path(self, kind: Kind, name: str | None = None) -> str:
        """The request path of a kind's collection here, or of one object."""
        return ADDRESSES[kind].path(self._namespace, name)

    def _send(self, method: str, path: str, doing: str, body: Manifest) -> Manifest:
        try:
            return self.client.send(Request(method, path, doing, None, body))
        except RefusedError as refused:
            raise self.client.error(refused, doing) from None

    def _bring_to(self, kind: Kind, name: str, manifest: Manifest) -> Manifest:
        found, doing = self.get(kind, name), f"apply {_called(manifest)}"
        if found is None:
            return self.client.send(Request("POST", self.path(kind), doing, None, manifest))
        return self.client.send(Request("PUT", self.path(kind, name), doing, None, replaced(found, manifest)))

    def _write_secret(self, name: str, manifest: Manifest) -> Manifest:
        """Replace it whole, or make it: nobody needs the right to read what is in it."""
        doing = f"write Secret {name}"
        try:
            return self.client.send(Request("PUT", self.path(Kind.SECRET, name), doing, None, manifest))
        except RefusedError as refused:
            if not refused.refusal.is_missing_object:
                raise self.client.error(refused, doing) from None
        return self._send("POST", self.path(Kind.SECRET), doing, manifest)

    def _missing(self, kind: Kind, name: str) -> NotFoundError:
        known = [item["metadata"]["name"] for item in self.list_objects(kind)]
        return NotFoundError(f"There is no {kind} {name} in {self.where}. {near(name, known)}")


def kind_of(manifest: Manifest) -> Kind:
    """The kind of a manifest; UserErrorException for one that this backend does not write."""
    kind = next((kind for kind in Kind if kind == manifest.get("kind")), None)
    if kind is None:
        raise UserErrorException(
            f"Objects of kind {manifest.get('kind')} are not Towpath's to write. {near('', Kind)}"
        )
    return kind


def _called(manifest: Manifest) -> str:
    metadata = manifest.get("metadata") or {}
    return f"{manifest.get('kind')} {metadata.get('name') or metadata.get('generateName', '')}"
