"""The Indexed Job of a step's shards → which have published their part, and what that means for the step.

An attempt runs the shards that have published nothing yet. It has failed when each of them has ended, or one that
nobody tries again; then the next runs what is left. When all have published, a mover makes one output of the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from towpath.flow import names, reports, store_keys
from towpath.flow.attempts import accepted_pod, has_ended, judge
from towpath.flow.conditions import StepReason, brief
from towpath.flow.decision import AttemptOrder
from towpath.flow.failures import disrupted
from towpath.flow.observed import ObservedAttempt, ObservedPod
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import RecordedStep, StepState
from towpath.flow.retries import is_the_last
from towpath.flow.verdicts import Accepted, AllPublished, Failed, Fault, Going, Moment, Verdict
from towpath.flow.waiting import waiting_without_pod

# Whose failure an attempt counts as where several shards failed: credentials are asked for again by the next.
_GRAVEST_FIRST = (Fault.USER, Fault.MOVER, Fault.DISRUPTION, Fault.CREDENTIALS)
_GONE = disrupted("its pod was gone before its end could be looked at")


@dataclass(frozen=True)
class _Sight:
    """The shards of an attempt that have published nothing: how far each is; `idle` are those without a pod."""

    going: Mapping[int, Going]
    failed: Mapping[int, Failed]
    idle: int
    has_stuck: bool


def is_published(step: PlannedStep, recorded: RecordedStep) -> bool:
    """Whether all shards of a step have published their part, so that it only remains to merge them."""
    return step.shards is not None and len(recorded.shards) == step.shards.count


def with_shards(step: PlannedStep, recorded: RecordedStep, order: AttemptOrder) -> AttemptOrder:
    """The order of a step's next attempt: of a step with shards those that are left, or the parts to merge."""
    if step.shards is None:
        return order
    if is_published(step, recorded):
        return replace(order, parts=recorded.shards)
    return replace(order, shards=tuple(_left(range(step.shards.count), recorded)))


def fits(step: PlannedStep, recorded: RecordedStep, attempt: ObservedAttempt) -> bool:
    """Whether a Job does what a step's next attempt has to do."""
    if step.shards is None:
        return not attempt.shards and not attempt.is_merge
    return attempt.is_merge == is_published(step, recorded) and bool(attempt.shards) != attempt.is_merge


def with_published(step: PlannedStep, recorded: RecordedStep, attempt: ObservedAttempt) -> RecordedStep:
    """The step's record with what was published meanwhile: once recorded, it is not run again whatever its pod does."""
    after = recorded
    for index, shard in enumerate(attempt.shards):
        pod = attempt.pods.get(index)
        if pod is None or shard in recorded.shards or not has_ended(step, pod):
            continue
        accepted = accepted_pod(step, _alone(attempt, shard, pod), pod)
        if accepted is not None:
            after = _with_one(after, shard, accepted.attempt_id, pod)
    return after


def judge_shards(
    step: PlannedStep, recorded: RecordedStep, attempt: ObservedAttempt, moment: Moment
) -> Verdict | AllPublished:
    """What can be said of an attempt now; `recorded` holds what is published."""
    if is_published(step, recorded):
        return AllPublished() if step.outputs else _accepted(attempt, moment)
    if attempt.suspended and not attempt.failed_reason:
        return waiting_without_pod(step, attempt, moment)
    sight = _look(step, recorded, attempt, moment)
    doomed = [shard for shard, failed in sight.failed.items() if is_the_last(step, recorded, failed, moment)]
    if doomed:
        return _failed(sight.failed, doomed)
    if _is_over(sight, attempt):
        return _failed(sight.failed, [])
    if not sight.going:
        return _waiting(step, attempt, moment)
    return _going(step, recorded, sight)


def _left(shards: Iterable[int], recorded: RecordedStep) -> list[int]:
    return [shard for shard in shards if shard not in recorded.shards]


def _with_one(recorded: RecordedStep, shard: int, attempt_id: str, pod: ObservedPod) -> RecordedStep:
    report = reports.read_stage_in(pod.containers[names.STAGE_IN_CONTAINER].message)
    return replace(
        recorded,
        shards={**recorded.shards, shard: attempt_id},
        bytes_in=recorded.bytes_in + (report.bytes if report else 0),
        stage_in_seconds=max(recorded.stage_in_seconds or 0.0, report.seconds if report else 0.0),
    )


def _look(step: PlannedStep, recorded: RecordedStep, attempt: ObservedAttempt, moment: Moment) -> _Sight:
    going: dict[int, Going] = {}
    failed: dict[int, Failed] = {}
    idle, has_stuck = 0, False
    for index, shard in enumerate(attempt.shards):
        pod = attempt.pods.get(index)
        if shard in recorded.shards:
            continue
        if pod is None and index not in attempt.ended:
            idle += 1
            continue
        verdict = judge(step, _alone(attempt, shard, pod), moment) if pod else _GONE
        if isinstance(verdict, Going):
            going[shard] = verdict
        elif isinstance(verdict, Failed):
            failed[shard] = verdict
            has_stuck = has_stuck or (pod is not None and not has_ended(step, pod))
    return _Sight(going, failed, idle, has_stuck)


def _alone(attempt: ObservedAttempt, shard: int, pod: ObservedPod) -> ObservedAttempt:
    """One shard as an attempt by itself. The Job's own end says nothing of it."""
    return replace(
        attempt,
        shards=(shard,),
        pod=pod,
        created_at=pod.created_at,
        failed_reason=None,
        complete=False,
        suspended=False,
    )


def _is_over(sight: _Sight, attempt: ObservedAttempt) -> bool:
    if sight.going:
        return False
    # One that is stuck keeps its place among those that may run at once.
    has_ended = attempt.complete or attempt.failed_reason is not None
    return not sight.idle or sight.has_stuck or has_ended


def _accepted(attempt: ObservedAttempt, moment: Moment) -> Accepted:
    return Accepted(store_keys.attempt_id(attempt.attempt, attempt.job_uid), moment.now)


def _failed(failed: Mapping[int, Failed], doomed: Sequence[int]) -> Failed:
    if not failed:
        return disrupted("its Job ended before all of its shards had run")
    ranked = sorted(failed, key=lambda shard: (_GRAVEST_FIRST.index(failed[shard].fault), shard))
    first = doomed[0] if doomed else ranked[0]
    others = len(failed) - 1
    more = f" ({others} more shards failed)" if others else ""
    return replace(failed[first], message=brief(f"shard {first}: {failed[first].message}{more}"))


def _waiting(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Verdict:
    """No pod has begun, or all that had have ended: the patience with admission and quota begins there."""
    ends = [_last_end(pod) for pod in attempt.pods.values()]
    since = max([attempt.created_at, *(end for end in ends if end is not None)])
    return waiting_without_pod(step, replace(attempt, created_at=since), moment)


def _last_end(pod: ObservedPod) -> datetime | None:
    ends = [one.finished_at for one in pod.containers.values() if one.finished_at is not None]
    return max(ends, default=None)


def _going(step: PlannedStep, recorded: RecordedStep, sight: _Sight) -> Going:
    running = [one for one in sight.going.values() if one.state is StepState.RUNNING]
    shown = next(iter(running or sight.going.values()))
    count = step.shards.count if step.shards else 0
    said = f"{len(recorded.shards)} of {count} shards done, {len(running)} running"
    failed = f", {len(sight.failed)} failed" if sight.failed else ""
    why = "" if running or not shown.message else f": {shown.message}"
    checks = [one.check_after_seconds for one in sight.going.values() if one.check_after_seconds is not None]
    return replace(
        shown,
        reason=StepReason.RUNNING if running else shown.reason,
        message=brief(f"{said}{failed}{why}"),
        check_after_seconds=min(checks, default=None),
    )
