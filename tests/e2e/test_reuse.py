"""What was computed once is not computed again: hits cost one pod, misses say why, and a failed run is taken up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, step_of

pytestmark = pytest.mark.story

PARAMS = [{"name": "share", "type": "number", "default": 80}]
CLEAN = {
    "name": "reuse_clean",
    "command": ["sh", "-c", "echo rows > $0", "$(outputs.rows.path)"],
    "outputs": [{"name": "rows"}],
}
TRAIN = {
    "name": "reuse_train",
    "inputs": [{"name": "rows", "from": {"step": "reuse_clean"}}],
    "command": ["sh", "-c", "cat $0 > $1; echo $2 >> $1"],
    "args": ["$(inputs.rows.path)", "$(outputs.model.path)", "$(params.share)"],
    "outputs": [{"name": "model", "register": {"name": "reuse-model"}}],
}


def started(tenant: Tenant, *steps: dict[str, Any], **spec: Any) -> str:
    """A run of these steps, which are reused although the test cluster's images have but tags."""
    pipeline = {"params": PARAMS, "stepDefaults": {"reuse": "Always"}, "steps": list(steps)}
    return tenant.start({"pipelineSpec": pipeline, **spec})


def ended_well(tenant: Tenant, run: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first and the last step of a run that has succeeded."""
    status = tenant.finish(run)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    return status["steps"][0], status["steps"][-1]


@pytest.fixture(scope="module")
def first(tenant: Tenant, default_store: str) -> str:
    """A run that has computed both steps; its name."""
    run = started(tenant, CLEAN, TRAIN)
    clean, train = ended_well(tenant, run)
    assert clean["reuseMiss"] == train["reuseMiss"] == {"reason": "NothingEarlier"}
    return run


def test_the_same_run_again_costs_one_pod_and_registers_nothing_new(tenant: Tenant, first: str) -> None:
    run = started(tenant, CLEAN, TRAIN)

    steps = ended_well(tenant, run)

    assert [step["reusedFrom"]["run"] for step in steps] == [first, first]
    assert (len(tenant.jobs(run, "verify")), tenant.jobs(run)) == (1, [])
    before = tenant.status("pipelineruns", first)["steps"]
    assert [step["outputs"][0]["digest"] for step in steps] == [
        step["outputs"][0]["digest"] for step in before
    ]
    assert steps[1]["outputs"][0]["version"] == before[1]["outputs"][0]["version"] == 1


def test_another_parameter_is_a_miss_that_names_it_and_what_is_before_it_is_taken(
    tenant: Tenant, first: str
) -> None:
    run = started(tenant, CLEAN, TRAIN, params={"share": 90})

    clean, train = ended_well(tenant, run)

    assert clean["reusedFrom"]["run"] == first
    assert (train["reuseMiss"]["reason"], train["reuseMiss"]["components"]) == ("Changed", ["params"])
    assert train["outputs"][0]["version"] == 2


def test_bytes_that_are_gone_are_computed_again_and_being_the_same_keep_what_follows(
    tenant: Tenant, space: Space, first: str
) -> None:
    lost = step_of(tenant.status("pipelineruns", first), "reuse_clean")["outputs"][0]["inventory"]
    folder = lost.removesuffix("inventory.jsonl.gz")
    [data] = [key for key in space.keys(folder) if key.startswith(f"{folder}data/")]
    space.client.remove_object(space.bucket, space.prefix + data)

    run = started(tenant, CLEAN, TRAIN)
    clean, train = ended_well(tenant, run)

    assert (clean["reuseMiss"]["reason"], clean["reuseMiss"]["run"]) == ("OutputGone", first)
    assert clean["outputs"][0]["inventory"] != lost
    assert train["reusedFrom"]["run"] == first


def test_of_two_runs_at_once_one_computes_and_the_other_waits_for_it(
    tenant: Tenant, default_store: str
) -> None:
    slow = {**CLEAN, "name": "reuse_slow", "command": ["sh", "-c", "sleep 5; echo slow > $0"]}
    slow["args"] = ["$(outputs.rows.path)"]
    runs = [started(tenant, slow) for _ in range(2)]

    steps = [ended_well(tenant, run)[0] for run in runs]

    assert sum(len(tenant.jobs(run)) for run in runs) == 1
    assert sum("reusedFrom" in step for step in steps) == 1
    assert len({step["outputs"][0]["inventory"] for step in steps}) == 1


def test_a_failed_run_is_taken_up_at_its_failed_step_whatever_its_images_tag(
    tenant: Tenant, default_store: str
) -> None:
    key = {"configMapKeyRef": {"name": "reuse-cure", "key": "cure", "optional": True}}
    ill = {**TRAIN, "name": "reuse_ill", "env": [{"name": "CURE", "valueFrom": key}]}
    ill["command"] = ["sh", "-ec", 'test -n "$CURE"; cat $0 > $1']
    failed = tenant.start({"pipelineSpec": {"params": PARAMS, "steps": [CLEAN, ill]}})
    status = tenant.finish(failed)
    assert (status["state"], step_of(status, "reuse_ill")["reason"]) == ("Failed", "ExitCode")
    assert step_of(status, "reuse_clean")["reuseMiss"]["reason"] == "ImageNotPinned"
    tenant.kubectl("create", "configmap", "reuse-cure", "--from-literal=cure=yes")

    clean, again = ended_well(tenant, run := tenant.start({"retryOf": {"name": failed}}))

    assert clean["reusedFrom"]["run"] == failed
    assert again["outputs"][0]["files"] == 1
    assert len(tenant.jobs(run)) == 1
