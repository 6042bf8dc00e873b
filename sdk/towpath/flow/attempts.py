"""One observed attempt → a verdict. Success is never inferred: every container ended, and said what it owes."""

from __future__ import annotations

from dataclasses import replace

from towpath.flow import names, reports, store_keys
from towpath.flow.conditions import StepReason
from towpath.flow.failures import (
    START_ERRORS,
    disrupted,
    failure_of,
    failure_without_pod,
    mover_failure,
    step_failure,
)
from towpath.flow.merges import merge_has_ended
from towpath.flow.observed import ObservedAttempt, ObservedContainer, ObservedPod
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import StepState
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.reports import PublishReport
from towpath.flow.verdicts import Accepted, Failed, Going, Moment, ResultUnread, Verdict
from towpath.flow.waiting import waiting_of_pod, waiting_without_pod

# A mount that does not answer is given up after a minute, and looked at again for two.
_LOOK_AT_MOUNTS_SECONDS = 300.0


def judge(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Verdict:
    """What can be said of this attempt now."""
    pod = attempt.pod
    if _is_put_back(step, attempt):
        return _suspended(step, attempt, moment)
    if pod is None:
        return _without_pod(step, attempt, moment)
    if has_ended(step, pod):
        return accepted_pod(step, attempt, pod) or failure_of(step, pod)
    return _hopeless(step, pod, moment) or _going(step, attempt, pod, moment)


def _is_put_back(step: PlannedStep, attempt: ObservedAttempt) -> bool:
    if attempt.failed_reason:
        return False
    # Its queue's word may come after the end of the pod that it takes away; that of a failed Job comes too.
    is_taken = bool(step.queue_name and attempt.pod and attempt.pod.deleting and not attempt.pod.disruption)
    return attempt.suspended or is_taken


def has_ended(step: PlannedStep, pod: ObservedPod) -> bool:
    """Whether nothing in this pod will run any more; the pod's own phase comes a second or two later."""
    if pod.phase in ("Succeeded", "Failed"):
        return True
    stage_in = pod.containers.get(names.STAGE_IN_CONTAINER)
    if stage_in and stage_in.state == "terminated" and stage_in.exit_code:
        return True
    return all(_ended(pod, name) for name in _containers_of(step))


def is_live(step: PlannedStep | None, attempt: ObservedAttempt) -> bool:
    """Whether a Job may still have something that runs."""
    if attempt.complete or attempt.failed_reason:
        return False
    if attempt.shards:
        return not all(_shard_has_ended(step, attempt, index) for index in range(len(attempt.shards)))
    if attempt.pod is None or step is None:
        return True
    return not (merge_has_ended(attempt.pod) if attempt.is_merge else has_ended(step, attempt.pod))


def _shard_has_ended(step: PlannedStep | None, attempt: ObservedAttempt, index: int) -> bool:
    pod = attempt.pods.get(index)
    return index in attempt.ended if pod is None or step is None else has_ended(step, pod)


def _containers_of(step: PlannedStep) -> tuple[str, ...]:
    if not step.needs_movers:
        return (names.STEP_CONTAINER,)
    return (names.STAGE_IN_CONTAINER, names.STEP_CONTAINER, names.PUBLISH_CONTAINER)


def _ended(pod: ObservedPod, name: str) -> bool:
    container = pod.containers.get(name)
    return container is not None and container.state == "terminated"


def _without_pod(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Verdict:
    if attempt.failed_reason:
        return failure_without_pod(attempt)
    if not attempt.complete:
        return waiting_without_pod(step, attempt, moment)
    if step.outputs:
        return ResultUnread()
    return Accepted(
        attempt_id=store_keys.attempt_id(attempt.attempt, attempt.job_uid), finished_at=moment.now
    )


def _suspended(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Verdict:
    """A Job that its queue holds: its pod is taken away, however that one ends, unless it was done before."""
    done = attempt.pod and has_ended(step, attempt.pod) and accepted_pod(step, attempt, attempt.pod)
    return done or waiting_without_pod(step, replace(attempt, suspended=True), moment)


def accepted_pod(step: PlannedStep, attempt: ObservedAttempt, pod: ObservedPod) -> Accepted | None:
    """What an attempt published whose pod has ended, if each container ended well and said what it owes."""
    ended = [pod.containers.get(name) for name in _containers_of(step)]
    if not all(
        container and container.state == "terminated" and container.exit_code == 0 for container in ended
    ):
        return None
    name = store_keys.shard_attempt_id if step.shards else store_keys.attempt_id
    attempt_id = name(attempt.attempt, pod.uid)
    container = pod.containers[names.STEP_CONTAINER]
    finished_at = container.finished_at or pod.created_at
    if not step.needs_movers:
        return Accepted(attempt_id, finished_at)
    report = _report(step, pod.containers[names.PUBLISH_CONTAINER], attempt_id)
    if report is None or (report.shard,) != (attempt.shards or (None,)):
        return None
    finished_at = pod.containers[names.PUBLISH_CONTAINER].finished_at or finished_at
    return Accepted(attempt_id, finished_at, report.outputs, report.metrics)


def _report(step: PlannedStep, publish: ObservedContainer, attempt_id: str) -> PublishReport | None:
    try:
        report = reports.read_publish(publish.message, step)
    except UnreadableReportError:
        return None
    written = {output.name for output in report.outputs}
    owed = {output.name for output in step.outputs if not output.optional}
    return report if owed <= written and report.attempt == attempt_id else None


def _hopeless(step: PlannedStep, pod: ObservedPod, moment: Moment) -> Failed | None:
    """A pod that will never end by itself, or whose end changes nothing any more."""
    container = pod.containers.get(names.STEP_CONTAINER)
    publish = pod.containers.get(names.PUBLISH_CONTAINER)
    if container and container.state == "terminated":
        if container.reason in START_ERRORS:
            return step_failure(step, container)
        if container.exit_code and _long_ended(step, container, moment):
            return failure_of(step, pod)
    elif publish and publish.state == "terminated" and _long_ended(step, publish, moment):
        return _left_alone(pod, publish)
    return None


def _left_alone(pod: ObservedPod, publish: ObservedContainer) -> Failed:
    if pod.disruption:
        return disrupted(pod.disruption)
    failed = mover_failure(publish)
    words = f"publish ended while the step had not, so nothing can be published: {failed.message}"
    return Failed(failed.fault, failed.reason, words, is_final=failed.is_final)


def _long_ended(step: PlannedStep, container: ObservedContainer, moment: Moment) -> bool:
    if container.finished_at is None:
        return True
    return moment.seconds_since(container.finished_at) >= _alone_seconds(step, moment)


def _alone_seconds(step: PlannedStep, moment: Moment) -> float:
    """How long one of the two containers may go on without the other: `publish` looks at mounts once more."""
    looks = _LOOK_AT_MOUNTS_SECONDS if any(given.is_mounted for given in step.inputs) else 0.0
    return moment.limits.publish_alone_seconds + looks


def _going(step: PlannedStep, attempt: ObservedAttempt, pod: ObservedPod, moment: Moment) -> Going | Failed:
    container = pod.containers.get(names.STEP_CONTAINER)
    publish = pod.containers.get(names.PUBLISH_CONTAINER)
    if container is None or container.state == "waiting":
        return waiting_of_pod(step, attempt, pod, moment)
    soon = _alone_seconds(step, moment)
    if container.state == "terminated":
        check = soon if container.exit_code else None
        return Going(StepState.RUNNING, StepReason.PUBLISHING, None, container.started_at, check)
    if publish is not None and publish.state == "waiting":
        # The launcher waits for its reader: nothing of the command has run yet.
        return waiting_of_pod(step, attempt, pod, moment)
    check = soon if publish is not None and publish.state == "terminated" else None
    return Going(StepState.RUNNING, StepReason.RUNNING, None, container.started_at, check)
