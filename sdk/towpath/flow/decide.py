"""(plan, record, observation, now, limits) → what to do next for a run.

Level-triggered: it depends on what is, never on which event came. One pass: accept what ended, stop what must
stop, start what may start, register what was accepted, and end the run when nothing is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from towpath.flow import ending, exports, verification
from towpath.flow.attempts import is_live
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.contents import PinnedVersion
from towpath.flow.decision import Decision, Derivation, Limits, Registration
from towpath.flow.found_results import needless_finders
from towpath.flow.observed import Observed, ObservedAttempt
from towpath.flow.planned import Plan, PlannedInput, PlannedStep, StepOutputRef
from towpath.flow.progress import Moved, lives, move
from towpath.flow.recorded import PublishedOutput, RecordedRun, RecordedStep, StepState
from towpath.flow.start import Started, start, taken_names
from towpath.flow.sweep_sources import pinned_inventories
from towpath.flow.upstream import contents_of
from towpath.flow.verdicts import Moment

Steps = Mapping[str, RecordedStep]


def begin(plan: Plan, plan_digest: str, first_seen_at: datetime) -> RecordedRun:
    """The record of a run whose plan has just been written. It must be in status before the first Job is made."""
    return RecordedRun(
        steps=tuple(RecordedStep(step.name) for step in plan.steps),
        plan_digest=plan_digest,
        reason=RunReason.RUNNING,
        message=f"0 of {len(plan.steps)} steps succeeded",
        start_time=first_seen_at,
        keep_seconds=plan.keep_seconds,
        inventories=pinned_inventories(plan),
    )


@dataclass(frozen=True)
class _Pass:
    """All that one pass looks at."""

    plan: Plan
    recorded: RecordedRun
    observed: Observed
    moment: Moment


def decide(plan: Plan, recorded: RecordedRun, observed: Observed, now: datetime, limits: Limits) -> Decision:
    """What to do now. The same arguments give the same decision, and carrying it out twice does no harm."""
    look = _Pass(plan, recorded, observed, Moment(now, limits))
    known = {step.name: step for step in recorded.steps}
    before = {step.name: known.get(step.name, RecordedStep(step.name)) for step in plan.steps}
    if recorded.completion_time is not None:
        return Decision(recorded, delete=_to_delete(look, before))
    stop = ending.reason_to_stop(plan, recorded, observed, now)
    if stop is not None:
        words = ending.words_of_stop(plan, stop)
        stopped = exports.stop_exports(plan, ending.stopped(before, stop, words, now), stop, words)
        return _decision(look, Started(stopped, delete=verification.running(observed.verifiers)), {})
    moved = _moved(look, before)
    steps = {name: one.step for name, one in moved.items()}
    free = taken_names(plan, steps, observed, look.moment)
    return _decision(look, start(plan, free, observed, look.moment), moved)


def lose_plan(recorded: RecordedRun, observed: Observed, why: str, now: datetime) -> Decision:
    """What to do when the plan is missing, or not the one whose digest was recorded: it is never made again."""
    before = {step.name: step for step in recorded.steps}
    if recorded.completion_time is not None:
        return Decision(recorded)
    steps = ending.stopped(before, StepReason.PLAN_LOST, "the run's plan is lost", now)
    jobs = tuple(one.job for one in observed.attempts if is_live(None, one) and not one.deleting)
    jobs += tuple(one.job for one in observed.exporters if exports.runs(one))
    jobs += verification.running(observed.verifiers)
    ended = replace(
        recorded,
        steps=tuple(steps.values()),
        reason=RunReason.PLAN_LOST,
        message=f"{why} Start another run.",
        completion_time=now,
    )
    return Decision(ended, results_changed=True, delete=jobs)


def _moved(look: _Pass, before: Steps) -> dict[str, Moved]:
    attempts: dict[str, dict[int, ObservedAttempt]] = {step.name: {} for step in look.plan.steps}
    for attempt in look.observed.attempts:
        attempts.setdefault(attempt.step, {})[attempt.attempt] = attempt
    return {
        planned.name: move(
            planned, before[planned.name], attempts[planned.name], contents_of(planned, before), look.moment
        )
        for planned in look.plan.steps
    }


def _decision(look: _Pass, started: Started, moved: Mapping[str, Moved]) -> Decision:
    exported = exports.move_exports(look.plan, started.steps, look.observed, look.moment)
    steps = _with_versions(exported.steps, look.observed)
    register = _registrations(look, steps)
    is_done = not register and not exports.unfinished_exports(look.plan, steps)
    is_over = all(step.state.is_final for step in steps.values()) and is_done
    after = _ended(look, steps) if is_over and not _are_ending(look, steps) else _going(look, steps)
    return Decision(
        recorded=after,
        results_changed=_results(look.recorded) != _results(after),
        create=started.create,
        delete=(*_to_delete(look, steps), *started.delete),
        register=register,
        export=exported.create,
        find=tuple(one.find for one in moved.values() if one.find),
        ask_admission=(
            *started.ask_admission,
            *(job for one in moved.values() for job in one.ask_admission),
            *exported.ask_admission,
        ),
        ask_probe=started.ask_probe,
        check_after_seconds=_next_check(look, after, [*started.checks, *_checks_of(moved), *exported.checks]),
        verify=started.verify,
        waits_for=started.waits_for,
    )


def _ended(look: _Pass, steps: Steps) -> RecordedRun:
    after = _with_steps(look, steps)
    reason, message = ending.verdict(after, steps, look.observed.refused_registrations)
    return replace(after, reason=reason, message=message, completion_time=look.moment.now)


def _going(look: _Pass, steps: Steps) -> RecordedRun:
    reason, message = ending.progress(steps, exports.unfinished_exports(look.plan, steps))
    return replace(_with_steps(look, steps), reason=reason, message=message)


def _with_steps(look: _Pass, steps: Steps) -> RecordedRun:
    return replace(look.recorded, steps=tuple(steps[step.name] for step in look.plan.steps))


def _checks_of(moved: Mapping[str, Moved]) -> list[float]:
    return [one.check_after_seconds for one in moved.values() if one.check_after_seconds is not None]


def _next_check(look: _Pass, after: RecordedRun, checks: list[float]) -> float | None:
    if after.completion_time is not None:
        return None
    deadline = ending.deadline_of(look.plan, after)
    if any(step.state is StepState.CANCELLED for step in after.steps):
        checks = [float(look.moment.limits.cancel_grace_seconds)]
    elif deadline is not None:
        checks = [*checks, (deadline - look.moment.now).total_seconds()]
    return max(0.0, min(checks)) if checks else None


def _are_ending(look: _Pass, steps: Steps) -> bool:
    """Whether pods of stopped steps are still there: a run ends when its pods have."""
    if not any(step.state is StepState.CANCELLED for step in steps.values()):
        return False
    planned = {step.name: step for step in look.plan.steps}
    alive = [one for one in look.observed.attempts if one.step in steps and _is_alive(planned, steps, one)]
    return bool(alive) and not ending.is_past_grace(steps, look.moment)


def _is_alive(planned: Mapping[str, PlannedStep], steps: Steps, attempt: ObservedAttempt) -> bool:
    return lives(planned.get(attempt.step), steps[attempt.step], attempt)


def _to_delete(look: _Pass, steps: Steps) -> tuple[str, ...]:
    planned = {step.name: step for step in look.plan.steps}
    known = (one for one in look.observed.attempts if one.step in steps and not one.deleting)
    alive = [one.job for one in known if _is_alive(planned, steps, one)]
    alive += needless_finders(steps, look.observed)
    return tuple(sorted(alive + exports.needless_exporters(look.plan, steps, look.observed)))


def _with_versions(steps: Steps, observed: Observed) -> dict[str, RecordedStep]:
    found = {name for name, _ in observed.registered}
    return {
        name: replace(step, outputs=_versioned(step, observed)) if name in found else step
        for name, step in steps.items()
    }


def _versioned(step: RecordedStep, observed: Observed) -> tuple[PublishedOutput, ...]:
    found = {output.name: observed.registered.get((step.name, output.name)) for output in step.outputs}
    versions = {name: version.version for name, version in found.items() if version}
    return tuple(replace(one, version=versions.get(one.name, one.version)) for one in step.outputs)


def _registrations(look: _Pass, steps: Steps) -> tuple[Registration, ...]:
    wanted = []
    for planned in look.plan.steps:
        for output in steps[planned.name].outputs:
            refused = (planned.name, output.name) in look.observed.refused_registrations
            if output.version is None and not refused:
                wanted.extend(_registration(look, planned, output, steps))
    return tuple(wanted)


def _registration(
    look: _Pass, planned: PlannedStep, output: PublishedOutput, steps: Steps
) -> list[Registration]:
    recorded = steps[planned.name]
    declared = {one.name: one for one in planned.outputs}[output.name]
    if declared.register is None or recorded.attempt_id is None:
        return []
    return [
        Registration(
            step=planned.name,
            output=output.name,
            register=declared.register,
            content=output.content,
            attempt=recorded.attempt_id,
            derived_from=_derived_from(look, planned, steps),
        )
    ]


def _derived_from(look: _Pass, planned: PlannedStep, steps: Steps) -> tuple[Derivation, ...]:
    contents = contents_of(planned, steps)
    return tuple(
        Derivation(given.name, contents[given.name].inventory.digest, *_version_read(look, given, steps))
        for given in planned.inputs
    )


def _version_read(look: _Pass, given: PlannedInput, steps: Steps) -> tuple[str | None, int | None]:
    """Dataset and number of what an input read: what was pinned, or what another step's output became."""
    match given.source:
        case PinnedVersion(dataset, version):
            return dataset, version
        case StepOutputRef(step, output):
            register = {one.name: one.register for one in look.plan.step(step).outputs}[output]
            number = {one.name: one.version for one in steps[step].outputs}.get(output)
            return (register.dataset, number) if register and number is not None else (None, None)
        case _:
            return None, None


def _results(recorded: RecordedRun) -> object:
    """The part of a record on which later decisions rest: it is written before they are acted on."""
    steps = [
        (step.name, step.state.is_final, step.failures, step.retry_after, step.attempt_id, _settled(step))
        for step in recorded.steps
    ]
    # A sweep reads what a run is about to take.
    taken = [step.reused_from for step in recorded.steps]
    return steps, taken, recorded.completion_time


def _settled(step: RecordedStep) -> list[PublishedOutput]:
    """What was published, without what a mover that copies it waits for."""
    return [
        replace(output, export=replace(output.export, message=None)) if output.export else output
        for output in step.outputs
    ]
