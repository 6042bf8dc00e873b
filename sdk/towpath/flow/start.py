"""Steps that have no live attempt → started, held, skipped or given up: what may start rests on the record only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from towpath.flow import graph, names
from towpath.flow.conditions import StepReason, brief
from towpath.flow.decision import AttemptOrder
from towpath.flow.observed import Observed
from towpath.flow.planned import Content, Plan, PlannedInput, PlannedStep, StepOutputRef
from towpath.flow.progress import goes_on, has_live_attempt, name_taken
from towpath.flow.recorded import RecordedStep, StepState
from towpath.flow.retries import refused_at
from towpath.flow.scratch import scratch_bytes, why_empty_shares, why_too_large
from towpath.flow.shards import with_shards
from towpath.flow.verdicts import Moment

Steps = Mapping[str, RecordedStep]


@dataclass(frozen=True)
class Started:
    """The steps after one look at all that could start, and what is to be created for it."""

    steps: Steps
    create: tuple[AttemptOrder, ...] = ()
    ask_probe: Mapping[str, datetime] = field(default_factory=dict)
    checks: tuple[float, ...] = field(default=())


def start(plan: Plan, steps: Steps, observed: Observed, moment: Moment) -> Started:
    """Look at each step without a live attempt, in the plan's order."""
    settled = _settled(plan, steps, moment)
    create: list[AttemptOrder] = []
    ask_probe: dict[str, datetime] = {}
    checks: list[float] = []
    after = dict(settled)
    for planned in plan.steps:
        if not is_startable(planned, after):
            continue
        held = _held(planned, after, observed, moment)
        for name, since in held.ask_probe.items():
            ask_probe[name] = max(since, ask_probe.get(name, since))
        checks.extend(held.checks)
        if held.is_free:
            create.append(_order(planned, after))
            after[planned.name] = _starting(after[planned.name])
    return Started(after, tuple(create), ask_probe, tuple(checks))


def is_startable(planned: PlannedStep, steps: Steps) -> bool:
    """Whether a step has no live attempt and everything that it waits for has succeeded."""
    recorded = steps[planned.name]
    if recorded.state.is_final or has_live_attempt(recorded):
        return False
    return all(steps[name].state is StepState.SUCCEEDED for name in graph.upstream(planned))


def contents_of(planned: PlannedStep, steps: Steps) -> dict[str, Content]:
    """What each input of a step will be given, of those that are known."""
    found = {given.name: _content(given, steps) for given in planned.inputs}
    return {name: content for name, content in found.items() if content is not None}


def _content(given: PlannedInput, steps: Steps) -> Content | None:
    if not isinstance(given.source, StepOutputRef):
        return given.source.content
    outputs = {output.name: output.content for output in steps[given.source.step].outputs}
    return outputs.get(given.source.output)


def _settled(plan: Plan, steps: Steps, moment: Moment) -> dict[str, RecordedStep]:
    """Give up what can never start, until that changes nothing more: a failure may reach steps before it."""
    before = dict(steps)
    while True:
        after = dict(before)
        failed = next((step for step in before.values() if step.state is StepState.FAILED), None)
        cause = None if plan.continue_on_step_failure else failed
        for planned in plan.steps:
            after[planned.name] = _settle(planned, after, cause, moment)
        if after == before:
            return after
        before = after


def _settle(planned: PlannedStep, steps: Steps, cause: RecordedStep | None, moment: Moment) -> RecordedStep:
    recorded = steps[planned.name]
    if recorded.state.is_final or goes_on(planned, recorded):
        return recorded
    lost = [name for name in sorted(graph.upstream(planned)) if _is_lost(steps[name])]
    if lost:
        return _skipped(recorded, StepReason.UPSTREAM_FAILED, _why_lost(steps[lost[0]]), moment)
    if cause is not None:
        return _given_up(recorded, cause, moment)
    if is_startable(planned, steps):
        return _without_input(planned, steps, moment) or recorded
    waits_for = [name for name in sorted(graph.upstream(planned)) if not steps[name].state.is_final]
    words = brief(f"waits for {', '.join(waits_for)}")
    return replace(recorded, state=StepState.PENDING, reason=StepReason.UPSTREAM, message=words)


def _is_lost(step: RecordedStep) -> bool:
    return step.state.is_final and step.state is not StepState.SUCCEEDED


def _why_lost(upstream: RecordedStep) -> str:
    return brief(f"step {upstream.name} is {upstream.state}: {upstream.message or upstream.reason or ''}")


def _skipped(recorded: RecordedStep, reason: StepReason, words: str, moment: Moment) -> RecordedStep:
    return _ended(recorded, StepState.SKIPPED, reason, words, moment)


def _given_up(recorded: RecordedStep, failed: RecordedStep, moment: Moment) -> RecordedStep:
    words = f"step {failed.name} failed, and continueOnStepFailure is not set"
    if recorded.attempt == 0:
        return _skipped(recorded, StepReason.RUN_FAILED, words, moment)
    words = brief(f"{recorded.message}; not tried again: {words}")
    return _ended(recorded, StepState.FAILED, StepReason.RUN_FAILED, words, moment)


def _without_input(planned: PlannedStep, steps: Steps, moment: Moment) -> RecordedStep | None:
    contents = contents_of(planned, steps)
    recorded = steps[planned.name]
    for given in planned.inputs:
        content = contents.get(given.name)
        if content is None and isinstance(given.source, StepOutputRef):
            words = f"input {given.name}: step {given.source.step} did not write {given.source.output}"
            return _ended(recorded, StepState.FAILED, StepReason.INPUT_NOT_WRITTEN, words, moment)
        if content is not None and content.files == 0 and not given.allow_empty:
            words = f"input {given.name} has no files; say allowEmpty: true if that is meant"
            return _ended(recorded, StepState.FAILED, StepReason.EMPTY_INPUT, words, moment)
        few = _why_few(planned, given, content)
        if few is not None:
            words = f"input {given.name}: {few}"
            return _ended(recorded, StepState.FAILED, StepReason.EMPTY_INPUT, words, moment)
    too_large = why_too_large(scratch_bytes(planned, contents), moment.limits)
    if too_large is not None:
        return _ended(recorded, StepState.FAILED, StepReason.TOO_LARGE, too_large, moment)
    return None


def _why_few(planned: PlannedStep, given: PlannedInput, content: Content | None) -> str | None:
    """Why an input from another step has too little to share out; of a view of it that is not known yet."""
    shards = planned.shards
    if shards is None or shards.input != given.name or content is None or given.transforms:
        return None
    return None if given.allow_empty or given.pinned else why_empty_shares(content.files, shards.count)


def _ended(
    recorded: RecordedStep, state: StepState, reason: StepReason, words: str, moment: Moment
) -> RecordedStep:
    return replace(
        recorded, state=state, reason=reason, message=words, completion_time=moment.now, retry_after=None
    )


@dataclass(frozen=True)
class _Held:
    is_free: bool = True
    ask_probe: Mapping[str, datetime] = field(default_factory=dict)
    checks: tuple[float, ...] = ()


def _held(planned: PlannedStep, steps: Steps, observed: Observed, moment: Moment) -> _Held:
    recorded = steps[planned.name]
    if recorded.retry_after is None:
        return _Held()
    left = max(0.0, (recorded.retry_after - moment.now).total_seconds())
    since = refused_at(recorded, moment)
    asked = {name: since for name in _datastores_of(planned, steps) if since and _bars(name, since, observed)}
    if not left and not asked:
        return _Held()
    return _Held(False, asked, (left or float(moment.limits.longest_pause_seconds),))


def _bars(datastore: str, since: datetime, observed: Observed) -> bool:
    """Whether nothing has shown since then that a datastore can be entered: it may be Ready by an old probe."""
    probed_at = observed.probed_at.get(datastore)
    return datastore in observed.not_ready_datastores or (probed_at is not None and probed_at <= since)


def _datastores_of(planned: PlannedStep, steps: Steps) -> list[str]:
    contents = contents_of(planned, steps).values()
    read = {name for content in contents for name in (content.inventory.datastore, *content.datastores)}
    copied = {output.export.datastore for output in planned.outputs if output.export}
    return sorted(read | copied | {output.datastore for output in planned.outputs})


def _order(planned: PlannedStep, steps: Steps) -> AttemptOrder:
    order = AttemptOrder(planned.name, steps[planned.name].attempt + 1, contents_of(planned, steps))
    return with_shards(planned, steps[planned.name], order)


def _starting(recorded: RecordedStep) -> RecordedStep:
    # `retry_after` stays until the new Job is seen: without it the last attempt would count as live.
    return replace(recorded, state=StepState.WAITING, reason=StepReason.STARTING, message=None)


def taken_names(plan: Plan, steps: Steps, observed: Observed, moment: Moment) -> Steps:
    """The steps, failed where a Job that is not this run's has the name of their next attempt."""
    after = dict(steps)
    if not observed.foreign_jobs:
        return after
    for name, recorded in steps.items():
        job = names.job_name(plan.run.name, plan.run.uid, name, recorded.attempt + 1)
        if job in observed.foreign_jobs and not recorded.state.is_final and not has_live_attempt(recorded):
            after[name] = name_taken(recorded, job, moment)
    return after
