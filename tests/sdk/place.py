"""A workspace in memory with what the article takes for granted: datastores, datasets, a compute target."""

from __future__ import annotations

from typing import Any

from builders import DIGEST, make_dataset, make_datastore, make_version
from cli.memory import MemoryBackend, MemoryStore
from towpath import Workspace
from towpath.flow import names

DATASTORES = ("default", "training_data", "my_adlsgen2")
DATASETS = ("raw_data", "mnist_opendataset")


def article_workspace() -> Workspace:
    """The workspace that the article begins with."""
    backend = MemoryBackend(stores={names.object_name(name): MemoryStore() for name in DATASTORES})
    backend.hold(*(given(make_datastore, name) for name in DATASTORES))
    for name in DATASETS:
        backend.hold(given(make_dataset, name), version_of(name, 1))
    metadata = {"name": "cpu-cluster", "namespace": backend.namespace}
    backend.hold({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": {}})
    return Workspace(lambda: backend)


def memory(workspace: Workspace) -> MemoryBackend:
    """The backend of a workspace in memory."""
    assert isinstance(workspace.backend, MemoryBackend)
    return workspace.backend


def given(make: Any, name: str, **spec: Any) -> dict[str, Any]:
    """An object under the name that Kubernetes takes, with the one that its user gave."""
    made: dict[str, Any] = make(names.object_name(name), **spec)
    made["metadata"]["annotations"] = {names.GIVEN_NAME_ANNOTATION: name}
    return made


def version_of(name: str, number: int, digest: str = DIGEST, **spec: Any) -> dict[str, Any]:
    """A version of a dataset, found by its label."""
    inventory = {
        "datastore": "default",
        "path": f"team-a/inventories/{name}-{number}.jsonl.gz",
        "digest": digest,
    }
    made = make_version(names.object_name(name), number, **{"inventory": inventory, **spec})
    made["metadata"]["labels"] = {names.DATASET_LABEL: names.object_name(name)}
    return made
