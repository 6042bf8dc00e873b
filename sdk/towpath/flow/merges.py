"""One mover that makes one output of what all shards of a step have published → how it stands with it."""

from __future__ import annotations

from towpath.flow import names, reports, store_keys
from towpath.flow.conditions import StepReason
from towpath.flow.failures import disrupted, failure_without_pod, stopped_mover
from towpath.flow.observed import ObservedAttempt, ObservedContainer, ObservedPod
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import StepState
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.verdicts import Accepted, Failed, Fault, Going, Moment, ResultUnread, Verdict
from towpath.flow.waiting import waiting_of_pod, waiting_without_pod


def judge_merge(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Verdict:
    """What can be said now of the attempt that makes one output of the parts of a step."""
    pod = attempt.pod
    if pod is None:
        return _without_pod(step, attempt, moment)
    container = pod.containers.get(names.MERGE_CONTAINER)
    if merge_has_ended(pod):
        return _ended(step, attempt, pod, container)
    if container is None or container.state == "waiting":
        return waiting_of_pod(step, attempt, pod, moment)
    return Going(StepState.RUNNING, StepReason.MERGING, started_at=container.started_at)


def merge_has_ended(pod: ObservedPod) -> bool:
    """Whether nothing in such a pod runs any more."""
    container = pod.containers.get(names.MERGE_CONTAINER)
    is_over = container is not None and container.state == "terminated"
    return is_over or pod.phase in ("Succeeded", "Failed")


def _without_pod(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Verdict:
    if attempt.failed_reason:
        return failure_without_pod(attempt)
    if attempt.complete:
        return ResultUnread()
    return waiting_without_pod(step, attempt, moment)


def _ended(
    step: PlannedStep, attempt: ObservedAttempt, pod: ObservedPod, container: ObservedContainer | None
) -> Accepted | Failed:
    if container is None or container.state != "terminated":
        return disrupted(f"the merging pod ended by itself: {pod.reason or 'no reason'}: {pod.message or ''}")
    if container.exit_code:
        return stopped_mover(pod, container)
    attempt_id = store_keys.shard_attempt_id(attempt.attempt, pod.uid)
    try:
        report = reports.read_publish(container.message, step)
    except UnreadableReportError as error:
        return _unreadable(str(error))
    owed = {output.name for output in step.outputs if not output.optional}
    if report.attempt != attempt_id or not owed <= {output.name for output in report.outputs}:
        return _unreadable("it is not what the merge owes")
    return Accepted(attempt_id, container.finished_at or pod.created_at, report.outputs, report.metrics)


def _unreadable(why: str) -> Failed:
    words = f"the merge ended with 0, and its report cannot be used: {why}"
    return Failed(Fault.MOVER, StepReason.MOVER_FAILED, words)
