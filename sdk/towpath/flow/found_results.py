"""An attempt that is complete while its pod is gone → its result, which a mover finds in the store.

So an operator that was down while the pod ended and was collected neither loses nor repeats a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from towpath.flow import reports, store_keys
from towpath.flow.conditions import StepReason, brief
from towpath.flow.exits import MoverExit
from towpath.flow.failures import disrupted
from towpath.flow.mover_orders import FindResult
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost, judge_mover, words_of
from towpath.flow.observed import Observed, ObservedAttempt, ObservedMover
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import RecordedStep, StepState
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.verdicts import Accepted, Failed, Fault, Going, Moment

# There is no result, or none of ours: looked for again, it would be the same.
_NOT_THERE = (MoverExit.REFUSED, MoverExit.DATA_CHANGED)
_WORDS = "its pod was gone before its report was read: a mover looks for its result in the store"


@dataclass(frozen=True)
class Found:
    """What can be said of the attempt now; `order` is the mover to start, if one is to be started.

    `ask_admission` names the Job of the one that has no pod.
    """

    verdict: Going | Accepted | Failed
    order: FindResult | None = None
    ask_admission: tuple[str, ...] = ()


def find_result(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Found:
    """Look at the movers that look for the result of a complete attempt."""
    tries = {number_of(mover): mover for mover in attempt.finders if not mover.deleting}
    if not tries:
        return _look(step, attempt, 1, 0.0)
    number = max(tries)
    match judge_mover(tries[number], moment):
        case MoverGoing(message, check_after_seconds, is_podless):
            asked = (tries[number].job,) if is_podless else ()
            return Found(_going(check_after_seconds, message), ask_admission=asked)
        case MoverEnded(exit_code, text) if exit_code == MoverExit.OK:
            return Found(_accepted(step, attempt, text, moment))
        case MoverEnded(exit_code, _) as ended if exit_code in _NOT_THERE:
            return Found(disrupted(brief(f"{_gone(attempt)}: {words_of(ended)}")))
        case MoverEnded() | MoverLost() as ended:
            return _again(step, attempt, number, words_of(ended), moment)


def needless_finders(steps: Mapping[str, RecordedStep], observed: Observed) -> list[str]:
    """The Jobs that look for what nobody waits for any more."""
    return [
        mover.job
        for attempt in observed.attempts
        for mover in attempt.finders
        if attempt.step in steps
        and steps[attempt.step].state.is_final
        and not (mover.has_ended or mover.deleting)
    ]


def number_of(mover: ObservedMover) -> int:
    """Which try a mover is, from 1."""
    number = mover.ask.rpartition("/")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def _look(step: PlannedStep, attempt: ObservedAttempt, number: int, pause: float) -> Found:
    order = FindResult(step.name, attempt.attempt, number, attempt.is_merge) if not pause else None
    return Found(_going(pause or None), order)


def _going(check_after_seconds: float | None, waits_for: str | None = None) -> Going:
    words = brief(f"{_WORDS}; {waits_for}" if waits_for else _WORDS)
    return Going(StepState.RUNNING, StepReason.FINDING_RESULT, words, check_after_seconds=check_after_seconds)


def _again(step: PlannedStep, attempt: ObservedAttempt, number: int, words: str, moment: Moment) -> Found:
    if number > moment.limits.mover_failures:
        message = brief(f"{_gone(attempt)}, and its result could not be looked for ({number} times): {words}")
        return Found(Failed(Fault.MOVER, StepReason.MOVER_FAILED, message))
    last = next(mover for mover in attempt.finders if number_of(mover) == number)
    left = moment.limits.pause_seconds(number) - moment.seconds_since(last.created_at)
    return _look(step, attempt, number + 1, max(0.0, left))


def _accepted(
    step: PlannedStep, attempt: ObservedAttempt, text: str | None, moment: Moment
) -> Accepted | Failed:
    try:
        report = reports.read_publish(text, step)
    except UnreadableReportError as error:
        return disrupted(brief(f"{_gone(attempt)}, and what lies in the store is not its result: {error}"))
    owed = {output.name for output in step.outputs if not output.optional}
    beginning = (store_keys.shard_attempt_id if attempt.is_merge else store_keys.attempt_id)(
        attempt.attempt, ""
    )
    if not report.attempt.startswith(beginning) or not owed <= {one.name for one in report.outputs}:
        return disrupted(f"{_gone(attempt)}, and what lies in the store is not what it owes")
    return Accepted(report.attempt, moment.now, report.outputs, report.metrics)


def _gone(attempt: ObservedAttempt) -> str:
    return f"Job {attempt.job} is complete, and its pod was gone before its report was read"
