"""A step that does not start speaks: its reason is there within 30 s, in the words of whoever refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.access import Access
from cluster.kubectl import Kubectl
from controller.operator_process import running_operator
from controller.runs import Runs, plain_step

pytestmark = pytest.mark.server


@pytest.fixture
def runs(cluster: Access, kubectl: Kubectl, namespace: str, tmp_path: Path) -> Iterator[Runs]:
    with running_operator(cluster, namespace, tmp_path / "operator.log", TOWPATH_START_TIMEOUT_SECONDS="15"):
        yield Runs(kubectl, namespace)


def test_an_image_that_cannot_be_pulled_is_named_and_fails_in_the_end(runs: Runs) -> None:
    runs.create("run", plain_step("only", image="localhost/no/such:image"))
    step = runs.reason_of("run", "only", "ImageNotPulled")
    assert "localhost/no/such:image" in step["message"]
    assert runs.finish("run", 40)["steps"][0]["state"] == "Failed"


def test_a_quota_that_refuses_the_pod_is_quoted_and_its_end_lets_the_step_run(runs: Runs) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "strict"},
        "spec": {"hard": {"limits.cpu": "1"}},
    }
    runs.kubectl.apply(quota, namespace=runs.namespace)
    runs.create("run", plain_step("only"))
    step = runs.reason_of("run", "only", "QuotaExceeded")
    assert "strict" in step["message"]
    assert "limits.cpu" in step["message"]
    runs.kubectl("delete", "resourcequota", "strict", "--namespace", runs.namespace)
    assert runs.finish("run", 90)["state"] == "Succeeded"


def test_pod_security_that_refuses_the_pod_lists_the_violation(runs: Runs) -> None:
    runs.create("run", plain_step("only", securityContext={"runAsUser": 0}))
    step = runs.reason_of("run", "only", "PodSecurity")
    assert "runAsUser=0" in step["message"]


def test_a_pod_that_no_node_takes_has_the_schedulers_words(runs: Runs) -> None:
    runs.create("run", plain_step("only", resources={"requests": {"cpu": "1000"}}))
    step = runs.reason_of("run", "only", "Unschedulable")
    assert "Insufficient cpu" in step["message"]


def test_a_command_that_cannot_be_started_fails_the_step_at_once(runs: Runs) -> None:
    runs.create("run", {**plain_step("only"), "command": ["/no/such/program"]})
    status = runs.finish("run", 30)
    assert status["steps"][0]["reason"] == "StartError"
    assert "/no/such/program" in status["steps"][0]["message"]


def test_a_memory_limit_in_which_nothing_starts_is_told(runs: Runs) -> None:
    runs.create("run", plain_step("only", resources={"limits": {"memory": "1Mi"}}))
    step = runs.reason_of("run", "only", "PodNotSetUp")
    assert "FailedCreatePodSandBox" in step["message"]
    assert runs.finish("run", 30)["steps"][0]["state"] == "Failed"


def test_a_secret_that_is_missing_in_env_is_named(runs: Runs) -> None:
    env = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "not-there", "key": "token"}}}]
    runs.create("run", plain_step("only", env=env))
    step = runs.reason_of("run", "only", "ContainerConfig")
    assert "not-there" in step["message"]
