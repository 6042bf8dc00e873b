"""The operator as a process against a real cluster: runs end well or badly, and cost few writes."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from builders import in_namespace, make_dataset, make_datastore, make_pipeline, make_run
from cluster.access import Access
from cluster.waiting import wait_until
from controller.operator_process import OperatorProcess, running_operator
from controller.runs import Runs, Shared, plain_step

pytestmark = pytest.mark.server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "operator.log"


def test_a_one_step_run_succeeds_within_five_writes_and_then_costs_nothing(
    cluster: Access, runs: Runs, log: Path
) -> None:
    with running_operator(cluster, runs.namespace, log) as operator:
        before = operator.writes()
        runs.create("single", plain_step("only"))
        status = runs.finish("single")
        assert status["state"] == "Succeeded", operator.tail()
        assert status["planDigest"].startswith("sha256:")
        assert wait_until(lambda: "Complete" in str(runs.jobs("single")[0]["status"].get("conditions")), 120)
        after = operator.writes()
        assert after - before <= 5 + 2, "five of status, plan and Job, and two Events"
        passes = operator.passes("PipelineRun")
        touched = {"metadata": {"annotations": {"touched": "yes"}}}
        runs.kubectl.direct.patch("pipelineruns", "single", touched, runs.namespace)
        assert wait_until(lambda: operator.passes("PipelineRun") > passes, 10)
        assert operator.writes() == after
        assert operator.stop() == 0
    told = [event for event in runs.events("single") if event["type"] == "Normal"]
    assert [(event["reason"], event["note"]) for event in told] == [
        ("Planned", "steps: 1"),
        ("Succeeded", "1 of 1 steps succeeded"),
    ]
    lease = runs.kubectl.direct.get("leases", "towpath-operator", runs.namespace)
    assert lease["spec"].get("holderIdentity", "") == ""


def test_steps_start_in_their_order_and_a_failure_stops_what_depends_on_it(shared: Shared) -> None:
    program = ("print('line one')", "print('the last words')", "raise SystemExit(7)")
    bad = plain_step("bad", *program, dependsOn=["good"])
    shared.runs.create("chain", plain_step("good"), bad, plain_step("after", dependsOn=["bad"]))
    status = shared.runs.finish("chain")
    steps = {step["name"]: step for step in status["steps"]}
    assert status["conditions"][0]["reason"] == "StepFailed"
    assert steps["good"]["state"] == "Succeeded"
    assert (steps["bad"]["state"], steps["bad"]["exitCode"]) == ("Failed", 7)
    assert "the last words" in steps["bad"]["logTail"]
    assert steps["after"]["state"] == "Skipped"
    assert steps["good"]["completionTime"] <= steps["bad"]["startTime"]
    assert len(shared.runs.jobs("chain")) == 2


def test_row_42_other_branches_go_on_where_the_run_asks_for_it(shared: Shared) -> None:
    steps = [
        plain_step("bad", "raise SystemExit(7)"),
        plain_step("of_bad", dependsOn=["bad"]),
        plain_step("slow", "import time", "time.sleep(4)"),
        plain_step("of_slow", dependsOn=["slow"]),
    ]
    shared.runs.create("branches", *steps, continueOnStepFailure=True)

    status = shared.runs.finish("branches")

    assert {step["name"]: step["state"] for step in status["steps"]} == {
        "bad": "Failed",
        "of_bad": "Skipped",
        "slow": "Succeeded",
        "of_slow": "Succeeded",
    }
    assert status["conditions"][0]["reason"] == "StepFailed"


def test_a_failed_step_is_tried_again_as_often_as_it_says(shared: Shared) -> None:
    shared.runs.create("stubborn", plain_step("fails", "raise SystemExit(3)", retries=1))
    step = shared.runs.finish("stubborn")["steps"][0]
    assert (step["attempt"], step["failures"]) == (2, {"user": 2})
    names = sorted(job["metadata"]["name"] for job in shared.runs.jobs("stubborn"))
    assert [name[-2:] for name in names] == ["-1", "-2"]


def test_a_cancelled_run_ends_its_pods_and_accepts_nothing(shared: Shared) -> None:
    runs = shared.runs
    runs.create("long", plain_step("sleeps", "import time", "time.sleep(600)"))
    runs.reason_of("long", "sleeps", "Running")
    runs.kubectl.direct.patch("pipelineruns", "long", {"spec": {"cancel": True}}, runs.namespace)
    assert runs.finish("long", 90)["state"] == "Cancelled"
    assert wait_until(lambda: runs.pods("long") == [], 90)


def test_a_deleted_run_takes_its_pods_with_it_within_their_grace(shared: Shared) -> None:
    runs = shared.runs
    stubborn = ("import signal, time", "signal.signal(signal.SIGTERM, signal.SIG_IGN)", "time.sleep(600)")
    runs.create("deleted", plain_step("sleeps", *stubborn))
    runs.reason_of("deleted", "sleeps", "Running")
    runs.kubectl.direct.delete("pipelineruns", "deleted", namespace=runs.namespace)
    # Its program does not end on SIGTERM, and garbage collection may be quicker than the operator.
    assert wait_until(lambda: runs.pods("deleted") == [], 40)
    assert runs.jobs("deleted") == []


def test_a_run_whose_plan_is_gone_fails_with_plan_lost_and_makes_no_other(
    cluster: Access, runs: Runs, log: Path
) -> None:
    with running_operator(cluster, runs.namespace, log) as operator:
        runs.create(
            "robbed",
            plain_step("sleeps", "import time", "time.sleep(30)"),
            plain_step("next", dependsOn=["sleeps"]),
        )
        runs.reason_of("robbed", "sleeps", "Running")
        operator.kill()
        plan = runs.status("robbed")["plan"]
        runs.kubectl.direct.delete("configmaps", plan, namespace=runs.namespace)
        operator.start()
        status = runs.finish("robbed", 60)
        assert status["conditions"][0]["reason"] == "PlanLost"
        found = runs.kubectl.direct.select("configmaps", runs.namespace, fields=f"metadata.name={plan}")
        assert found == []


def test_a_job_of_somebody_else_is_never_adopted(cluster: Access, runs: Runs, log: Path) -> None:
    operator = OperatorProcess(cluster, runs.namespace, log)
    runs.create("victim", plain_step("only"))
    uid = runs.get("victim")["metadata"]["uid"]
    name = f"victim-{uid[:8]}-only-1"
    container = {"name": "c", "image": "localhost/python:3.11-slim", "command": ["true"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"suspend": True, "template": template},
    }
    runs.kubectl.apply(job, namespace=runs.namespace)
    operator.start()
    try:
        status = runs.finish("victim")
        assert status["steps"][0]["reason"] == "NameTaken"
        assert name in status["steps"][0]["message"]
    finally:
        operator.kill()


def test_objects_are_byte_equal_after_handling_but_for_their_status(
    cluster: Access, runs: Runs, log: Path
) -> None:
    made = [
        in_namespace(runs.namespace, body)
        for body in (
            make_datastore("store", s3={"bucket": "does-not-matter", "endpoint": "http://127.0.0.1:1"}),
            make_dataset("flowers", sources=[{"path": "f.csv", "datastore": "store"}]),
            make_pipeline("iris", plain_step("only")),
            make_run("done", pipelineSpec={"steps": [plain_step("only")]}),
        )
    ]
    runs.kubectl.apply(*made)
    plurals = ("datastores", "datasets", "pipelines", "pipelineruns")

    def seen() -> dict[str, list[Any]]:
        items = {plural: runs.kubectl.direct.select(plural, runs.namespace) for plural in plurals}
        for item in chain.from_iterable(items.values()):
            item.pop("status", None)
            item["metadata"].pop("resourceVersion")
            item["metadata"].pop("managedFields", None)
        return items

    before = seen()
    with running_operator(cluster, runs.namespace, log) as operator:
        runs.finish("done")
        text = 'towpath_reconciles_total{kind="Dataset",outcome="done"}'
        assert wait_until(lambda: text in operator.get("/metrics")[1], 120)
        assert operator.stop() == 0
    assert seen() == before
