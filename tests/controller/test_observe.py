"""Raw Jobs and Pods, as the API server gives them, become facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller.broken_server import job
from jobs.planned_steps import make_order, make_plan, make_step
from towpath.flow import names
from towpath.flow.conditions import MissReason
from towpath.flow.recorded import Miss
from towpath_operator.cluster.observe import attempt_of, newest_pod, pod_of
from towpath_operator.cluster.slim import slim_job, slim_pod
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.step import render

Json = dict[str, Any]

ENDED = {
    "exitCode": 3,
    "reason": "Error",
    "message": "boom",
    "startedAt": "2026-01-01T00:00:01Z",
    "finishedAt": "2026-01-01T00:00:02Z",
}


def step_job(**status: Any) -> Json:
    given = job(
        "run-12345678-prep-1",
        5,
        labels={"towpath.dev/attempt": "2", "towpath.dev/component": "step"},
        annotations={"towpath.dev/step-name": "prep", "towpath.dev/step-digest": "sha256:d"},
        ownerReferences=[{"uid": "run-uid", "kind": "PipelineRun", "name": "run", "controller": True}],
    )
    given["status"] = status
    return given


def pod(name: str = "p", created: str = "2026-01-01T00:00:00Z", **status: Any) -> Json:
    meta = {
        "name": name,
        "namespace": "ns",
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "creationTimestamp": created,
    }
    return {"metadata": meta, "spec": {"containers": [{"name": "step"}]}, "status": status}


def test_a_job_tells_step_attempt_digest_and_owner() -> None:
    seen = attempt_of(slim_job(step_job()), [])
    assert (seen.step, seen.attempt, seen.step_digest, seen.owner_uid) == ("prep", 2, "sha256:d", "run-uid")
    assert seen.pod is None
    assert not seen.complete
    assert seen.failed_reason is None


def test_a_job_tells_what_it_computes_and_why() -> None:
    step, miss = make_step(), Miss(MissReason.CHANGED, ("inputs.raw", "params"), "iris-1", "words")
    order = replace(make_order(step), fingerprint="sha256:" + "a" * 64, miss=miss)
    job = render(make_plan(step), step, order, PodSettings())
    job["metadata"] |= {"uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "1"}

    seen = attempt_of(slim_job(job), [])

    assert (seen.fingerprint, seen.miss) == (order.fingerprint, miss)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"reason": 1}', '{"components": ["a"]}'])
def test_an_annotation_that_somebody_wrote_says_nothing_and_breaks_nothing(text: str) -> None:
    job = step_job()
    job["metadata"]["annotations"][names.REUSE_MISS_ANNOTATION] = text

    assert attempt_of(slim_job(job), []).miss is None


def test_the_rule_that_ended_a_job_is_in_its_condition() -> None:
    told = "Container stage-in for pod ns/p failed with exit code 44 matching FailJob rule at index 3"
    conditions = [{"type": "FailureTarget", "status": "True", "reason": "PodFailurePolicy", "message": told}]
    seen = attempt_of(slim_job(step_job(conditions=conditions)), [])
    assert seen.failed_reason == "PodFailurePolicy"
    assert seen.failed_message == told


def test_init_containers_stand_among_the_others_with_their_exit_codes() -> None:
    seen = pod_of(
        slim_pod(
            pod(
                phase="Running",
                initContainerStatuses=[
                    {"name": "stage-in", "state": {"terminated": ENDED}, "imageID": "sha256:i"}
                ],
                containerStatuses=[
                    {"name": "step", "state": {"waiting": {"reason": "ErrImagePull", "message": "m"}}}
                ],
            )
        )
    )
    stage_in, step = seen.containers["stage-in"], seen.containers["step"]
    assert (stage_in.state, stage_in.exit_code, stage_in.message) == ("terminated", 3, "boom")
    assert stage_in.finished_at is not None
    assert (step.state, step.reason, step.message) == ("waiting", "ErrImagePull", "m")


def test_a_container_without_a_state_is_waiting() -> None:
    seen = pod_of(slim_pod(pod(containerStatuses=[{"name": "step", "state": {}}])))
    assert seen.containers["step"].state == "waiting"


def test_the_schedulers_words_are_kept() -> None:
    unschedulable = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes",
    }
    assert pod_of(slim_pod(pod(conditions=[unschedulable]))).unschedulable == "0/1 nodes"
    gated = {**unschedulable, "reason": "SchedulingGated"}
    assert pod_of(slim_pod(pod(conditions=[gated]))).unschedulable is None


def test_a_disruption_and_an_eviction_are_told_apart() -> None:
    target = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    assert pod_of(slim_pod(pod(conditions=[target]))).disruption == "EvictionByEvictionAPI"
    evicted = pod_of(slim_pod(pod(phase="Failed", reason="Evicted", message="Usage of EmptyDir volume")))
    assert (evicted.disruption, evicted.reason) == (None, "Evicted")


def test_a_pod_of_before_its_job_was_resumed_says_nothing() -> None:
    old, new = pod("old", "2026-01-01T00:00:00Z"), pod("new", "2026-01-01T00:00:09Z")
    resumed = step_job(startTime="2026-01-01T00:00:09Z")
    assert attempt_of(resumed, [old]).pod is None
    assert attempt_of(resumed, [new]).pod is not None
    assert attempt_of(step_job(), [old]).pod is not None


def test_of_two_pods_the_newest_counts() -> None:
    old, new = pod("old", "2026-01-01T00:00:00Z"), pod("new", "2026-01-02T00:00:00Z")
    assert newest_pod([new, old]) is new
    assert newest_pod([]) is None


def shards_job(annotation: str, **status: Any) -> Json:
    given = step_job(**status)
    given["metadata"]["annotations"]["towpath.dev/shards"] = annotation
    return slim_job(given)


def pod_at(place: int, name: str = "p", created: str = "2026-01-01T00:00:00Z", **status: Any) -> Json:
    given = pod(f"{name}-{place}", created, **status)
    given["metadata"]["labels"] = {"batch.kubernetes.io/job-completion-index": str(place)}
    return slim_pod(given)


def test_a_job_of_shards_tells_which_they_are_their_pods_and_what_has_ended() -> None:
    seen = attempt_of(
        shards_job("2,5-6", completedIndexes="0", failedIndexes="2"), [pod_at(1), pod_at(0), pod("stray")]
    )

    assert seen.shards == (2, 5, 6)
    assert {place: pod.name for place, pod in seen.pods.items()} == {0: "p-0", 1: "p-1"}
    assert seen.ended == {0, 2}
    assert (seen.pod, seen.is_merge) == (None, False)


def test_of_a_resumed_job_of_shards_those_that_succeeded_before_still_count() -> None:
    job_ = shards_job("0-2", startTime="2026-01-01T00:00:09Z")
    before = [pod_at(0, phase="Succeeded"), pod_at(1, phase="Failed")]
    after = pod_at(2, created="2026-01-01T00:00:10Z", phase="Running")

    assert sorted(attempt_of(job_, [*before, after]).pods) == [0, 2]


def test_a_job_whose_shards_somebody_has_changed_runs_none() -> None:
    assert attempt_of(shards_job("5-2"), [pod_at(0)]).shards == ()


def test_a_merge_is_told_by_its_job() -> None:
    given = step_job()
    given["metadata"]["annotations"]["towpath.dev/merge"] = "true"
    assert attempt_of(slim_job(given), []).is_merge
