"""Valid objects of every kind, as dictionaries: a test says only what matters to it.

Keyword arguments are fields of the spec as the API names them, and replace the builder's own:
`make_dataset("iris", sources=[{"path": "iris.csv", "hash": "Content"}])`.
"""

from __future__ import annotations

import itertools
from typing import Any

Object = dict[str, Any]

API_VERSION = "towpath.dev/v1alpha1"
NAMESPACE = "team-a"
DIGEST = "sha256:" + "ab" * 32
UID = "6f7c9a1e-2b3d-4c5e-8f90-123456789abc"


def make_object(kind: str, name: str, spec: Object) -> Object:
    """An object of any kind."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


def in_namespace(namespace: str, body: Object) -> Object:
    """The same object in another namespace."""
    return body | {"metadata": body["metadata"] | {"namespace": namespace}}


def make_datastore(name: str = "default", **spec: Any) -> Object:
    """A Datastore on S3, unless another kind of store is given."""
    if not {"s3", "azureBlob", "gcs", "persistentVolumeClaim"} & spec.keys():
        spec["s3"] = make_s3()
    return make_object("Datastore", name, spec)


def make_s3(**fields: Any) -> Object:
    """The `s3` part of a Datastore."""
    return {
        "endpoint": "http://minio.data:9000",
        "bucket": "ml-data",
        "prefix": "team-a/",
        "credentialsSecretRef": {"name": "minio-creds"},
    } | fields


def make_dataset(name: str = "iris", **spec: Any) -> Object:
    """A Dataset with one file as its source."""
    return make_object("Dataset", name, {"sources": [{"path": "iris.csv"}]} | spec)


def make_version(dataset: str = "iris", version: int = 1, **spec: Any) -> Object:
    """A DatasetVersion of one file, taken from a source."""
    facts = {
        "dataset": dataset,
        "version": version,
        "type": "File",
        "directory": False,
        "file": "iris.csv",
        "inventory": make_inventory_ref(),
        "datastores": ["default"],
        "files": 1,
        "bytes": 3858,
        "scratchBytes": 4096,
    }
    return make_object("DatasetVersion", f"{dataset}-v{version}", facts | spec)


def make_inventory_ref(**fields: Any) -> Object:
    """Where an inventory lies."""
    return {"datastore": "default", "path": f"{NAMESPACE}/inventories/ab.jsonl.gz", "digest": DIGEST} | fields


def make_step(name: str = "prep", **fields: Any) -> Object:
    """A step with an image and a command, and no data."""
    return {"name": name, "image": "python:3.12-slim", "command": ["python", f"{name}.py"]} | fields


def make_pipeline_spec(*steps: Object, **spec: Any) -> Object:
    """The spec of a Pipeline; of one step that reads `iris` and writes `clean`, where no steps are given."""
    prep = make_step(inputs=[{"name": "iris"}], outputs=[{"name": "clean"}])
    return {"steps": list(steps) or [prep]} | spec


def make_pipeline(name: str = "iris", *steps: Object, **spec: Any) -> Object:
    """A Pipeline of the steps given, or of one step."""
    return make_object("Pipeline", name, make_pipeline_spec(*steps, **spec))


def make_chain(*names: str) -> list[Object]:
    """Steps of which each reads what the one before it wrote; the first reads `iris`."""
    steps = [make_step(names[0], inputs=[{"name": "iris"}], outputs=[{"name": "data"}])]
    for before, name in itertools.pairwise(names):
        inputs = [{"name": "data", "from": {"step": before}}]
        steps.append(make_step(name, inputs=inputs, outputs=[{"name": "data"}]))
    return steps


def make_run(name: str = "iris-1", **spec: Any) -> Object:
    """A PipelineRun of the Pipeline `iris`, unless it says what else to run."""
    if not {"pipelineRef", "pipelineSpec", "retryOf"} & spec.keys():
        spec["pipelineRef"] = {"name": "iris"}
    return make_object("PipelineRun", name, spec)


def make_step_status(name: str = "prep", **fields: Any) -> Object:
    """The status of a step that has succeeded and published one output."""
    output = {
        "name": "data",
        "datastore": "default",
        "inventory": f"{NAMESPACE}/runs/iris-1-0a1b2c3d/{name}/1-{UID}/data/inventory.jsonl.gz",
        "digest": DIGEST,
        "files": 100,
        "bytes": 123_456_789,
        "scratchBytes": 123_469_824,
        "directory": True,
        "seconds": 1.25,
    }
    return {
        "name": name,
        "state": "Succeeded",
        "attempt": 1,
        "attemptId": f"1-{UID}",
        "startTime": "2026-11-23T03:00:00Z",
        "completionTime": "2026-11-23T03:00:10Z",
        "exitCode": 0,
        "outputs": [output],
    } | fields
