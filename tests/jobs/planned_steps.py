"""Valid plans, steps and orders as the flow's frozen types: a test says only what matters to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.flow.contents import Content, InventoryRef, PinnedVersion
from towpath.flow.decision import AttemptOrder
from towpath.flow.documents import digested, digested_plan
from towpath.flow.planned import Plan, PlannedInput, PlannedOutput, PlannedStep, RunIdentity
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.sources import Installation
from towpath_operator.jobs.job import Owner

NAMESPACE = "team-a"
UID = "0123abcd-4567-89ab-cdef-0123456789ab"
MOVER_IMAGE = "localhost/towpath/towpath:dev"
INSTALLATION = Installation(step_image="python:3.12-slim", mover_image=MOVER_IMAGE, cluster_id="test")


def make_content(path: str = "iris", into: str = "default", **facts: Any) -> Content:
    """One file of 4 KiB in the default datastore, and its inventory `into` another, if that is said."""
    inventory = InventoryRef(into, f"{NAMESPACE}/inventories/{path}.jsonl.gz", "sha256:" + "ab" * 32)
    given: dict[str, Any] = {"files": 1, "bytes": 3858, "scratch_bytes": 4096, "directory": False}
    given |= {"file": "iris.csv", "datastores": ("default",)}
    return Content(inventory=inventory, **given | facts)


def make_input(name: str = "raw", path: str | None = None) -> PlannedInput:
    """An input that reads version 3 of dataset iris."""
    return PlannedInput(name, path or f"/towpath/inputs/{name}", PinnedVersion("iris", 3, make_content()))


def make_output(name: str = "clean", **facts: Any) -> PlannedOutput:
    """An output in the default datastore."""
    given = {"datastore": "default", "prefix": f"{NAMESPACE}/runs/iris-1-0123abcd/prep/"}
    given |= {"path": f"/towpath/outputs/{name}"}
    return PlannedOutput(name=name, **given | facts)


def make_step(name: str = "prep", **facts: Any) -> PlannedStep:
    """A step that runs a Python program, without data."""
    given: dict[str, Any] = {"command": ("python", "prep.py"), "args": (), "inputs": (), "outputs": ()}
    given |= {"image": "python:3.12-slim", "depends_on": (), "contract": {}}
    given |= {"result_prefix": f"{NAMESPACE}/runs/iris-1-0123abcd/{name}/"}
    return digested(PlannedStep(name=name, **given | facts))


def make_datastore(name: str = "default", **facts: Any) -> PlannedDatastore:
    """A datastore on S3 with credentials."""
    location = {"bucket": "ml-data", "prefix": "team-a/", "endpoint": "http://minio.data:9000"}
    given = {"location": location, "credentials_secret": "minio-creds"}
    return PlannedDatastore(name=name, **given | facts)


def make_plan(*steps: PlannedStep, **facts: Any) -> Plan:
    """The plan of run iris-1."""
    given: dict[str, Any] = {"params": {}, "datastores": (make_datastore(),)}
    run = facts.pop("run", RunIdentity("iris-1", UID, NAMESPACE))
    made = Plan(
        run=run, pipeline="iris", steps=steps, mover_image=MOVER_IMAGE, cluster_id="test", **given | facts
    )
    return digested_plan(made)


def make_order(
    step: PlannedStep, attempt: int = 1, contents: Mapping[str, Content] | None = None
) -> AttemptOrder:
    """The order for an attempt: every input is given what it pinned, unless a content says otherwise."""
    pinned = {
        given.name: given.source.content for given in step.inputs if isinstance(given.source, PinnedVersion)
    }
    return AttemptOrder(step.name, attempt, pinned | dict(contents or {}))


def make_owner(kind: str, name: str) -> Owner:
    """An object of ours that owns Jobs."""
    return Owner(kind, name, UID, NAMESPACE)
