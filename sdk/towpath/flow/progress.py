"""One step's record, moved forward by what is seen of its attempts. A recorded end is never changed again.

An attempt is live from when its Job was first seen until its end is recorded; a live attempt whose Job is gone
is a disruption, and a Job that was never seen was never made: it is made again under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from towpath.flow import names, reports
from towpath.flow.attempts import is_live, judge
from towpath.flow.conditions import StepReason
from towpath.flow.contents import Content
from towpath.flow.failures import disrupted
from towpath.flow.fingerprint import fingerprint
from towpath.flow.found_results import find_result
from towpath.flow.merges import judge_merge
from towpath.flow.mover_orders import FindResult
from towpath.flow.observed import ObservedAttempt
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import RecordedStep, StepState
from towpath.flow.retries import after_failure
from towpath.flow.shards import fits, is_published, judge_shards, with_published
from towpath.flow.verdicts import (
    Accepted,
    AllPublished,
    Failed,
    Going,
    Moment,
    ResultUnread,
    Verdict,
)


@dataclass(frozen=True)
class Moved:
    """A step's new record, and what it asks of the operator."""

    step: RecordedStep
    ask_admission: tuple[str, ...] = ()
    check_after_seconds: float | None = None
    find: FindResult | None = None


def has_live_attempt(step: RecordedStep) -> bool:
    """Whether the latest attempt was seen and its end is not recorded."""
    return step.attempt > 0 and step.retry_after is None and not step.state.is_final


def goes_on(planned: PlannedStep, step: RecordedStep) -> bool:
    """Whether a step is under way: also between its shards and their merge, for all of its work is done there."""
    is_to_merge = not step.state.is_final and step.attempt > 0 and is_published(planned, step)
    return has_live_attempt(step) or is_to_merge


def move(
    planned: PlannedStep,
    recorded: RecordedStep,
    attempts: Mapping[int, ObservedAttempt],
    inputs: Mapping[str, Content],
    moment: Moment,
) -> Moved:
    """Move a step forward; `attempts` are its Jobs by number."""
    if recorded.state.is_final:
        return Moved(recorded)
    if not has_live_attempt(recorded):
        if recorded.attempt + 1 not in attempts:
            return Moved(recorded)
        attempt = attempts[recorded.attempt + 1]
        if attempt.step_digest != planned.digest or not fits(planned, recorded, attempt):
            return Moved(name_taken(recorded, attempt.job, moment))
        recorded = _begun(planned, recorded, attempt)
    elif recorded.attempt not in attempts:
        return Moved(after_failure(planned, recorded, disrupted("its Job vanished before it ended"), moment))
    attempt = attempts[recorded.attempt]
    return _judged(planned, _with_stage_in(recorded, attempt), attempt, inputs, moment)


def lives(planned: PlannedStep | None, recorded: RecordedStep, attempt: ObservedAttempt) -> bool:
    """Whether a Job runs on although the record has done with it: it is to be deleted."""
    is_done_with = (
        recorded.state.is_final or attempt.attempt < recorded.attempt or not has_live_attempt(recorded)
    )
    is_ahead = attempt.attempt > recorded.attempt and not recorded.state.is_final
    return is_done_with and not is_ahead and is_live(planned, attempt)


def name_taken(recorded: RecordedStep, job: str, moment: Moment) -> RecordedStep:
    """The step's record when a Job that is not its own has its attempt's name."""
    words = f"a Job named {job} exists that is not of this plan: delete it, and start another run"
    return replace(
        recorded,
        state=StepState.FAILED,
        reason=StepReason.NAME_TAKEN,
        message=words,
        completion_time=moment.now,
        retry_after=None,
    )


def _begun(planned: PlannedStep, recorded: RecordedStep, attempt: ObservedAttempt) -> RecordedStep:
    return replace(
        recorded,
        state=StepState.WAITING,
        reason=StepReason.STARTING,
        message=None,
        attempt=attempt.attempt,
        job=attempt.job,
        start_time=attempt.created_at,
        retry_after=None,
        exit_code=None,
        log_tail=None,
        # Of shards that have published, it stays true what was staged in for them.
        bytes_in=recorded.bytes_in if recorded.shards else 0,
        stage_in_seconds=recorded.stage_in_seconds if recorded.shards else None,
        notes=tuple(given.note for given in planned.inputs if given.note),
        fingerprint=attempt.fingerprint or recorded.fingerprint,
        miss=attempt.miss or recorded.miss,
        reused_from=None,
    )


def _with_stage_in(recorded: RecordedStep, attempt: ObservedAttempt) -> RecordedStep:
    container = attempt.pod.containers.get(names.STAGE_IN_CONTAINER) if attempt.pod else None
    if container is None or container.state != "terminated" or container.exit_code != 0:
        return recorded
    report = reports.read_stage_in(container.message)
    if report is None:
        return recorded
    return replace(recorded, bytes_in=report.bytes, stage_in_seconds=report.seconds)


def _judged(
    planned: PlannedStep,
    recorded: RecordedStep,
    attempt: ObservedAttempt,
    inputs: Mapping[str, Content],
    moment: Moment,
) -> Moved:
    recorded = with_published(planned, recorded, attempt)
    verdict = _verdict(planned, recorded, attempt, moment)
    if isinstance(verdict, ResultUnread):
        found = find_result(planned, attempt, moment)
        told = _told(planned, recorded, found.verdict, inputs, moment)
        return replace(told, find=found.order, ask_admission=found.ask_admission)
    return _told(planned, recorded, verdict, inputs, moment)


def _told(
    planned: PlannedStep,
    recorded: RecordedStep,
    verdict: Going | Accepted | Failed | AllPublished,
    inputs: Mapping[str, Content],
    moment: Moment,
) -> Moved:
    match verdict:
        case AllPublished():
            return Moved(_to_merge(recorded, moment))
        case Going():
            jobs = (recorded.job,) if verdict.ask_admission and recorded.job else ()
            return Moved(_going(recorded, verdict), jobs, verdict.check_after_seconds)
        case Accepted():
            return Moved(_accepted(planned, recorded, verdict, inputs))
        case Failed():
            return Moved(after_failure(planned, recorded, verdict, moment))


def _verdict(
    planned: PlannedStep, recorded: RecordedStep, attempt: ObservedAttempt, moment: Moment
) -> Verdict | AllPublished:
    if attempt.is_merge:
        return judge_merge(planned, attempt, moment)
    if attempt.shards:
        return judge_shards(planned, recorded, attempt, moment)
    return judge(planned, attempt, moment)


def _to_merge(recorded: RecordedStep, moment: Moment) -> RecordedStep:
    """Its shards have ended; the merge is the next attempt, which nothing holds up."""
    return replace(
        recorded, state=StepState.WAITING, reason=StepReason.MERGING, message=None, retry_after=moment.now
    )


def _going(recorded: RecordedStep, going: Going) -> RecordedStep:
    return replace(recorded, state=going.state, reason=going.reason, message=going.message)


def _accepted(
    planned: PlannedStep, recorded: RecordedStep, accepted: Accepted, inputs: Mapping[str, Content]
) -> RecordedStep:
    return replace(
        recorded,
        state=StepState.SUCCEEDED,
        reason=StepReason.SUCCEEDED,
        message=None,
        job=None,
        attempt_id=accepted.attempt_id,
        completion_time=accepted.finished_at,
        exit_code=0,
        outputs=accepted.outputs,
        shards={},
        metrics=accepted.metrics,
        fingerprint=fingerprint(planned, inputs),
    )
