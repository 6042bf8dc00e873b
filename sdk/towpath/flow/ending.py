"""How a run ends: cancelled, out of time, its plan lost, or all of its steps final and registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from towpath.flow.conditions import RunReason, StepReason, brief
from towpath.flow.exports import ended_exports
from towpath.flow.observed import Observed
from towpath.flow.planned import Plan
from towpath.flow.recorded import ExportState, RecordedExport, RecordedRun, RecordedStep, StepState
from towpath.flow.verdicts import Moment

Steps = Mapping[str, RecordedStep]

_STOPPED = {
    StepReason.CANCELLED: RunReason.CANCELLED,
    StepReason.TIMED_OUT: RunReason.TIMED_OUT,
    StepReason.PLAN_LOST: RunReason.PLAN_LOST,
}


def reason_to_stop(plan: Plan, recorded: RecordedRun, observed: Observed, now: datetime) -> StepReason | None:
    """Why everything unfinished is to be stopped now, or None."""
    if observed.cancel_requested or observed.deleting:
        return StepReason.CANCELLED
    deadline = deadline_of(plan, recorded)
    return StepReason.TIMED_OUT if deadline is not None and now >= deadline else None


def deadline_of(plan: Plan, recorded: RecordedRun) -> datetime | None:
    """When the run's timeoutSeconds are over."""
    if plan.timeout_seconds is None:
        return None
    return recorded.start_time + timedelta(seconds=plan.timeout_seconds)


def stopped(steps: Steps, reason: StepReason, words: str, now: datetime) -> dict[str, RecordedStep]:
    """The steps, with everything unfinished ended: nothing of it is accepted any more."""
    end = {"state": StepState.CANCELLED, "reason": reason, "message": words, "completion_time": now}
    return {
        name: step if step.state.is_final else replace(step, **end, retry_after=None)  # type: ignore[arg-type]
        for name, step in steps.items()
    }


def words_of_stop(plan: Plan, reason: StepReason) -> str:
    """What a stopped step says."""
    if reason is StepReason.TIMED_OUT:
        return f"the run took longer than {plan.timeout_seconds} s (timeoutSeconds)"
    return "the run was cancelled"


def is_past_grace(steps: Steps, moment: Moment) -> bool:
    """Whether stopped pods have had more than their time: a lost node never confirms their end."""
    ends = [step.completion_time for step in steps.values() if step.state is StepState.CANCELLED]
    last = max((end for end in ends if end is not None), default=None)
    return last is not None and moment.seconds_since(last) > 2 * moment.limits.cancel_grace_seconds


def verdict(
    recorded: RecordedRun, steps: Steps, refused: Mapping[tuple[str, str], str]
) -> tuple[RunReason, str]:
    """The reason and the message of a run whose steps are all final."""
    cut = next(_cut(steps), None)
    if cut is not None:
        reason = next((run for step, run in _STOPPED.items() if step == cut.reason), RunReason.CANCELLED)
        return reason, _counted(steps, cut.message or "")
    failed = _first_failed(steps)
    if failed is not None:
        return RunReason.STEP_FAILED, _failure(failed, steps)
    if refused:
        (step, output), why = sorted(refused.items())[0]
        return RunReason.REGISTRATION_FAILED, brief(f"step {step}, output {output}: {why}")
    for step, output, export in ended_exports(steps, ExportState.FAILED):
        words = f"step {step}, output {output} was not exported: {export.reason}: {export.message}"
        return RunReason.EXPORT_FAILED, brief(words)
    return RunReason.SUCCEEDED, f"{len(recorded.steps)} of {len(recorded.steps)} steps succeeded"


def _cut(steps: Steps) -> Iterator[RecordedStep | RecordedExport]:
    yield from (step for step in steps.values() if step.state is StepState.CANCELLED)
    yield from (export for _, _, export in ended_exports(steps, ExportState.CANCELLED))


def progress(steps: Steps, exporting: list[str]) -> tuple[RunReason, str]:
    """The reason and the message of a run that goes on."""
    running = [name for name, step in steps.items() if step.state is StepState.RUNNING]
    waiting = _waiting([step for step in steps.values() if step.state is StepState.WAITING])
    listed = (("running:", running), ("waiting:", waiting), ("exporting:", exporting))
    parts = [f"{word} {_some(names)}" for word, names in listed if names]
    if any(step.state is StepState.CANCELLED for step in steps.values()):
        return RunReason.CANCELLING, _counted(steps, "its pods are ending")
    failed = _first_failed(steps)
    if failed is not None:
        parts.insert(0, f"step {failed.name} failed")
    return RunReason.RUNNING, _counted(steps, "; ".join(parts))


def _waiting(steps: list[RecordedStep]) -> list[str]:
    """Each with its reason; one by itself with all that is known."""
    if len(steps) == 1 and steps[0].message:
        return [f"{steps[0].name} ({steps[0].reason}: {steps[0].message})"]
    return [f"{step.name} ({step.reason})" for step in steps]


def _first_failed(steps: Steps) -> RecordedStep | None:
    failed = [step for step in steps.values() if step.state is StepState.FAILED]
    # A step that was only given up is not the cause.
    own = [step for step in failed if step.reason != StepReason.RUN_FAILED]
    return next(iter(own or failed), None)


def _failure(failed: RecordedStep, steps: Steps) -> str:
    others = sum(step.state is StepState.FAILED for step in steps.values()) - 1
    skipped = sum(step.state is StepState.SKIPPED for step in steps.values())
    more = f"; {others} more failed" if others else ""
    rest = f"; {skipped} skipped" if skipped else ""
    return brief(f"step {failed.name} failed: {failed.message or failed.reason}{more}{rest}")


def _counted(steps: Steps, words: str) -> str:
    done = sum(step.state is StepState.SUCCEEDED for step in steps.values())
    counted = f"{done} of {len(steps)} steps succeeded"
    return brief(f"{counted}; {words}" if words else counted)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
