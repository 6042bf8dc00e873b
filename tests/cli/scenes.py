"""A namespace as it is after some work: datasets with versions, and runs planned by the real planner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import builders
from cli.memory import MemoryBackend
from flow.sightings import INSTALLATION, NOON, RUN_UID, a_pipeline, a_version, later, planned, ready
from towpath.api.pipelinerun import PipelineRun
from towpath.backend import Manifest
from towpath.flow.conditions import timestamp
from towpath.flow.contents import Content, InventoryRef
from towpath.flow.documents import write
from towpath.flow.fingerprint import fingerprint
from towpath.flow.planned import Plan

Document = dict[str, Any]

PREP = builders.make_step(
    "prep",
    image=INSTALLATION.step_image,
    args=["--share", "$(params.share)"],
    inputs=[{"name": "iris"}],
    outputs=[{"name": "clean"}],
)
TRAIN = builders.make_step(
    "train",
    image=INSTALLATION.step_image,
    inputs=[{"name": "clean", "from": {"step": "prep"}}],
    outputs=[{"name": "model", "register": {"name": "iris_model"}}],
)
PARAMS = [{"name": "share", "type": "number", "default": 80}]


def digest(letter: str) -> str:
    """A digest that is told from others by its letter."""
    return f"sha256:{letter * 64}"


def plan_of(
    name: str,
    uid: str = RUN_UID,
    *,
    version: int = 1,
    steps: tuple[Document, ...] = (PREP, TRAIN),
    **spec: Any,
) -> Plan:
    """The plan of a run that reads iris in this version."""
    body = builders.make_run(name, **spec)
    run = PipelineRun.parse(body | {"metadata": body["metadata"] | {"uid": uid, "generation": 1}})
    versions = tuple(
        a_version("iris", number, inventory=inventory_of(number)) for number in range(1, version + 1)
    )
    pipeline = a_pipeline(*steps, params=PARAMS)
    return planned(*steps, run=run, pipeline=pipeline, versions={"iris": versions})


def inventory_of(version: int) -> Document:
    """Where the inventory of a version of iris lies."""
    path = f"team-a/inventories/{'abcdef'[version - 1] * 64}.jsonl.gz"
    return builders.make_inventory_ref(path=path, digest=digest("abcdef"[version - 1]))


def output_entry(name: str, step: str, run: str, letter: str = "c", **fields: Any) -> Document:
    """An output in a step's status."""
    place = f"team-a/runs/{run}-11111111/{step}/1-x/{name}/inventory.jsonl.gz"
    return {
        "name": name,
        "datastore": "default",
        "inventory": place,
        "digest": digest(letter),
        "files": 10,
        "bytes": 2_000_000,
        "scratchBytes": 2_048_000,
        "directory": True,
        "seconds": 0.5,
    } | fields


def step_entry(name: str, start: float, end: float, *outputs: Document, **fields: Any) -> Document:
    """A step's status: it succeeded, from so many seconds after noon on."""
    return {
        "name": name,
        "state": "Succeeded",
        "reason": "Succeeded",
        "attempt": 1,
        "attemptId": "1-x",
        "startTime": timestamp(later(start)),
        "completionTime": timestamp(later(end)),
        "exitCode": 0,
        "bytesIn": 1_000_000,
        "stageInSeconds": 1.0,
        "outputs": list(outputs),
    } | fields


def run_object(plan: Plan, *entries: Document, state: str = "Succeeded", **status: Any) -> Manifest:
    """A run with this plan, whose steps have these statuses."""
    run = plan.run
    body = builders.make_run(run.name, params=dict(plan.params))
    meta = body["metadata"] | {
        "uid": run.uid,
        "generateName": "iris-",
        "creationTimestamp": timestamp(NOON),
    }
    done = sum(entry["state"] == "Succeeded" for entry in entries)
    told = {
        "state": state,
        "message": "all is done",
        "startTime": timestamp(NOON),
        "stepsTotal": len(plan.steps),
        "stepsDone": done,
        "progress": f"{done}/{len(plan.steps)}",
        "bytesIn": sum(entry.get("bytesIn", 0) for entry in entries),
        "bytesOut": sum(one["bytes"] for entry in entries for one in entry.get("outputs", ())),
        "steps": list(entries),
        "plan": f"{run.name}-plan",
        "planDigest": digest("9"),
        "conditions": [],
    }
    ended = {"completionTime": timestamp(later(60))} if state in ("Succeeded", "Failed", "Cancelled") else {}
    return body | {"metadata": meta, "status": told | ended | status}


def with_fingerprints(plan: Plan, run: Manifest) -> Manifest:
    """The run, its steps with the fingerprints that the planner would have given them."""
    steps = {step["name"]: step for step in run["status"]["steps"]}
    outputs = {
        (name, output["name"]): content(output) for name, step in steps.items() for output in step["outputs"]
    }
    for planned_step in plan.steps:
        given = {
            one.name: one.pinned or outputs[one.source.step, one.source.output]  # type: ignore[union-attr]
            for one in planned_step.inputs
        }
        steps[planned_step.name]["fingerprint"] = fingerprint(planned_step, given)
    return run


def content(output: Mapping[str, Any]) -> Content:
    """What an output in a status holds."""
    reference = InventoryRef(output["datastore"], output["inventory"], output["digest"])
    return Content(reference, output["files"], output["bytes"], output["scratchBytes"], output["directory"])


def finished(name: str = "iris-1", uid: str = RUN_UID, **spec: Any) -> tuple[Plan, Manifest]:
    """A run of both steps that went well, with its plan."""
    plan = plan_of(name, uid, **spec)
    prep = step_entry("prep", 2, 10, output_entry("clean", "prep", name))
    model = output_entry("model", "train", name, "d", version=1)
    train = step_entry("train", 11, 40, model, metrics=[{"name": "accuracy", "value": 0.94}])
    return plan, with_fingerprints(plan, run_object(plan, prep, train))


def namespace() -> MemoryBackend:
    """A namespace with a datastore, a dataset, its pipeline, and one run that went well."""
    plan, run = finished()
    maker = {"run": "iris-1", "step": "train", "output": "model", "attempt": "1-x"}
    derived = [{"digest": digest("c"), "input": "clean"}]
    model = builders.make_version(
        "iris-model",
        1,
        producedBy=maker,
        derivedFrom=derived,
        directory=True,
        files=10,
        bytes=2_000_000,
        inventory=builders.make_inventory_ref(path="team-a/runs/x/inventory.jsonl.gz", digest=digest("d")),
    )
    del model["spec"]["file"]
    backend = MemoryBackend().hold(
        ready(builders.make_datastore()),
        ready(builders.make_dataset(), latestVersion=1, lastVersion=1, files=1, bytes=3858),
        builders.make_version("iris", 1, inventory=inventory_of(1)),
        ready(builders.make_dataset("iris-model", sources=[]), latestVersion=1, lastVersion=1),
        model,
        ready(builders.make_pipeline("iris", PREP, TRAIN, params=PARAMS)),
        run,
    )
    backend.plans["iris-1"] = write(plan)
    return backend
