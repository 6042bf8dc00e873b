"""The kinds that the operator reads or writes, and where the API serves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Key(NamedTuple):
    """Names one object of the cluster."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Resource:
    """One kind's place in the API. `group` is empty for core."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """As it stands in an object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """The request path of a collection, an object, or a subresource of it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        parts.extend(part for part in (name, subresource) if part)
        return "/".join(parts)

    def key(self, item: dict[str, Any]) -> Key:
        """The key of an object of this kind."""
        meta = item["metadata"]
        return Key(self.kind, meta.get("namespace", ""), meta["name"])


GROUP, VERSION = "towpath.dev", "v1alpha1"
DATASTORES = Resource(GROUP, VERSION, "datastores", "Datastore")
DATASETS = Resource(GROUP, VERSION, "datasets", "Dataset")
DATASET_VERSIONS = Resource(GROUP, VERSION, "datasetversions", "DatasetVersion")
PIPELINES = Resource(GROUP, VERSION, "pipelines", "Pipeline")
PIPELINE_RUNS = Resource(GROUP, VERSION, "pipelineruns", "PipelineRun")
OURS = (DATASTORES, DATASETS, DATASET_VERSIONS, PIPELINES, PIPELINE_RUNS)

JOBS = Resource("batch", "v1", "jobs", "Job")
PODS = Resource("", "v1", "pods", "Pod")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
POD_TEMPLATES = Resource("", "v1", "podtemplates", "PodTemplate")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
CSI_DRIVERS = Resource("storage.k8s.io", "v1", "csidrivers", "CSIDriver")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = Resource("", "v1", "events", "Event")
NEW_EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
