"""The operator is down for the whole life of a step's pod, which is collected: nothing is lost, nothing repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.access import Access
from cluster.space import Space
from cluster.waiting import wait_until
from controller.operator_process import OperatorProcess
from controller.runs import Runs
from controller.test_killed_operator import make_store, steps_with_data

pytestmark = pytest.mark.fault


@pytest.mark.timeout(300)
def test_a_step_whose_pod_came_and_went_without_an_operator_is_done(
    cluster: Access, runs: Runs, s3: Space, tmp_path: Path
) -> None:
    make_store(cluster, runs, s3)
    *_, writer, reader = steps_with_data()
    runs.create("unwatched", {**writer, "dependsOn": []}, reader)
    operator = OperatorProcess(cluster, runs.namespace, tmp_path / "operator.log")
    operator.start()
    try:
        assert wait_until(lambda: len(runs.jobs("unwatched")) == 1, 120, 0.05), operator.tail()
        operator.kill()
        assert wait_until(lambda: "Complete" in str(runs.jobs("unwatched")[0]["status"]), 90, 0.5)
        [pod] = runs.pods("unwatched")
        where = ("--namespace", runs.namespace)
        runs.kubectl("delete", "pod", pod["metadata"]["name"], *where)
        operator.start()
        status = runs.finish("unwatched", 120)
    finally:
        operator.kill()

    assert status["state"] == "Succeeded", operator.tail()
    assert [(step["name"], step["attempt"]) for step in status["steps"]] == [("write", 1), ("read", 1)]
    assert status["steps"][0]["attemptId"] == f"1-{pod['metadata']['uid']}"
    assert status["steps"][0]["outputs"][0]["version"] == 1
