"""Kinds → where the API server serves them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from towpath.backend import Kind
from towpath.flow.names import API_VERSION


@dataclass(frozen=True)
class Address:
    """One kind's place in the API; `api_version` as it stands in its objects."""

    kind: str
    api_version: str
    plural: str

    def path(self, namespace: str, name: str | None = None, subresource: str | None = None) -> str:
        """The request path of a collection, of an object, or of a subresource of it."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        parts = [part for part in (name, subresource) if part]
        return "/".join([root, "namespaces", quote(namespace), self.plural, *map(quote, parts)])


_OURS = {
    Kind.DATASTORE: "datastores",
    Kind.DATASET: "datasets",
    Kind.DATASET_VERSION: "datasetversions",
    Kind.PIPELINE: "pipelines",
    Kind.PIPELINE_RUN: "pipelineruns",
}
_CORE = {Kind.CONFIG_MAP: "configmaps", Kind.POD_TEMPLATE: "podtemplates", Kind.SECRET: "secrets"}

ADDRESSES = {kind: Address(kind, API_VERSION, plural) for kind, plural in _OURS.items()}
ADDRESSES |= {kind: Address(kind, "v1", plural) for kind, plural in _CORE.items()}

PODS = Address("Pod", "v1", "pods")
EVENTS = Address("Event", "v1", "events")
JOBS = Address("Job", "batch/v1", "jobs")
