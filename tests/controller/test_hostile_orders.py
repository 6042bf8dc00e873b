"""What people and other controllers do to the things that a run has made, at the worst moment."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from builders import in_namespace, make_run
from cluster.access import Access
from cluster.kubectl import Kubectl, fresh_namespace
from cluster.space import Space
from cluster.waiting import wait_until
from controller.operator_process import running_operator
from controller.runs import Runs, Shared, plain_step
from controller.test_killed_operator import make_store

pytestmark = pytest.mark.fault

LONG = ("import time", "time.sleep(600)")


def running_pod(runs: Runs, run: str) -> str:
    """The name of the one pod of the run's step, which runs."""
    runs.reason_of(run, "only", "Running", 60)
    [pod] = runs.pods(run)
    return str(pod["metadata"]["name"])


def going(runs: Runs, run: str) -> list[str]:
    """The pods of a run that nobody has told to end, by name."""
    return [pod["metadata"]["name"] for pod in runs.pods(run) if "deletionTimestamp" not in pod["metadata"]]


def test_pods_of_a_run_that_went_unnoticed_end_before_another_of_its_name_begins(
    cluster: Access, runs: Runs, tmp_path: Path
) -> None:
    with running_operator(cluster, runs.namespace, tmp_path / "operator.log") as operator:
        runs.create("again", plain_step("only", *LONG))
        old = running_pod(runs, "again")
        operator.kill()
        where = ("--namespace", runs.namespace)
        runs.kubectl("delete", "pipelinerun.towpath.dev/again", *where, "--cascade=orphan")
        runs.create("again", plain_step("only"))
        operator.start()
        assert runs.finish("again")["state"] == "Succeeded"
        assert old not in going(runs, "again")


def test_a_pod_whose_job_was_taken_away_does_not_go_on_beside_the_one_that_does_its_work_again(
    shared: Shared,
) -> None:
    runs = shared.runs
    runs.create("orphaned", plain_step("only", *LONG))
    old = running_pod(runs, "orphaned")
    [job] = runs.jobs("orphaned")
    name = job["metadata"]["name"]
    runs.kubectl("delete", "job", name, "--namespace", runs.namespace, "--cascade=orphan")
    assert wait_until(lambda: old not in going(runs, "orphaned"), 120)
    assert wait_until(lambda: runs.step("orphaned", "only").get("attempt") == 2, 120)
    assert wait_until(lambda: len(going(runs, "orphaned")) == 1, 120)
    assert runs.step("orphaned", "only")["failures"] == {"disruption": 1}


def test_a_pod_that_lost_its_jobs_labels_does_not_go_on_beside_the_one_that_its_job_makes_for_it(
    shared: Shared,
) -> None:
    runs = shared.runs
    runs.create("relabelled", plain_step("only", *LONG))
    old = running_pod(runs, "relabelled")
    labels = ("job-name-", "controller-uid-")
    runs.kubectl(
        "label",
        "pod",
        old,
        "--namespace",
        runs.namespace,
        *labels,
        *(f"batch.kubernetes.io/{label}" for label in labels),
    )
    assert wait_until(lambda: len(going(runs, "relabelled")) == 1 and going(runs, "relabelled") != [old], 120)
    assert runs.step("relabelled", "only")["attempt"] == 1


def test_two_installations_that_watch_one_namespace_do_nothing_twice(
    cluster: Access, served: Kubectl, runs: Runs, tmp_path: Path
) -> None:
    names = [f"both-{number}" for number in range(3)]
    fails = plain_step("b", "raise SystemExit(3)", retries=1, dependsOn=["a"])
    with (
        fresh_namespace(served) as one,
        fresh_namespace(served) as other,
        running_operator(cluster, one, tmp_path / "one.log", runs.namespace),
        running_operator(cluster, other, tmp_path / "other.log", runs.namespace),
    ):
        for name in names:
            runs.create(name, plain_step("a"), fails)
        ended = {name: runs.finish(name)["steps"] for name in names}
    for name, steps in ended.items():
        told = [(step["attempt"], step["state"], step.get("failures")) for step in steps]
        assert told == [(1, "Succeeded", None), (2, "Failed", {"user": 2})]
        assert len(runs.jobs(name)) == 3


def test_a_plan_that_somebody_put_in_the_place_of_a_runs_own_is_refused_before_anything_is_done(
    cluster: Access, runs: Runs, s3: Space, tmp_path: Path
) -> None:
    make_store(cluster, runs, s3)
    write: dict[str, Any] = {
        **plain_step("write", dependsOn=["only"]),
        "command": ["sh", "-c", 'echo "$1" > "$2"', "sh", "$(params.word)", "$(outputs.out.path)"],
        "outputs": [{"name": "out"}],
    }
    waits = plain_step("only", "import time", "time.sleep(8)")
    params = [{"name": "word", "type": "string", "default": "meant"}]
    run = make_run("robbed", pipelineSpec={"steps": [waits, write], "params": params})
    with running_operator(cluster, runs.namespace, tmp_path / "operator.log"):
        runs.kubectl.apply(in_namespace(runs.namespace, run))
        running_pod(runs, "robbed")
        replace_plan(runs, runs.status("robbed")["plan"])
        status = runs.finish("robbed")
    steps = {step["name"]: step for step in status["steps"]}
    assert (steps["write"]["state"], steps["write"]["reason"]) == ("Failed", "PlanDrift")
    assert "run.json.gz" in steps["write"]["message"]
    assert status["state"] == "Failed"


def test_a_run_goes_on_though_its_datastore_is_deleted(
    cluster: Access, runs: Runs, s3: Space, tmp_path: Path
) -> None:
    make_store(cluster, runs, s3)
    write = {
        **plain_step("write", dependsOn=["only"]),
        "command": ["sh", "-c", 'echo so > "$1"', "sh", "$(outputs.out.path)"],
        "outputs": [{"name": "out"}],
    }
    with running_operator(cluster, runs.namespace, tmp_path / "operator.log"):
        runs.create("planned", plain_step("only", "import time", "time.sleep(6)"), write)
        running_pod(runs, "planned")
        runs.kubectl("delete", "datastore.towpath.dev/default", "--namespace", runs.namespace)
        status = runs.finish("planned")
    assert status["state"] == "Succeeded", status
    [output] = status["steps"][1]["outputs"]
    assert s3.get(output["inventory"].replace("inventory.jsonl.gz", "data/out")) == b"so\n"


def replace_plan(runs: Runs, name: str) -> None:
    """Delete a plan, and make one of its name with another part that all pods share."""
    where = ("--namespace", runs.namespace)
    plan = runs.kubectl.json("get", "configmap", name, *where)
    runs.kubectl("delete", "configmap", name, *where)
    shared = json.loads(gzip.decompress(base64.b64decode(plan["binaryData"]["run"])))
    forged = json.dumps(shared | {"params": {"word": "forged"}}).encode()
    plan["binaryData"]["run"] = base64.b64encode(gzip.compress(forged)).decode()
    for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
        plan["metadata"].pop(field, None)
    runs.kubectl("create", *where, "--filename", "-", stdin=json.dumps(plan))
