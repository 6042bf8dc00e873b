"""A run that has no plan yet: resolve what it names, write the plan once, and put its digest into the status."""

from __future__ import annotations

from towpath.flow.conditions import RunReason
from towpath.flow.decide import begin
from towpath.flow.plan import plan as make_plan
from towpath.flow.planned import Plan
from towpath.flow.refusals import waits_for_admission
from towpath.flow.resolve import resolve
from towpath.flow.retry_of import plan_again
from towpath.flow.sources import Refused, Resolved, Sources, Waiting
from towpath.flow.status import write_status, write_unplanned
from towpath_operator.cluster.api import ApiError, TryAgainError
from towpath_operator.cluster.resources import PIPELINE_RUNS, Key
from towpath_operator.handlers.admission import ASK_AGAIN_SECONDS, refused_movers
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.run_observe import orphaned_pods
from towpath_operator.handlers.run_plan import write_plan
from towpath_operator.handlers.run_report import report_planned, report_unplanned
from towpath_operator.handlers.run_sources import gather
from towpath_operator.handlers.run_stop import stop_pods
from towpath_operator.handlers.run_survey import stop_surveys, survey


async def start(context: Context, run: Json) -> float | None:
    """Plan the run, or say why not. Seconds after which to look again; None where nothing is left to do."""
    sources = await gather(context, run)
    outcome = _outcome(context, sources)
    if isinstance(outcome, Plan):
        return await _begin(context, run, sources, outcome)
    if isinstance(outcome, Waiting):
        outcome = waits_for_admission(outcome, refused_movers(context, run))
    return await _write_unplanned(context, run, sources, outcome)


async def _write_unplanned(
    context: Context, run: Json, sources: Sources, outcome: Waiting | Refused
) -> float | None:
    status = write_unplanned(run, outcome, sources.first_seen_at, context.now())
    if await context.writer.write(context.cache.runs, run, status) is None:
        return 0.0
    report_unplanned(context, run, outcome)
    if isinstance(outcome, Refused):
        await stop_surveys(context, run)
        return None
    for kind, name in outcome.ask:
        context.ask(Key(kind, run["metadata"]["namespace"], name), outcome.look_after)
    return await survey(context, run, outcome)


def _outcome(context: Context, sources: Sources) -> Plan | Waiting | Refused:
    if sources.run.spec.cancel:
        return Refused(RunReason.CANCELLED, "The run was cancelled before it started.")
    if sources.run.spec.retry_of:
        return plan_again(sources, context.now(), context.limits)
    resolved = resolve(sources, context.now(), context.limits)
    return make_plan(resolved) if isinstance(resolved, Resolved) else resolved


async def _plan(context: Context, made: Plan) -> tuple[Plan, str] | Waiting | Refused:
    try:
        return await write_plan(context, made)
    except TryAgainError:
        raise
    except ApiError as error:
        # A quota on ConfigMaps or an admission policy: the run is to say so.
        words = f"The ConfigMap of the plan is refused: {error.message}"
        return Waiting(RunReason.WAITING, words, ASK_AGAIN_SECONDS)


async def _begin(context: Context, run: Json, sources: Sources, made: Plan) -> float | None:
    # One of the same name may have gone unnoticed: between two events, or while there was no operator.
    await stop_pods(context, orphaned_pods(context, PIPELINE_RUNS.key(run), but=made.run.uid))
    written = await _plan(context, made)
    if isinstance(written, Waiting | Refused):
        return await _write_unplanned(context, run, sources, written)
    plan, digest = written
    recorded = begin(plan, digest, sources.first_seen_at)
    if await context.writer.write(context.cache.runs, run, write_status(run, recorded, context.now())):
        report_planned(context, run, recorded)
    # The pass that creates the first Job goes out from the run as stored, with the digest in its status.
    return 0.0
