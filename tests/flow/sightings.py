"""Runs, plans and sightings of their Jobs and pods: valid ones, so that a test says only what matters to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import builders
from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun
from towpath.flow import names, store_keys
from towpath.flow.decide import begin
from towpath.flow.decision import Limits
from towpath.flow.documents import digested, plan_digest, write
from towpath.flow.mover_orders import CountSurvey, Listing, Survey
from towpath.flow.observed import Observed, ObservedAttempt, ObservedContainer, ObservedMover, ObservedPod
from towpath.flow.plan import plan as make_plan
from towpath.flow.planned import Plan, PlannedShards, PlannedStep
from towpath.flow.recorded import RecordedRun
from towpath.flow.resolve import resolve
from towpath.flow.sources import Installation, Known, Refused, Resolved, Sources, Waiting

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LIMITS = Limits()
RUN_UID = "11111111-2222-3333-4444-555555555555"
POD_UID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
INSTALLATION = Installation("python@sha256:" + "1" * 64, "towpath@sha256:" + "2" * 64, "cluster-1")


def later(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def ready(body: dict[str, Any], status: str = "True", generation: int = 1, **fields: Any) -> dict[str, Any]:
    """The object with a condition Ready, said of its present spec."""
    condition = {
        "type": "Ready",
        "status": status,
        "reason": "Ready" if status == "True" else "CredentialsRefused",
        "message": "as AKIA: 403",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-06-01T11:00:00Z",
    }
    metadata = body["metadata"] | {"generation": generation, "uid": f"uid-of-{body['metadata']['name']}"}
    return body | {"metadata": metadata, "status": {"conditions": [condition]} | fields}


def a_datastore(name: str = "default", **spec: Any) -> Datastore:
    """A Datastore that is Ready."""
    return Datastore.parse(ready(builders.make_datastore(name, **spec)))


def a_dataset(name: str = "iris", **spec: Any) -> Dataset:
    """A Dataset that is Ready."""
    return Dataset.parse(ready(builders.make_dataset(name, **spec), latestVersion=1, lastVersion=1))


def a_version(dataset: str = "iris", version: int = 1, **spec: Any) -> DatasetVersion:
    """A DatasetVersion."""
    return DatasetVersion.parse(builders.make_version(dataset, version, **spec))


def a_run(**spec: Any) -> PipelineRun:
    """A PipelineRun."""
    body = builders.make_run("iris-1", **spec)
    return PipelineRun.parse(body | {"metadata": body["metadata"] | {"uid": RUN_UID, "generation": 1}})


def a_pipeline(*steps: dict[str, Any], **spec: Any) -> Pipeline:
    """A Pipeline of these steps."""
    return Pipeline.parse(builders.make_pipeline("iris", *steps, **spec))


def sources(*steps: dict[str, Any], **fields: Any) -> Sources:
    """What was read for a run of a pipeline of these steps; `fields` replace parts of it."""
    read = Sources(
        run=a_run(),
        pipeline=a_pipeline(*steps),
        installation=INSTALLATION,
        first_seen_at=NOON,
        datasets={"iris": a_dataset()},
        versions={"iris": (a_version(),)},
        datastores={"default": a_datastore()},
        known=Known(pipelines=("iris",), datasets=("iris", "irises"), datastores=("default",)),
    )
    return replace(read, **fields)


def planned(*steps: dict[str, Any], **fields: Any) -> Plan:
    """The plan of a run of these steps."""
    resolved = surveyed(sources(*steps, **fields))
    assert isinstance(resolved, Resolved), resolved
    return make_plan(resolved)


def shared_out(plan: Plan, step: str, given: str, count: int, parallelism: int | None = None) -> Plan:
    """The plan, in which a step shares one input out; a share may be empty."""
    planned = plan.step(step)
    inputs = tuple(replace(one, allow_empty=one.allow_empty or one.name == given) for one in planned.inputs)
    after = digested(replace(planned, inputs=inputs, shards=PlannedShards(given, count, parallelism)))
    return replace(plan, steps=tuple(after if one.name == step else one for one in plan.steps))


def surveyed(
    read: Sources, seconds: float = 0, limits: Limits = LIMITS, **answers: Any
) -> Resolved | Waiting | Refused:
    """What a run comes to when its movers have answered; each view has one file unless a count is given."""
    while True:
        outcome = resolve(read, later(seconds), limits)
        if not isinstance(outcome, Waiting) or not outcome.surveys:
            return outcome
        found = tuple(answered(survey, **answers) for survey in outcome.surveys)
        read = replace(read, surveyors=read.surveyors + found)


def answered(survey: Survey, count: tuple[int, int, int] = (1, 3858, 4096), **found: Any) -> ObservedMover:
    """The mover of a survey, which has ended well; `found` are fields of each inventory's report."""
    if isinstance(survey, CountSurvey):
        text = json.dumps({"formatVersion": 1, "views": [count for _ in survey.views]})
        return ObservedMover(
            f"count-{survey.ask}", survey.ask, NOON, a_pod(container("count-views", 0, message=text))
        )
    told = [
        container(f"take-inventory-{number}", 0, message=inventory_report(listing, **found))
        for number, listing in enumerate(survey.listings)
    ]
    return ObservedMover(f"inventory-{survey.ask}", survey.ask, NOON, a_pod(*told))


def inventory_report(listing: Listing, letter: str = "e", **fields: Any) -> str:
    """What take-inventory says of a folder that it has listed."""
    inventory = {"datastore": listing.into, "path": f"team-a/inventories/{letter}.jsonl.gz"}
    report = {"formatVersion": 1, "inventory": inventory | {"digest": f"sha256:{letter * 64}"}}
    sizes = {"files": 3, "bytes": 300, "scratchBytes": 16384, "directory": True, "datastores": ["default"]}
    return json.dumps(report | sizes | fields)


def begun(plan: Plan) -> RecordedRun:
    """The record of a run whose plan has just been written."""
    return begin(plan, plan_digest(write(plan)), NOON)


def container(name: str, exit_code: int | None = None, state: str = "", **fields: Any) -> ObservedContainer:
    """A container: terminated where it has an exit code, else running unless said otherwise."""
    state = state or ("running" if exit_code is None else "terminated")
    times: dict[str, Any] = {} if state == "waiting" else {"started_at": later(2)}
    if state == "terminated":
        times["finished_at"] = later(10)
    return ObservedContainer(name, state, exit_code=exit_code, **(times | fields))


def a_pod(*containers: ObservedContainer, **fields: Any) -> ObservedPod:
    """A pod of these containers."""
    pod = ObservedPod(
        "pod", POD_UID, NOON, "Running", {one.name: one for one in containers}, started_at=later(1)
    )
    return replace(pod, **fields)


def a_job(
    plan: Plan, step: str, attempt: int = 1, pod: ObservedPod | None = None, **fields: Any
) -> ObservedAttempt:
    """The Job of an attempt of a step of this plan."""
    job = ObservedAttempt(
        job=names.job_name(plan.run.name, plan.run.uid, step, attempt),
        job_uid="job-uid",
        step=step,
        attempt=attempt,
        step_digest=plan.step(step).digest,
        owner_uid=plan.run.uid,
        created_at=NOON,
        pod=pod,
    )
    return replace(job, **fields)


def seen(*attempts: ObservedAttempt, **fields: Any) -> Observed:
    """A sighting of these Jobs."""
    return replace(Observed(attempts=attempts), **fields)


def stage_in_report() -> str:
    """What stage-in says when it has ended well."""
    return json.dumps({"formatVersion": 1, "files": 1, "bytes": 3858, "seconds": 0.5, "verified": "Bytes"})


def publish_report(step: PlannedStep, attempt: int = 1, uid: str = POD_UID, **fields: Any) -> str:
    """What publish says when it has published every output of a step."""
    attempt_id = (store_keys.shard_attempt_id if step.shards else store_keys.attempt_id)(attempt, uid)
    outputs = [publish_entry(step, output.name, attempt_id) for output in step.outputs]
    report = {
        "formatVersion": 1,
        "attempt": attempt_id,
        "outputs": outputs,
        "metrics": {"accuracy": 0.9},
    }
    return json.dumps(report | {"seconds": 1.5} | fields)


def publish_entry(step: PlannedStep, name: str, attempt_id: str = f"1-{POD_UID}") -> dict[str, Any]:
    """One output in a publisher's report."""
    output = {one.name: one for one in step.outputs}[name]
    inventory = {
        "datastore": output.datastore,
        "path": f"{output.prefix}{attempt_id}/{name}/inventory.jsonl.gz",
        "digest": "sha256:" + "cd" * 32,
    }
    sizes = {"files": 1, "bytes": 100, "scratchBytes": 4096, "directory": False, "file": name, "seconds": 1.0}
    return {"name": name, "inventory": inventory, **sizes}


def failure_report(reason: str, message: str = "it says why") -> str:
    """What a mover says when it failed."""
    return json.dumps({"formatVersion": 1, "reason": reason, "message": message})


def pod_of(plan: Plan, of: str, attempt: int = 1, **containers: Mapping[str, Any]) -> ObservedPod:
    """The pod of a step with movers that succeeded, but for what is said of stage_in, step and publish."""
    report = publish_report(plan.step(of), attempt)
    usual: dict[str, dict[str, Any]] = {
        "stage_in": {"exit_code": 0, "message": stage_in_report()},
        "step": {"exit_code": 0},
        "publish": {"exit_code": 0, "message": report},
    }
    told = {name: usual[name] | dict(containers.get(name, {})) for name in usual}
    return a_pod(*(container(name.replace("_", "-"), **fields) for name, fields in told.items()))


def succeeded(plan: Plan, step: str, attempt: int = 1) -> ObservedAttempt:
    """A Job whose pod has succeeded."""
    if plan.step(step).needs_movers:
        return a_job(plan, step, attempt, pod_of(plan, step, attempt))
    return a_job(plan, step, attempt, a_pod(container("step", 0)))
