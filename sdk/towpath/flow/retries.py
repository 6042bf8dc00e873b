"""A failed attempt → another one after a pause, or the step's failure: counted by who must bear it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from towpath.flow.conditions import StepReason, brief
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import FailureCounts, RecordedStep, StepState
from towpath.flow.verdicts import Failed, Fault, Moment


def after_failure(step: PlannedStep, recorded: RecordedStep, failed: Failed, moment: Moment) -> RecordedStep:
    """The step's record after its latest attempt failed."""
    counts = counted(recorded.failures, failed.fault)
    ended = replace(recorded, failures=counts, exit_code=failed.exit_code, log_tail=failed.log_tail)
    why = _why_no_more(step, counts, failed, moment)
    if why is None:
        return _again(ended, failed, moment)
    return replace(
        ended,
        state=StepState.FAILED,
        reason=failed.reason,
        message=brief(f"{failed.message}{why}"),
        completion_time=moment.now,
        retry_after=None,
        shards={},
    )


def counted(counts: FailureCounts, fault: Fault) -> FailureCounts:
    """The counts with one more failure of this kind; refused credentials count against nothing."""
    match fault:
        case Fault.USER:
            return replace(counts, user=counts.user + 1)
        case Fault.DISRUPTION:
            return replace(counts, disruption=counts.disruption + 1)
        case Fault.MOVER:
            return replace(counts, mover=counts.mover + 1)
        case Fault.CREDENTIALS:
            return counts


def pause_seconds(recorded: RecordedStep, fault: Fault, moment: Moment) -> int:
    """How long to wait before the next attempt: longer after each failure of the same kind.

    Refused credentials are not counted: after them it grows with the attempts. A probe has to succeed before each.
    """
    counts = recorded.failures
    match fault:
        case Fault.USER:
            number = counts.user
        case Fault.DISRUPTION:
            number = counts.disruption
        case Fault.MOVER:
            number = counts.mover
        case Fault.CREDENTIALS:
            number = recorded.attempt
    return moment.limits.pause_seconds(number)


def refused_at(recorded: RecordedStep, moment: Moment) -> datetime | None:
    """When the credentials of a step that waits for them were refused; None where another clock said it."""
    if recorded.retry_after is None or recorded.reason != StepReason.CREDENTIALS:
        return None
    if recorded.retry_after > moment.now and not moment.seconds_until(recorded.retry_after):
        return None
    return recorded.retry_after - timedelta(seconds=pause_seconds(recorded, Fault.CREDENTIALS, moment))


def is_the_last(step: PlannedStep, recorded: RecordedStep, failed: Failed, moment: Moment) -> bool:
    """Whether no attempt follows one that failed so."""
    return _why_no_more(step, counted(recorded.failures, failed.fault), failed, moment) is not None


def _why_no_more(step: PlannedStep, counts: FailureCounts, failed: Failed, moment: Moment) -> str | None:
    if failed.is_final:
        return ""
    if failed.fault is Fault.USER and counts.user > step.retries:
        return f" ({counts.user} attempts)" if step.retries else ""
    if failed.fault is Fault.DISRUPTION and counts.disruption > moment.limits.disruptions:
        return f" (the pod was taken away {counts.disruption} times)"
    if failed.fault is Fault.MOVER and counts.mover > moment.limits.mover_failures:
        return f" (transfers failed {counts.mover} times)"
    return None


def _again(recorded: RecordedStep, failed: Failed, moment: Moment) -> RecordedStep:
    pause = pause_seconds(recorded, failed.fault, moment)
    is_credentials = failed.fault is Fault.CREDENTIALS
    words = f"attempt {recorded.attempt} failed: {failed.message}"
    return replace(
        recorded,
        state=StepState.WAITING,
        reason=StepReason.CREDENTIALS if is_credentials else StepReason.RETRYING,
        message=brief(words),
        retry_after=moment.now + timedelta(seconds=pause),
    )
