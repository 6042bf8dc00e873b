"""What nothing refers to any more in a Datastore: a sweep Job is made when it is due; what it did is in the status."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.flow import names
from towpath.flow.documents import UnreadablePlanError, unpack
from towpath.flow.mover_orders import Sweep
from towpath.flow.run_record import record_of
from towpath.flow.sweep_flow import SweepDecision, SweepSources, decide_sweep, due_records
from towpath.flow.sweep_plan import References, sweep_of
from towpath.flow.sweep_references import is_finished
from towpath.flow.verdicts import Moment
from towpath_operator.cluster import apply
from towpath_operator.cluster.api import NotFoundError
from towpath_operator.cluster.config_maps import read_config_map
from towpath_operator.cluster.listing import list_all
from towpath_operator.cluster.resources import DATASET_VERSIONS, PIPELINE_RUNS, Key
from towpath_operator.handlers.admission import ask_about, create_mover, refused_movers
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.look import observe_looks
from towpath_operator.handlers.run_plan import PlanLostError, read_plan
from towpath_operator.jobs import sweep as sweep_jobs
from towpath_operator.jobs.job import Owner

log = logging.getLogger("towpath.sweep")

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
    if decision.recorded is not None:
        await _delete_recorded(context, key.namespace, decision.recorded)
    if decision.status is not None:
        if await context.writer.write(context.cache.datastores, item, decision.status) is None:
            return 0.0
        _report(item, decision.status)
    for name in decision.delete:
        await apply.delete_job(context.client, key.namespace, name)
    waits = [decision.check_after_seconds, await ask_about(context, key, decision.ask_admission)]
    if decision.ask is not None:
        waits.append(await _begin(context, item, sources, decision, moment))
    return min((wait for wait in waits if wait is not None), default=None)


def _observe(context: Context, key: Key, item: Json) -> SweepSources:
    cache, namespace = context.cache, key.namespace
    return SweepSources(
        datastore=Datastore.model_validate(item),
        datasets=tuple(Dataset.model_validate(one) for one in cache.datasets.all(namespace)),
        versions=tuple(DatasetVersion.model_validate(one) for one in cache.versions.all(namespace)),
        runs=tuple(cache.runs.all(namespace)),
        sweeps=observe_looks(context, item, names.SWEEP_COMPONENT),
        refused=refused_movers(context, item),
        oldest_look=_oldest_look(context, namespace),
    )


def _oldest_look(context: Context, namespace: str) -> datetime | None:
    """When the oldest mover was made that looks at sources; one that has ended counts as long as it is there."""
    jobs = context.cache.jobs.all(namespace)
    labelled = ((job["metadata"], job["metadata"]["labels"].get(names.COMPONENT_LABEL)) for job in jobs)
    looks = (meta for meta, component in labelled if component == names.INVENTORY_COMPONENT)
    return min((datetime.fromisoformat(meta["creationTimestamp"]) for meta in looks), default=None)


async def _delete_recorded(context: Context, namespace: str, name: str) -> None:
    """Delete the runs whose records a sweep has written; done twice, it does no harm."""
    job = context.cache.jobs.get(namespace, name) or {"metadata": {"annotations": {}}}
    recorded = job["metadata"]["annotations"].get(names.RECORDS_ANNOTATION, "")
    for run, _, uid in (one.partition("/") for one in recorded.split(",") if one):
        extra = {"run": run, "namespace": namespace, "uid": uid}
        log.info("run %s: past its retention, and recorded: deleted", run, extra=extra)
        await apply.delete_run(context.client, namespace, run, uid)


def _report(item: Json, status: Json) -> None:
    meta = item["metadata"]
    extra = {"kind": "Datastore", "name_of": meta["name"], "namespace": meta["namespace"]}
    log.info("Datastore %s: %s", meta["name"], status.get("swept"), extra=extra)


async def _begin(
    context: Context, item: Json, sources: SweepSources, decision: SweepDecision, moment: Moment
) -> float | None:
    meta = item["metadata"]
    # From the server: a version that is not known would be taken for one that is gone.
    listed, _ = await list_all(context.client, DATASET_VERSIONS, meta["namespace"], {})
    if sum(context.cache.versions.put(version) for version in listed):
        return 0.0
    records = [await _record(context, run["metadata"], sources) for run in due_records(sources, moment)]
    references = await _references(context, meta["namespace"])
    if references is None:
        return _WAIT_FOR_PLANS_SECONDS
    # Nothing is awaited from here to the order: what it keeps is what all runs and versions said at one moment.
    seen = _observe(context, Key("Datastore", meta["namespace"], meta["name"]), item)
    if not _all_planned(references, seen):
        return 0.0
    cluster_id = context.installation.cluster_id
    wanted = replace(
        sweep_of(seen, references, cluster_id, decision.requested, moment),
        records=tuple(filter(None, records)),
    )
    return await _create(context, meta, wanted, decision.ask or "")


async def _create(context: Context, meta: Json, wanted: Sweep, ask: str) -> float | None:
    owner = Owner("Datastore", meta["name"], meta["uid"], meta["namespace"])
    job = sweep_jobs.render(wanted, owner, ask, context.installation.mover_image, context.pods)
    refused = await create_mover(context, job)
    stored = context.cache.jobs.get(meta["namespace"], job["metadata"]["name"])
    if refused is not None or stored is None:
        return refused
    ours, there = (one["metadata"]["annotations"].get(names.ORDER_ANNOTATION) for one in (job, stored))
    if ours == there:
        for lists in sweep_jobs.config_maps(wanted, stored):
            await apply.create_lists(context.client, lists)
    return None


async def _record(context: Context, meta: Json, sources: SweepSources) -> Json | None:
    """The record of a run, from the server: no ended run is held whole. None if it is gone."""
    try:
        run = await context.client.get(PIPELINE_RUNS.path(meta["namespace"], meta["name"]))
    except NotFoundError:
        return None
    if run["metadata"]["uid"] != meta["uid"]:
        return None
    versions = {one.metadata.name or "": one.spec.inventory.path for one in sources.versions}
    return record_of(run, await _plan_of(context, run), versions)


async def _plan_of(context: Context, run: Json) -> dict[str, Json]:
    meta, name = run["metadata"], run["status"].get("plan")
    data = await read_config_map(context.client, meta["namespace"], name) if name else None
    try:
        return unpack(data or {})
    except UnreadablePlanError as error:
        log.warning("run %s: its record goes without a plan: %s", meta["name"], error)
        return {}


async def _references(context: Context, namespace: str) -> References | None:
    """What the plans of unfinished runs refer to; None while one has no plan."""
    plans = {}
    for run in context.cache.runs.all(namespace):
        if is_finished(run):
            continue
        try:
            plan = await read_plan(context, run) if (run.get("status") or {}).get("planDigest") else None
        except PlanLostError:
            plan = None
        if plan is None:
            return None
        plans[run["metadata"]["uid"]] = plan
    datastores = tuple(map(Datastore.model_validate, context.cache.datastores.all(namespace)))
    return References(plans, datastores)


def _all_planned(references: References, sources: SweepSources) -> bool:
    """Whether no run has come, while plans were read, whose own is not among them."""
    return all(is_finished(run) or run["metadata"]["uid"] in references.plans for run in sources.runs)
