"""What goes by itself on a real cluster: Jobs after their time, runs past their retention, a namespace in any case."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import in_namespace, make_dataset, make_datastore, make_run
from cluster.access import Access
from cluster.waiting import wait_until
from controller.operator_process import running_operator
from controller.runs import Runs, plain_step

pytestmark = pytest.mark.server


def test_jobs_and_pods_go_after_their_time_and_the_run_itself_past_its_retention(
    cluster: Access, runs: Runs, tmp_path: Path
) -> None:
    settings = {"TOWPATH_TTL_SECONDS_AFTER_FINISHED": "1"}
    with running_operator(cluster, runs.namespace, tmp_path / "log", **settings) as operator:
        short = {"steps": [plain_step("only")], "retention": {"keepSeconds": 8}}
        runs.kubectl.apply(in_namespace(runs.namespace, make_run("short", pipelineSpec=short)))
        runs.create("stays", plain_step("only"))
        before = runs.finish("short")
        assert (before["state"], before["keepSeconds"]) == ("Succeeded", 8)
        runs.finish("stays")
        assert wait_until(
            lambda: not any(runs.jobs(run) or runs.pods(run) for run in ("short", "stays")), 120
        )
        assert wait_until(lambda: _names(runs) == ["stays"], 90)
        assert "past its retention" in operator.log.read_text()
        assert runs.status("stays")["state"] == "Succeeded"


@pytest.mark.fault
def test_row_81_a_namespace_whose_operator_is_dead_is_deleted_and_nothing_holds_it_up(
    cluster: Access, runs: Runs, tmp_path: Path
) -> None:
    with running_operator(cluster, runs.namespace, tmp_path / "log") as operator:
        for body in (
            make_datastore(),
            make_dataset("raw"),
            make_dataset("model", sources=[], deletionPolicy="Delete"),
        ):
            runs.kubectl.apply(in_namespace(runs.namespace, body))
        runs.create("done", plain_step("only"))
        runs.create("lasts", plain_step("sleeps", "import time", "time.sleep(600)"))
        runs.finish("done")
        runs.reason_of("lasts", "sleeps", "Running", 60)
        operator.kill()
        runs.kubectl.direct.delete("namespaces", runs.namespace, wait=False)
        # The grace of the pod that runs is all that it may take.
        here = {"fields": f"metadata.name={runs.namespace}"}
        assert wait_until(lambda: not runs.kubectl.direct.select("namespaces", **here), 150, 0.5)


def _names(runs: Runs) -> list[str]:
    found = runs.kubectl.direct.select("pipelineruns", runs.namespace)
    return [run["metadata"]["name"] for run in found]
