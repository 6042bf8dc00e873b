"""A step that does not start speaks: its reason is there within 30 s, in the words of whoever refuses it."""

from __future__ import annotations

from functools import partial

import pytest

from builders import in_namespace, make_pipeline, make_run
from cluster.waiting import wait_until
from controller.runs import Runs, Shared, plain_step

pytestmark = pytest.mark.server

MISSING_SECRET = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "not-there", "key": "token"}}}]
OF_PODS, OF_JOBS = "limits.cpu", "count/jobs.batch"


@pytest.fixture(scope="module")
def runs(shared: Shared) -> Runs:
    """All of them at once, since most of their time is waiting."""
    runs = shared.runs
    runs.kubectl.apply(in_namespace(runs.namespace, make_pipeline("iris", plain_step("only"))))
    runs.kubectl.apply(in_namespace(runs.namespace, make_run("typo", pipelineRef={"name": "irsi"})))
    for place, hard in ((shared.without_pods, {OF_PODS: "1"}), (shared.without_jobs, {OF_JOBS: "0"})):
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "strict"},
            "spec": {"hard": hard},
        }
        place.kubectl.apply(quota, namespace=place.namespace)
        assert wait_until(partial(_is_counted, place), 120)
        place.create("strict", plain_step("only"))
    runs.create("no-image", plain_step("only", image="localhost/no/such:image"))
    runs.create("as-root", plain_step("only", securityContext={"runAsUser": 0}))
    runs.create("too-large", plain_step("only", resources={"requests": {"cpu": "1000"}}))
    runs.create("no-program", {**plain_step("only"), "command": ["/no/such/program"]})
    runs.create("no-memory", plain_step("only", resources={"limits": {"memory": "1Mi"}}))
    runs.create("no-secret", plain_step("only", env=MISSING_SECRET))
    return runs


def _is_counted(place: Runs) -> bool:
    return "hard" in place.kubectl.direct.get("resourcequotas", "strict", place.namespace)["status"]


@pytest.mark.usefixtures("runs")
def test_a_quota_that_refuses_pods_or_jobs_is_quoted_and_its_end_lets_the_step_run(shared: Shared) -> None:
    refused = ((shared.without_pods, OF_PODS), (shared.without_jobs, OF_JOBS))
    for place, what in refused:
        assert what in place.reason_of("strict", "only", "QuotaExceeded")["message"]
        place.kubectl.direct.delete("resourcequotas", "strict", namespace=place.namespace)
    for place, _ in refused:
        assert place.finish("strict", 90)["state"] == "Succeeded"


def test_an_image_that_cannot_be_pulled_is_named_and_fails_in_the_end(runs: Runs) -> None:
    step = runs.reason_of("no-image", "only", "ImageNotPulled")
    assert "localhost/no/such:image" in step["message"]
    assert runs.finish("no-image", 40)["steps"][0]["state"] == "Failed"


def test_pod_security_that_refuses_the_pod_lists_the_violation(runs: Runs) -> None:
    step = runs.reason_of("as-root", "only", "PodSecurity")
    assert "runAsUser=0" in step["message"]


def test_a_pod_that_no_node_takes_has_the_schedulers_words(runs: Runs) -> None:
    step = runs.reason_of("too-large", "only", "Unschedulable")
    assert "Insufficient cpu" in step["message"]


def test_a_command_that_cannot_be_started_fails_the_step_at_once(runs: Runs) -> None:
    step = runs.finish("no-program", 30)["steps"][0]
    assert step["reason"] == "StartError"
    assert "/no/such/program" in step["message"]


def test_a_memory_limit_in_which_nothing_starts_is_told_in_the_nodes_words(runs: Runs) -> None:
    step = runs.reason_of("no-memory", "only", "PodNotSetUp")
    assert "FailedCreatePodSandBox" in step["message"]
    assert runs.finish("no-memory", 30)["steps"][0]["state"] == "Failed"


def test_a_secret_that_is_missing_in_env_is_named(runs: Runs) -> None:
    step = runs.reason_of("no-secret", "only", "ContainerConfig")
    assert "not-there" in step["message"]


def test_a_name_that_does_not_exist_ends_the_run_with_a_hint(runs: Runs) -> None:
    assert wait_until(lambda: "state" in runs.status("typo"), 120)
    status = runs.finish("typo", 60)
    assert status["conditions"][0]["reason"] == "NotFound"
    assert "iris" in status["message"]
