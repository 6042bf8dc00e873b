"""A step in a queue: its Job waits until it is resumed, and one that is put back has not failed.

Kueue cannot be had on our machines: the test suspends and resumes the Job as Kueue does.
"""

from __future__ import annotations

import pytest

from cluster.waiting import wait_until
from controller.runs import Runs, Shared, plain_step

pytestmark = pytest.mark.server


def suspend(runs: Runs, job: str, *, is_suspended: bool) -> None:
    """What a queue does to a Job."""
    runs.kubectl.direct.patch("jobs", job, {"spec": {"suspend": is_suspended}}, runs.namespace)


def test_a_step_waits_for_its_queue_and_one_that_is_put_back_begins_again(shared: Shared) -> None:
    runs = shared.runs
    program = ("import time", "time.sleep(600)")
    runs.create("queued", plain_step("only", *program, queueName="gpus"))
    waiting = runs.reason_of("queued", "only", "Suspended")
    assert "queue gpus" in waiting["message"]
    (job,) = runs.jobs("queued")
    name = job["metadata"]["name"]
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert runs.pods("queued") == []
    suspend(runs, name, is_suspended=False)
    runs.reason_of("queued", "only", "Running", 90)
    suspend(runs, name, is_suspended=True)
    assert runs.reason_of("queued", "only", "Suspended")["state"] == "Waiting"
    assert wait_until(lambda: runs.pods("queued") == [], 120)
    suspend(runs, name, is_suspended=False)
    step = runs.reason_of("queued", "only", "Running", 90)
    assert (step["state"], step["attempt"]) == ("Running", 1)
    assert "failures" not in step
    runs.kubectl.direct.delete("pipelineruns", "queued", namespace=runs.namespace)
