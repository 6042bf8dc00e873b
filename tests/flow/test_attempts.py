"""One attempt, judged: success is never inferred, and a failure is borne by whose it was (the table of pod.md)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    POD_UID,
    a_job,
    a_pod,
    container,
    failure_report,
    later,
    planned,
    pod_of,
    publish_entry,
    publish_report,
)
from towpath.flow.attempts import judge
from towpath.flow.conditions import StepReason
from towpath.flow.observed import ObservedAttempt, ObservedContainer, ObservedPod
from towpath.flow.recorded import StepState
from towpath.flow.verdicts import Accepted, Failed, Fault, Going, Moment, ResultUnread, Verdict

PLAN = planned(
    builders.make_step(
        inputs=[{"name": "iris"}],
        outputs=[{"name": "clean"}, {"name": "extra", "optional": True}],
        resources={"limits": {"memory": "1Gi"}},
        timeoutSeconds=60,
        pendingTimeoutSeconds=600,
    ),
    builders.make_step("plain"),
)
PREP, PLAIN = PLAN.step("prep"), PLAN.step("plain")
RULE = "Container x for pod p failed with exit code {} matching FailJob rule at index {}"


def judged(attempt: ObservedAttempt, seconds: float = 12) -> Verdict:
    """The verdict so many seconds after the Job was made."""
    return judge(PLAN.step(attempt.step), attempt, Moment(later(seconds), LIMITS))


def of_pod(pod: ObservedPod, seconds: float = 12) -> Verdict:
    """The verdict on a pod of `prep`."""
    return judged(a_job(PLAN, "prep", pod=pod), seconds)


def failed(verdict: Verdict) -> Failed:
    """The verdict, which must be a failure."""
    assert isinstance(verdict, Failed), verdict
    return verdict


def going(verdict: Verdict) -> Going:
    """The verdict, which must be that it goes on."""
    assert isinstance(verdict, Going), verdict
    return verdict


def test_an_attempt_succeeds_when_all_ended_and_everything_owed_was_published() -> None:
    verdict = of_pod(pod_of(PLAN, "prep"))

    assert isinstance(verdict, Accepted)
    assert verdict.attempt_id == f"1-{POD_UID}"
    assert [output.name for output in verdict.outputs] == ["clean", "extra"]
    assert verdict.metrics == {"accuracy": 0.9}


def test_an_optional_output_may_be_missing() -> None:
    report = publish_report(PREP, outputs=[publish_entry(PREP, "clean")])

    verdict = of_pod(pod_of(PLAN, "prep", publish={"message": report}))

    assert isinstance(verdict, Accepted)
    assert [output.name for output in verdict.outputs] == ["clean"]


@pytest.mark.parametrize(
    "report",
    [
        None,
        "",
        "not json",
        publish_report(PREP, outputs=[publish_entry(PREP, "extra")]),
        publish_report(PREP, attempt=2),
        publish_report(PREP, uid="another-pod"),
        publish_report(PREP, formatVersion=2),
    ],
    ids=["none", "empty", "no json", "owed output missing", "other attempt", "other pod", "other format"],
)
def test_a_publisher_that_does_not_say_what_it_owes_is_not_believed(report: str | None) -> None:
    verdict = failed(of_pod(pod_of(PLAN, "prep", publish={"message": report})))

    assert verdict.fault is Fault.MOVER


def test_a_step_that_failed_is_never_a_success_whatever_publish_says() -> None:
    verdict = failed(of_pod(pod_of(PLAN, "prep", step={"exit_code": 3})))

    assert (verdict.fault, verdict.exit_code) == (Fault.USER, 3)


def test_success_is_not_inferred_from_a_phase() -> None:
    pod = replace(pod_of(PLAN, "prep", publish={"message": None}), phase="Succeeded")

    assert isinstance(of_pod(pod), Failed)


def test_a_plain_step_succeeds_by_its_exit_code_alone() -> None:
    assert isinstance(judged(a_job(PLAN, "plain", pod=a_pod(container("step", 0)))), Accepted)


@pytest.mark.parametrize("exit_code", [0, 7])
def test_a_step_waits_for_its_publisher(exit_code: int) -> None:
    pod = pod_of(PLAN, "prep", step={"exit_code": exit_code}, publish={"exit_code": None})

    verdict = going(of_pod(pod))

    assert (verdict.state, verdict.reason) == (StepState.RUNNING, StepReason.PUBLISHING)


def test_a_failed_step_does_not_wait_for_ever_for_its_publisher() -> None:
    pod = pod_of(PLAN, "prep", step={"exit_code": 7}, publish={"exit_code": None})

    assert failed(of_pod(pod, seconds=21)).reason is StepReason.EXIT_CODE


@pytest.mark.parametrize(
    "sidecar", [container("mount-0"), container("mount-0", state="waiting", reason="CrashLoopBackOff")]
)
def test_a_pod_that_waits_for_its_mount_says_so_and_is_given_up(sidecar: ObservedContainer) -> None:
    pod = a_pod(
        sidecar,
        container("stage-in", state="waiting", reason="PodInitializing"),
        container("step", state="waiting", reason="PodInitializing"),
    )
    verdict = going(of_pod(pod))
    assert (verdict.state, verdict.reason) == (StepState.WAITING, StepReason.NOT_SET_UP)
    assert verdict.message is not None
    assert verdict.message.startswith("container mount-0 has not mounted its datastore yet")
    late = failed(of_pod(pod, LIMITS.start_timeout_seconds + 20))
    assert (late.fault, late.reason) == (Fault.MOVER, StepReason.NOT_SET_UP)


def test_a_command_that_its_launcher_stopped_was_too_slow_whatever_the_clocks_say() -> None:
    """The container's own times make it a moment less than the limit."""
    said = {"exit_code": 45, "message": failure_report("StepTimedOut")}
    prep = replace(PLAN.step("prep"), timeout_seconds=1_000)
    pod = pod_of(PLAN, "prep", step={"exit_code": 124}, publish=said)
    verdict = judge(prep, a_job(PLAN, "prep", pod=pod), Moment(later(12), LIMITS))
    assert failed(verdict).reason is StepReason.STEP_TIMED_OUT


LOST = {"exit_code": 40, "message": failure_report("MountLost", "it went")}


@pytest.mark.parametrize("exit_code", [0, 1, 137])
def test_a_step_whose_mount_went_failed_by_no_fault_of_its_own(exit_code: int) -> None:
    verdict = failed(of_pod(pod_of(PLAN, "prep", step={"exit_code": exit_code}, publish=LOST)))
    assert (verdict.fault, verdict.reason, verdict.is_final) == (Fault.MOVER, StepReason.MOUNT_LOST, False)
    assert verdict.message == "it went"


def test_what_else_a_publisher_says_of_a_step_that_failed_does_not_count() -> None:
    said = {"exit_code": 40, "message": failure_report("StoreUnavailable")}
    verdict = failed(of_pod(pod_of(PLAN, "prep", step={"exit_code": 1}, publish=said)))
    assert (verdict.fault, verdict.reason) == (Fault.USER, StepReason.EXIT_CODE)


def test_a_failed_step_waits_longer_for_a_publisher_that_looks_at_its_mounts() -> None:
    prep = PLAN.step("prep")
    mounted = replace(prep, inputs=tuple(replace(given, is_mounted=True) for given in prep.inputs))
    pod = pod_of(PLAN, "prep", step={"exit_code": 7}, publish={"exit_code": None})

    def verdict(seconds: float) -> Verdict:
        return judge(mounted, a_job(PLAN, "prep", pod=pod), Moment(later(seconds), LIMITS))

    assert going(verdict(21)).reason is StepReason.PUBLISHING
    assert failed(verdict(330)).reason is StepReason.EXIT_CODE


STEP_ENDS: list[tuple[dict[str, Any], StepReason, str]] = [
    ({"exit_code": 7}, StepReason.EXIT_CODE, "exit code 7"),
    ({"exit_code": 126}, StepReason.EXIT_CODE, "exit code 126: the command 'python' is not executable"),
    ({"exit_code": 127}, StepReason.EXIT_CODE, "exit code 127: the command 'python' is not in the image"),
    ({"exit_code": 137, "reason": "OOMKilled"}, StepReason.OUT_OF_MEMORY, "memory limit 1Gi"),
    ({"exit_code": 139}, StepReason.SIGNAL, "signal SEGV (exit code 139)"),
    ({"exit_code": 137}, StepReason.SIGNAL, "perhaps out of memory (memory limit 1Gi)"),
    ({"exit_code": 143, "finished_at": later(62)}, StepReason.STEP_TIMED_OUT, "60 s (timeoutSeconds)"),
    (
        {"exit_code": 128, "reason": "StartError", "message": "no such file"},
        StepReason.START_ERROR,
        "no such file",
    ),
]


@pytest.mark.parametrize(("step", "reason", "words"), STEP_ENDS)
def test_a_failed_step_says_how_it_ended(step: dict[str, Any], reason: StepReason, words: str) -> None:
    verdict = failed(of_pod(pod_of(PLAN, "prep", step=step, publish={"exit_code": 45}), seconds=100))

    assert (verdict.fault, verdict.reason) == (Fault.USER, reason)
    assert words in verdict.message


def test_a_failed_step_keeps_the_last_2_kib_of_its_log_without_control_characters() -> None:
    log = "first\n" + "é" * 3000 + "\x1b[2Jlast\0"

    verdict = failed(
        of_pod(pod_of(PLAN, "prep", step={"exit_code": 1, "message": log}, publish={"exit_code": 45}))
    )

    assert verdict.log_tail is not None
    assert verdict.log_tail.endswith("é[2Jlast")
    assert len(verdict.log_tail.encode()) <= 2048


MOVER_ENDS = [
    ("stage_in", 40, Fault.MOVER, StepReason.MOVER_FAILED, False),
    ("stage_in", 41, Fault.USER, StepReason.INPUT_REFUSED, True),
    ("stage_in", 42, Fault.USER, StepReason.INPUT_DRIFT, True),
    ("stage_in", 43, Fault.USER, StepReason.DISK_FULL, True),
    ("stage_in", 44, Fault.CREDENTIALS, StepReason.CREDENTIALS, False),
    ("stage_in", 1, Fault.MOVER, StepReason.MOVER_FAILED, False),
    ("publish", 40, Fault.MOVER, StepReason.MOVER_FAILED, False),
    ("publish", 41, Fault.USER, StepReason.OUTPUT_REFUSED, True),
    ("publish", 42, Fault.USER, StepReason.OUTPUT_CHANGED, True),
    ("publish", 43, Fault.USER, StepReason.DISK_FULL, True),
    ("publish", 44, Fault.CREDENTIALS, StepReason.CREDENTIALS, False),
    ("publish", 45, Fault.MOVER, StepReason.MOVER_FAILED, False),
    ("publish", 137, Fault.MOVER, StepReason.MOVER_FAILED, False),
]


@pytest.mark.parametrize(("which", "code", "fault", "reason", "is_final"), MOVER_ENDS)
def test_a_movers_code_says_whose_failure_it_is(
    which: str, code: int, fault: Fault, reason: StepReason, is_final: bool
) -> None:
    ended = {"exit_code": code, "message": failure_report("SomeReason", "object x")}

    pod = pod_of(PLAN, "prep", stage_in=ended) if which == "stage_in" else pod_of(PLAN, "prep", publish=ended)
    verdict = failed(of_pod(pod))

    assert (verdict.fault, verdict.reason, verdict.is_final) == (fault, reason, is_final)
    assert verdict.message == "SomeReason: object x"


@pytest.mark.parametrize("reason", ["OutputMissing", "OutputEmpty", "CodeDrift"])
def test_a_movers_own_word_is_the_steps_reason(reason: str) -> None:
    ended = {"exit_code": 41, "message": failure_report(reason, "/towpath/outputs/clean was not written")}

    verdict = failed(of_pod(pod_of(PLAN, "prep", publish=ended)))

    assert verdict.reason == reason
    assert verdict.message == "/towpath/outputs/clean was not written"


def test_a_stage_in_that_failed_ends_the_attempt_though_the_others_never_began() -> None:
    pod = a_pod(
        container("stage-in", 44, message=failure_report("CredentialsRefused", "as AKIA")),
        container("step", state="waiting", reason="PodInitializing"),
        container("publish", state="waiting", reason="PodInitializing"),
    )

    assert failed(of_pod(pod)).fault is Fault.CREDENTIALS


def test_a_mover_killed_for_memory_says_what_to_raise() -> None:
    verdict = failed(
        of_pod(pod_of(PLAN, "prep", publish={"exit_code": 137, "reason": "OOMKilled", "message": None}))
    )

    assert "mover.resources" in verdict.message


DISRUPTIONS: list[dict[str, Any]] = [
    {"disruption": "Preempted by another pod"},
    {"phase": "Failed", "reason": "NodeLost", "containers": {}},
    {"phase": "Failed", "reason": "OutOfcpu", "containers": {}},
    {"deleting": True, "containers": {"step": container("step", 137), "publish": container("publish", 45)}},
    {"containers": {"step": container("step", 137, reason="ContainerStatusUnknown")}, "phase": "Failed"},
    {"disruption": "Evicted", "reason": "Evicted", "phase": "Failed"},
]


@pytest.mark.parametrize("fields", DISRUPTIONS)
def test_a_pod_that_was_taken_away_is_nobodys_failure(fields: dict[str, Any]) -> None:
    pod = replace(pod_of(PLAN, "prep", step={"exit_code": 143}, publish={"exit_code": 45}), **fields)
    pod = replace(pod, containers={"stage-in": container("stage-in", 0), **pod.containers})

    assert failed(of_pod(pod)).fault is Fault.DISRUPTION


def test_an_evicted_pod_that_published_in_its_grace_has_succeeded() -> None:
    pod = replace(pod_of(PLAN, "prep"), disruption="evicted")

    assert isinstance(of_pod(pod), Accepted)


def test_a_pod_evicted_for_what_it_used_itself_is_the_users_failure() -> None:
    words = "Usage of EmptyDir volume exceeds the limit"
    pod = a_pod(phase="Failed", reason="Evicted", message=words)

    verdict = failed(of_pod(pod))

    assert (verdict.fault, verdict.reason) == (Fault.USER, StepReason.EVICTED)
    assert words in verdict.message
    assert "ephemeral-storage" in verdict.message


def test_a_step_that_could_not_be_started_fails_at_once_though_its_publisher_waits() -> None:
    step = {"exit_code": 128, "reason": "StartError", "message": "exec: no such file"}

    verdict = failed(of_pod(pod_of(PLAN, "prep", step=step, publish={"exit_code": None}), seconds=10))

    assert verdict.reason is StepReason.START_ERROR


def test_a_publisher_that_ended_while_its_step_has_not_fails_the_attempt() -> None:
    pod = pod_of(PLAN, "prep", step={"exit_code": None}, publish={"exit_code": 137, "message": None})

    assert isinstance(of_pod(pod, seconds=11), Going)
    verdict = failed(of_pod(pod, seconds=21))
    assert verdict.fault is Fault.MOVER
    assert "ended while the step had not" in verdict.message


RULES = [
    (0, Fault.DISRUPTION, False),
    (1, Fault.MOVER, False),
    (2, Fault.USER, True),
    (3, Fault.CREDENTIALS, False),
    (4, Fault.MOVER, False),
    (5, Fault.USER, True),
    (6, Fault.CREDENTIALS, False),
]


@pytest.mark.parametrize(("index", "fault", "is_final"), RULES)
def test_where_the_pod_is_gone_the_jobs_condition_names_the_class(
    index: int, fault: Fault, is_final: bool
) -> None:
    job = a_job(PLAN, "prep", failed_reason="PodFailurePolicy", failed_message=RULE.format(40, index))

    verdict = failed(judged(job))

    assert (verdict.fault, verdict.is_final) == (fault, is_final)


def test_a_failed_job_without_a_rule_whose_pod_is_gone_is_a_disruption() -> None:
    job = a_job(PLAN, "prep", failed_reason="BackoffLimitExceeded", failed_message="it has reached its limit")

    verdict = failed(judged(job))

    assert (verdict.fault, verdict.reason) == (Fault.DISRUPTION, StepReason.DISRUPTED)
    assert "deleted before its end could be looked at" in verdict.message


def test_what_a_complete_job_published_is_not_known_without_its_pod_unless_it_owed_nothing() -> None:
    assert judged(a_job(PLAN, "prep", complete=True)) == ResultUnread()
    assert isinstance(judged(a_job(PLAN, "plain", complete=True)), Accepted)


REFUSALS = [
    ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', StepReason.POD_SECURITY),
    ('pods "x" is forbidden: exceeded quota: q, requested: cpu=1', StepReason.QUOTA),
    ('pods "x" is forbidden: failed quota: q: must specify limits.cpu for: step', StepReason.QUOTA),
    ('admission webhook "w" denied the request: no', StepReason.POD_REFUSED),
]


@pytest.mark.parametrize(("refusal", "reason"), REFUSALS)
def test_a_job_without_a_pod_says_what_refuses_it(refusal: str, reason: StepReason) -> None:
    verdict = going(judged(a_job(PLAN, "prep", refusal=refusal)))

    assert (verdict.state, verdict.reason, verdict.message) == (StepState.WAITING, reason, refusal)


def test_a_job_without_a_pod_is_asked_about_after_five_seconds() -> None:
    assert not going(judged(a_job(PLAN, "prep"), seconds=4)).ask_admission
    assert going(judged(a_job(PLAN, "prep"), seconds=4)).check_after_seconds == 1
    assert going(judged(a_job(PLAN, "prep"), seconds=5)).ask_admission


def test_pod_security_fails_the_attempt_in_the_end_and_quota_waits() -> None:
    security = a_job(PLAN, "prep", refusal='violates PodSecurity "restricted"')
    assert failed(judged(security, seconds=301)).reason is StepReason.POD_SECURITY
    quota = a_job(PLAN, "prep", refusal="exceeded quota: q")
    assert going(judged(quota, seconds=599)).check_after_seconds == 1
    assert failed(judged(quota, seconds=600)).reason is StepReason.PENDING_TIMED_OUT


def test_a_suspended_job_waits_for_its_queue() -> None:
    assert going(judged(a_job(PLAN, "prep", suspended=True))).reason is StepReason.SUSPENDED


def test_a_pod_that_its_queue_takes_away_is_no_failure_however_it_ends() -> None:
    stopped = pod_of(PLAN, "prep", step={"exit_code": 143}, publish={"exit_code": 45})
    verdict = going(judged(a_job(PLAN, "prep", pod=stopped, suspended=True)))
    assert (verdict.state, verdict.reason) == (StepState.WAITING, StepReason.SUSPENDED)


def test_the_word_of_a_queue_may_come_after_the_end_of_the_pod_that_it_takes_away() -> None:
    queued = planned(builders.make_step("plain", queueName="gpus"))
    taken = replace(a_pod(container("step", 143)), deleting=True)

    def verdict(**fields: Any) -> Verdict:
        job = a_job(queued, "plain", pod=taken, **fields)
        return judge(queued.step("plain"), job, Moment(later(12), LIMITS))

    assert going(verdict()).reason is StepReason.SUSPENDED
    assert failed(verdict(failed_reason="BackoffLimitExceeded")).fault is Fault.DISRUPTION


def test_a_step_that_was_done_before_its_queue_took_it_back_counts() -> None:
    job = a_job(PLAN, "prep", pod=pod_of(PLAN, "prep"), suspended=True)
    assert isinstance(judged(job), Accepted)


def test_a_job_that_failed_before_it_was_suspended_has_failed() -> None:
    job = a_job(
        PLAN, "prep", suspended=True, failed_reason="BackoffLimitExceeded", failed_message="it failed"
    )
    assert isinstance(judged(job), Failed)


def test_an_unschedulable_pod_waits_in_the_schedulers_words() -> None:
    pod = a_pod(phase="Pending", unschedulable="0/1 nodes are available: 1 Insufficient cpu.")

    verdict = going(of_pod(pod, seconds=400))

    assert (verdict.reason, verdict.message) == (
        StepReason.SCHEDULING,
        "0/1 nodes are available: 1 Insufficient cpu.",
    )


KUBELET = [
    ("ErrImagePull", StepReason.IMAGE),
    ("ImagePullBackOff", StepReason.IMAGE),
    ("InvalidImageName", StepReason.IMAGE),
    ("CreateContainerConfigError", StepReason.CONFIG),
    ("CreateContainerError", StepReason.CONFIG),
]


@pytest.mark.parametrize(("word", "reason"), KUBELET)
def test_what_the_kubelet_waits_for_shows_at_once_and_fails_after_its_time(
    word: str, reason: StepReason
) -> None:
    waiting = container("step", state="waiting", reason=word, message="no such thing")
    pod = a_pod(container("stage-in", 0), waiting, container("publish"))

    verdict = going(of_pod(pod, seconds=12))
    assert (verdict.state, verdict.reason) == (StepState.WAITING, reason)
    assert "no such thing" in (verdict.message or "")
    # stage-in ended at second 10: the time runs from there.
    assert isinstance(of_pod(pod, seconds=309), Going)
    assert failed(of_pod(pod, seconds=310)).fault is Fault.USER


def test_an_image_of_ours_that_cannot_be_pulled_is_not_the_users_failure() -> None:
    pod = a_pod(container("stage-in", state="waiting", reason="ErrImagePull", message="m"), started_at=NOON)

    assert failed(of_pod(pod, seconds=300)).fault is Fault.MOVER


def test_a_waiting_container_does_not_hide_that_stage_in_is_at_work() -> None:
    pod = a_pod(container("stage-in"), container("step", state="waiting", reason="PodInitializing"))

    assert going(of_pod(pod)).reason is StepReason.STAGING_IN


def test_a_step_whose_publisher_has_not_begun_is_not_running() -> None:
    publish = container("publish", state="waiting", reason="ErrImagePull", message="m")

    assert (
        going(of_pod(a_pod(container("stage-in", 0), container("step"), publish))).reason is StepReason.IMAGE
    )


def test_a_pod_that_its_node_cannot_set_up_says_so_in_the_words_of_its_events() -> None:
    pod = a_pod(
        container("step", state="waiting", reason="ContainerCreating"), warning="FailedMount: no such volume"
    )

    verdict = going(of_pod(pod))
    assert (verdict.reason, verdict.message) == (StepReason.NOT_SET_UP, "FailedMount: no such volume")
    assert failed(of_pod(pod, seconds=301)).reason is StepReason.NOT_SET_UP


def test_a_running_step_is_running() -> None:
    pod = pod_of(PLAN, "prep", step={"exit_code": None}, publish={"exit_code": None})

    assert going(of_pod(pod)).reason is StepReason.RUNNING


def test_a_report_is_json_of_one_object() -> None:
    assert isinstance(of_pod(pod_of(PLAN, "prep", publish={"message": json.dumps([1])})), Failed)
