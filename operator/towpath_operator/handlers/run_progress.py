"""One pass over a planned run: observe, decide, and carry the decision out in the order that makes a crash harmless.

Results are written and awaited before anything is done that rests on them; only progress may wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from towpath.flow.conditions import StepReason
from towpath.flow.decide import decide, lose_plan
from towpath.flow.decision import AttemptOrder, Decision
from towpath.flow.planned import Plan
from towpath.flow.recorded import RecordedRun
from towpath.flow.refusals import with_refusals
from towpath.flow.status import write_status
from towpath_operator.cluster import apply
from towpath_operator.cluster.resources import DATASTORES, PIPELINE_RUNS, Key
from towpath_operator.handlers.admission import ask_about, create, create_mover, refused_movers
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.pod_warnings import look_for_warnings
from towpath_operator.handlers.run_observe import live_jobs_of_run, observe, stray_pods
from towpath_operator.handlers.run_plan import PlanLostError, read_plan
from towpath_operator.handlers.run_registration import LookAgainError, register
from towpath_operator.handlers.run_report import report
from towpath_operator.handlers.run_reuse import claim, verify, with_work
from towpath_operator.handlers.run_stop import stop_job, stop_pods
from towpath_operator.jobs import export as export_jobs
from towpath_operator.jobs import find_result as find_jobs
from towpath_operator.jobs import step as step_jobs

AT_ONCE = 0.0
SETTING_UP_SECONDS = 4.0
_NO_NEWS = (StepReason.STARTING, StepReason.UPSTREAM, StepReason.VERIFYING)
# One wide run must not hold up all others: the rest is made in its next pass.
CREATES_PER_PASS = 50


@dataclass(frozen=True)
class Seen:
    """A run as it was read: the object, and the record in its status."""

    item: Json
    recorded: RecordedRun

    @property
    def namespace(self) -> str:
        """Where everything of this run lies."""
        return str(self.item["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        """The run's UID."""
        return str(self.item["metadata"]["uid"])


async def progress(context: Context, run: Seen) -> float | None:
    """Move a planned run forward as far as it goes now."""
    await stop_pods(context, stray_pods(context, run.item))
    again = await look_for_warnings(context, live_jobs_of_run(context, run.item))
    observed = await observe(context, run.item, run.recorded)
    try:
        plan = await read_plan(context, run.item)
    except PlanLostError as error:
        lost = lose_plan(run.recorded, observed, str(error), context.now())
        return await _carry_out(context, run, None, lost)
    observed = await with_work(context, run.item, plan, run.recorded, observed)
    decision = decide(plan, run.recorded, observed, context.now(), context.limits)
    claimed = claim(context, plan, decision)
    try:
        return _sooner(again, await _carry_out(context, run, plan, decision))
    finally:
        for work in claimed:
            context.cache.work.release(work, run.uid)


async def _carry_out(context: Context, run: Seen, plan: Plan | None, decision: Decision) -> float | None:
    decision = _with_refusals(context, run, decision)
    held = await _write(context, run, decision)
    if held is None:
        return AT_ONCE
    waits = [decision.check_after_seconds, held or None]
    if plan is not None and decision.register:
        return await _register(context, plan, decision)
    for name in decision.delete:
        await stop_job(context, run.namespace, name)
    if plan is not None:
        waits.append(await _create(context, run, plan, decision))
        movers = [export_jobs.render(plan, export, context.pods) for export in decision.export]
        movers += [find_jobs.render(plan, find, context.pods) for find in decision.find]
        waits += [await create_mover(context, job) for job in movers]
    waits.append(await verify(context, run.item, decision))
    waits.append(await ask_about(context, PIPELINE_RUNS.key(run.item), decision.ask_admission))
    for name, refused_at in decision.ask_probe.items():
        context.ask(Key(DATASTORES.kind, run.namespace, name), refused_at)
    return _sooner(*waits)


def _sooner(*waits: float | None) -> float | None:
    return min((wait for wait in waits if wait is not None), default=None)


def _with_refusals(context: Context, run: Seen, decision: Decision) -> Decision:
    steps = context.memory.refused_jobs.get(run.uid, {})
    return replace(decision, recorded=with_refusals(decision, steps, refused_movers(context, run.item)))


async def _write(context: Context, run: Seen, decision: Decision) -> float | None:
    """Write the status: results at once, progress when it may be. Seconds to hold back, or None on a conflict."""
    patience = _patience(run.recorded, decision.recorded)
    held = context.writer.hold_back(PIPELINE_RUNS.key(run.item), patience)
    status = write_status(run.item, decision.recorded, context.now())
    if held and not decision.results_changed and status != run.item["status"]:
        return held
    if await context.writer.write(context.cache.runs, run.item, status) is None:
        return None
    report(context, run.item, run.recorded, decision.recorded)
    return 0.0


def _patience(before: RecordedRun, after: RecordedRun) -> float:
    """That a pod is being set up is no news for a while: most often it runs before anybody has read of it."""
    old = {step.name: (step.state, step.reason) for step in before.steps}
    news = [step for step in after.steps if old.get(step.name) != (step.state, step.reason)]
    is_news = any(step.reason not in _NO_NEWS for step in news)
    return 0.0 if is_news or not news else SETTING_UP_SECONDS


async def _register(context: Context, plan: Plan, decision: Decision) -> float:
    for wanted in decision.register:
        try:
            await register(context, plan, wanted)
        except LookAgainError:
            break
    return AT_ONCE


async def _create(context: Context, run: Seen, plan: Plan, decision: Decision) -> float | None:
    waits: list[float | None] = [AT_ONCE if len(decision.create) > CREATES_PER_PASS else None]
    for order in decision.create[:CREATES_PER_PASS]:
        waits.append(await _create_one(context, run, plan, order))
    return _sooner(*waits)


async def _create_one(context: Context, run: Seen, plan: Plan, order: AttemptOrder) -> float | None:
    job = step_jobs.render(plan, plan.step(order.step), order, context.pods)
    refused = context.memory.refused_jobs.setdefault(run.uid, {})
    try:
        return await create(context, job, refused, order.step)
    except apply.NameTakenError:
        context.memory.foreign_jobs.setdefault(run.uid, set()).add(job["metadata"]["name"])
        return AT_ONCE
