"""What a run may take of others: equal steps that have ended or are under way, and what the nearest ones were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from towpath.flow import names
from towpath.flow.decision import Decision
from towpath.flow.fingerprint import components, fingerprint
from towpath.flow.observed import NearestStep, Observed
from towpath.flow.planned import EarlierStep, Origin, Plan
from towpath.flow.recorded import RecordedRun, StepState
from towpath.flow.restored_status import read_status, read_step
from towpath.flow.reuse import may_miss
from towpath.flow.sweep_references import why_lost
from towpath.flow.upstream import contents_of
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.resources import PIPELINE_RUNS, Key
from towpath_operator.cluster.work import Work, pipeline_of
from towpath_operator.handlers.admission import create_mover
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.look import observe_looks, warnings_of_looks
from towpath_operator.handlers.run_plan import PlanLostError, load_plan
from towpath_operator.jobs import verification as verification_jobs
from towpath_operator.jobs.job import Owner


class FinishedWork(Mapping[str, EarlierStep]):
    """The steps of a namespace that have succeeded, by fingerprint: a view of the index, as it is at each look."""

    def __init__(self, context: Context, namespace: str) -> None:
        self._cache, self._namespace = context.cache, namespace

    def __getitem__(self, fingerprint: str) -> EarlierStep:
        found = self._cache.work.done(Work(self._namespace, fingerprint))
        run = self._cache.runs.get(self._namespace, found.run) if found else None
        if found is None or run is None:
            raise KeyError(fingerprint)
        entry = next(step for step in run["status"]["steps"] if step["name"] == found.step)
        return _earlier(self._cache, run, entry)

    def __iter__(self) -> Iterator[str]:
        raise TypeError("finished work is asked for by its fingerprint, and never listed")

    def __len__(self) -> int:
        raise TypeError("finished work is asked for by its fingerprint, and never listed")


class WorkUnderWay(Mapping[str, str]):
    """The name of another run that does a work now, by fingerprint."""

    def __init__(self, context: Context, run: Json) -> None:
        self._work, self._meta = context.cache.work, run["metadata"]

    def __getitem__(self, fingerprint: str) -> str:
        found = self._work.computing(Work(self._meta["namespace"], fingerprint), self._meta["uid"])
        if found is None:
            raise KeyError(fingerprint)
        return found

    def __iter__(self) -> Iterator[str]:
        raise TypeError("work under way is asked for by its fingerprint, and never listed")

    def __len__(self) -> int:
        raise TypeError("work under way is asked for by its fingerprint, and never listed")


async def with_work(
    context: Context, run: Json, plan: Plan, recorded: RecordedRun, observed: Observed
) -> Observed:
    """The observation with what others have done; of that nothing is read before it is decided upon."""
    observed = replace(
        observed,
        finished=FinishedWork(context, plan.run.namespace),
        computing=WorkUnderWay(context, run),
        kept=_kept(context, plan, recorded),
        verifiers=observe_looks(context, run, names.VERIFY_COMPONENT),
    )
    return replace(observed, nearest=await _nearest(context, run, plan, recorded, observed))


def claim(context: Context, plan: Plan, decision: Decision) -> list[Work]:
    """Claim the work that is to be begun. To be called in one go with the decision: nobody else decides meanwhile."""
    claimed = [Work(plan.run.namespace, one.fingerprint) for one in decision.create if one.fingerprint]
    for work in claimed:
        context.cache.work.claim(work, plan.run.uid, plan.run.name)
    for awaited in decision.waits_for:
        key = Key(PIPELINE_RUNS.kind, plan.run.namespace, plan.run.name)
        context.cache.work.wait(Work(plan.run.namespace, awaited), key)
    return claimed


async def verify(context: Context, run: Json, decision: Decision) -> float | None:
    """Start the movers that verify. Seconds after which to look again, where one takes long to begin."""
    meta = run["metadata"]
    owner = Owner("PipelineRun", meta["name"], meta["uid"], meta["namespace"])
    waits = []
    for wanted in decision.verify:
        job = verification_jobs.render(wanted, owner, context.installation.mover_image, context.pods)
        waits.append(await create_mover(context, job))
    waits.append(await warnings_of_looks(context, run, names.VERIFY_COMPONENT))
    return min((wait for wait in waits if wait is not None), default=None)


def _kept(context: Context, plan: Plan, recorded: RecordedRun) -> dict[str, EarlierStep]:
    """The succeeded steps of the run that is retried, as long as it exists and some step of this one is ahead."""
    retried = plan.retry_of
    if retried is None or all(step.state.is_final for step in recorded.steps):
        return {}
    run = context.cache.runs.get(retried.namespace, retried.name)
    before = read_status(run["status"]) if run and run["metadata"]["uid"] == retried.uid else None
    if run is None or before is None or "deletionTimestamp" in run["metadata"]:
        return {}
    steps = {step.name: step for step in before.steps}
    return {
        entry["name"]: replace(
            _earlier(context.cache, run, entry),
            fingerprint=fingerprint(plan.step(entry["name"]), contents_of(plan.step(entry["name"]), steps)),
        )
        for entry in run["status"]["steps"]
        if steps[entry["name"]].state is StepState.SUCCEEDED
    }


def _earlier(cache: Cache, run: Json, entry: Json) -> EarlierStep:
    step, meta = read_step(entry), run["metadata"]
    return EarlierStep(
        lost=why_lost(run, entry, lambda name: cache.versions.get(meta["namespace"], name) is not None),
        origin=step.reused_from or Origin(meta["name"], meta["uid"], step.name),
        fingerprint=step.fingerprint or "",
        outputs={output.name: output.content for output in step.outputs},
        metrics=step.metrics,
        attempt_id=step.attempt_id,
    )


async def _nearest(
    context: Context, run: Json, plan: Plan, recorded: RecordedRun, observed: Observed
) -> dict[str, NearestStep]:
    """The last steps of the same names, once for a run, and only where that may have to be told."""
    known = context.memory.nearest.get(plan.run.uid)
    if known is not None:
        return known
    steps = {step.name: step for step in recorded.steps}
    missing = may_miss(plan, steps, observed) if len(steps) == len(plan.steps) else ()
    if not missing:
        return {}
    found = {name: context.cache.work.done(_place(run, name)) for name in missing}
    wanted = {of.run for of in found.values() if of is not None}
    compared = {name: await _compared(context, run, name) for name in sorted(wanted)}
    nearest = {
        name: NearestStep(of.run, compared[of.run][of.step])
        for name, of in found.items()
        if of is not None and of.step in compared[of.run]
    }
    context.memory.nearest[plan.run.uid] = nearest
    return nearest


def _place(run: Json, step: str) -> Work:
    return Work(run["metadata"]["namespace"], (pipeline_of(run), step))


async def _compared(context: Context, run: Json, name: str) -> dict[str, Mapping[str, str]]:
    """The components of a run's succeeded steps; none where its plan is lost."""
    item = context.cache.runs.get(run["metadata"]["namespace"], name)
    recorded = read_status(item["status"]) if item else None
    if item is None or recorded is None:
        return {}
    try:
        plan = await load_plan(context, item)
    except PlanLostError:
        return {}
    steps = {step.name: step for step in recorded.steps}
    return {
        planned.name: components(planned, contents_of(planned, steps))
        for planned in plan.steps
        if steps[planned.name].fingerprint
    }
