"""Steps that have no live attempt → started, held, skipped or given up: what may start rests on the record only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from towpath.flow import graph, names
from towpath.flow.conditions import StepReason, brief
from towpath.flow.decision import AttemptOrder
from towpath.flow.fingerprint import fingerprint
from towpath.flow.mover_orders import Verification
from towpath.flow.observed import Observed
from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.progress import goes_on, has_live_attempt, name_taken
from towpath.flow.recorded import RecordedStep, StepState
from towpath.flow.retries import refused_at
from towpath.flow.reuse import Search, search
from towpath.flow.shards import with_shards
from towpath.flow.upstream import Steps, contents_of, ended, is_startable, without_input
from towpath.flow.verdicts import Moment

# Its end is told at once; this is for a word that is lost.
ELSEWHERE_SECONDS = 60.0


@dataclass(frozen=True)
class Started:
    """The steps after one look at all that could start, and what is to be created for it.

    `waits_for` holds fingerprints that other runs are computing; `verify` and `delete` are about movers that verify.
    """

    steps: Steps
    create: tuple[AttemptOrder, ...] = ()
    ask_probe: Mapping[str, datetime] = field(default_factory=dict)
    checks: tuple[float, ...] = field(default=())
    waits_for: frozenset[str] = frozenset()
    verify: tuple[Verification, ...] = ()
    delete: tuple[str, ...] = ()
    ask_admission: tuple[str, ...] = ()


def start(plan: Plan, steps: Steps, observed: Observed, moment: Moment) -> Started:
    """Look at each step without a live attempt, in the plan's order; what may be taken is not started."""
    found = search(plan, steps, observed, moment)
    settled = _settled(plan, found.announce(found.take(steps, moment)), moment)
    create: list[AttemptOrder] = []
    ask_probe: dict[str, datetime] = {}
    checks = list(found.checks)
    waits_for: set[str] = set()
    after = dict(settled)
    for planned in plan.steps:
        if not is_startable(planned, after):
            continue
        awaited = found.awaited(planned, after)
        if awaited is not None:
            after[planned.name] = replace(
                after[planned.name], state=StepState.WAITING, reason=awaited.reason, message=awaited.words
            )
            waits_for |= {awaited.fingerprint} if awaited.is_elsewhere else set()
            continue
        held = _held(planned, after, observed, moment)
        for name, since in held.ask_probe.items():
            ask_probe[name] = max(since, ask_probe.get(name, since))
        checks.extend(held.checks)
        if held.is_free:
            create.append(_order(planned, after, found))
            after[planned.name] = _starting(after[planned.name])
    checks.extend([ELSEWHERE_SECONDS] if waits_for else [])
    return Started(
        steps=after,
        create=tuple(create),
        ask_probe=ask_probe,
        checks=tuple(checks),
        waits_for=frozenset(waits_for),
        verify=found.verify,
        delete=found.delete,
        ask_admission=found.ask_admission,
    )


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
        return without_input(planned, steps, moment) or recorded
    waits_for = [name for name in sorted(graph.upstream(planned)) if not steps[name].state.is_final]
    words = brief(f"waits for {', '.join(waits_for)}")
    return replace(recorded, state=StepState.PENDING, reason=StepReason.UPSTREAM, message=words)


def _is_lost(step: RecordedStep) -> bool:
    return step.state.is_final and step.state is not StepState.SUCCEEDED


def _why_lost(upstream: RecordedStep) -> str:
    return brief(f"step {upstream.name} is {upstream.state}: {upstream.message or upstream.reason or ''}")


def _skipped(recorded: RecordedStep, reason: StepReason, words: str, moment: Moment) -> RecordedStep:
    return ended(recorded, StepState.SKIPPED, reason, words, moment)


def _given_up(recorded: RecordedStep, failed: RecordedStep, moment: Moment) -> RecordedStep:
    words = f"step {failed.name} failed, and continueOnStepFailure is not set"
    if recorded.attempt == 0:
        return _skipped(recorded, StepReason.RUN_FAILED, words, moment)
    words = brief(f"{recorded.message}; not tried again: {words}")
    return ended(recorded, StepState.FAILED, StepReason.RUN_FAILED, words, moment)


@dataclass(frozen=True)
class _Held:
    is_free: bool = True
    ask_probe: Mapping[str, datetime] = field(default_factory=dict)
    checks: tuple[float, ...] = ()


def _held(planned: PlannedStep, steps: Steps, observed: Observed, moment: Moment) -> _Held:
    recorded = steps[planned.name]
    if recorded.retry_after is None:
        return _Held()
    left = moment.seconds_until(recorded.retry_after)
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


def _order(planned: PlannedStep, steps: Steps, found: Search) -> AttemptOrder:
    contents = contents_of(planned, steps)
    order = AttemptOrder(
        planned.name,
        steps[planned.name].attempt + 1,
        contents,
        fingerprint=fingerprint(planned, contents),
        miss=found.miss(planned, steps),
    )
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
