"""What nothing refers to any more in a Datastore: a sweep Job is made when it is due; what it did is in the status."""

from __future__ import annotations

from collections.abc import Iterator

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.flow import names
from towpath.flow.planned import InventoryRef, Plan
from towpath.flow.sweep_flow import References, SweepSources, decide_sweep, not_swept, sweep_of
from towpath.flow.verdicts import Moment
from towpath_operator.cluster import apply
from towpath_operator.cluster.cache import is_finished
from towpath_operator.cluster.listing import list_all
from towpath_operator.cluster.resources import DATASET_VERSIONS, Key
from towpath_operator.handlers.admission import ask_about
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.look import observe_looks
from towpath_operator.handlers.run_plan import PlanLostError, read_plan
from towpath_operator.jobs import sweep as sweep_jobs
from towpath_operator.jobs.job import Owner

# A run that has no plan yet may pin anything.
_WAIT_FOR_PLANS_SECONDS = 30.0


async def sweep(context: Context, key: Key) -> float | None:
    """Sweep a datastore if that is due. Seconds after which to look again."""
    item = context.cache.datastores.get(key.namespace, key.name)
    if item is None:
        return None
    moment = Moment(context.now(), context.limits)
    sources = _observe(context, key, item)
    decision = decide_sweep(sources, moment)
    if decision.status is not None and await _write(context, item, decision.status) is None:
        return 0.0
    for name in decision.delete:
        await apply.delete_job(context.client, key.namespace, name)
    waits = [decision.check_after_seconds, await ask_about(context, key, decision.ask_admission)]
    if decision.ask is not None:
        waits.append(await _begin(context, item, sources, decision.ask, moment))
    return min((wait for wait in waits if wait is not None), default=None)


def _observe(context: Context, key: Key, item: Json) -> SweepSources:
    cache, namespace = context.cache, key.namespace
    return SweepSources(
        datastore=Datastore.model_validate(item),
        datasets=tuple(Dataset.model_validate(one) for one in cache.datasets.all(namespace)),
        versions=tuple(DatasetVersion.model_validate(one) for one in cache.versions.all(namespace)),
        sweeps=observe_looks(context, item, names.SWEEP_COMPONENT),
    )


async def _write(context: Context, item: Json, status: Json) -> Json | None:
    return await context.writer.write(context.cache.datastores, item, status)


async def _begin(
    context: Context, item: Json, sources: SweepSources, ask: str, moment: Moment
) -> float | None:
    meta = item["metadata"]
    references = await _references(context, meta["namespace"])
    if references is None:
        return _WAIT_FOR_PLANS_SECONDS
    # After the runs, and from the server: a version that is not known would be taken for one that is gone.
    listed, _ = await list_all(context.client, DATASET_VERSIONS, meta["namespace"], {})
    if sum(context.cache.versions.put(version) for version in listed):
        return 0.0
    wanted = sweep_of(sources, references, moment)
    if wanted is None:
        words = "Not swept: what would go is also a source of a Dataset, or more is kept than one sweep can be told."
        await _write(context, item, not_swept(sources.datastore, words, moment))
        return None
    owner = Owner("Datastore", meta["name"], meta["uid"], meta["namespace"])
    job = sweep_jobs.render(wanted, owner, ask, context.installation.mover_image, context.pods)
    await apply.create_job(context.client, context.cache.jobs, job)
    return None


async def _references(context: Context, namespace: str) -> References | None:
    """What runs refer to; None while that is not known of all."""
    runs: list[str] = []
    inventories: list[InventoryRef] = []
    for run in context.cache.runs.all(namespace):
        if is_finished(run):
            inventories.extend(_shown(context, run))
            continue
        try:
            plan = await read_plan(context, run) if (run.get("status") or {}).get("planDigest") else None
        except PlanLostError:
            plan = None
        if plan is None:
            return None
        runs.append(names.run_folder(run["metadata"]["name"], run["metadata"]["uid"]))
        inventories.extend(_pinned(plan))
    return References(tuple(runs), tuple(inventories))


def _pinned(plan: Plan) -> Iterator[InventoryRef]:
    pinned = (given.pinned for step in plan.steps for given in step.inputs)
    return (content.inventory for content in pinned if content is not None)


def _shown(context: Context, run: Json) -> Iterator[InventoryRef]:
    """Outputs of a finished run that are a version which is still there, though its files may be another's."""
    namespace = run["metadata"]["namespace"]
    for step in (run.get("status") or {}).get("steps", ()):
        for output in step.get("outputs", ()):
            dataset = output["inventory"].removeprefix(f"{namespace}/datasets/").partition("/")[0]
            version = names.version_name(dataset, output.get("version", 0))
            if context.cache.versions.get(namespace, version) is not None:
                yield InventoryRef(output["datastore"], output["inventory"], output["digest"])
