"""Dataset: an inventory Job is made when a look at its sources is due; a new digest becomes the next version."""

from __future__ import annotations

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.flow import names
from towpath.flow.dataset_flow import DatasetDecision, decide_dataset
from towpath.flow.dataset_status import DatasetSources
from towpath.flow.verdicts import Moment
from towpath_operator.cluster import apply
from towpath_operator.cluster.resources import DATASTORES, Key
from towpath_operator.handlers.admission import ask_about, create_mover, refused_movers
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.known_versions import learn_versions
from towpath_operator.handlers.look import observe_looks, report_ready, settle_asking, warnings_of_looks
from towpath_operator.jobs import inventory
from towpath_operator.jobs.job import Owner


async def reconcile(context: Context, key: Key) -> float | None:
    """One pass over a dataset."""
    item = context.cache.datasets.get(key.namespace, key.name)
    if item is None or "deletionTimestamp" in item["metadata"]:
        context.memory.wanted_after.pop(key, None)
        return None
    moment = Moment(context.now(), context.limits)
    decision = decide_dataset(_observe(context, key, item), moment)
    last = (item.get("status") or {}).get("lastVersion", 0)
    if decision.version is not None and await learn_versions(context, key.namespace, key.name, last):
        return 0.0
    if decision.status is not None:
        if await context.writer.write(context.cache.datasets, item, decision.status) is None:
            return 0.0
        report_ready(context, item, decision.status)
    return await _carry_out(context, key, item, decision)


def _observe(context: Context, key: Key, item: Json) -> DatasetSources:
    cache = context.cache
    versions = (one for one in cache.versions.all(key.namespace) if one["spec"]["dataset"] == key.name)
    datastores = [Datastore.model_validate(one) for one in cache.datastores.all(key.namespace)]
    return DatasetSources(
        dataset=Dataset.model_validate(item),
        versions=tuple(DatasetVersion.model_validate(one) for one in versions),
        datastores={one.metadata.name or "": one for one in datastores},
        inventories=observe_looks(context, item, names.INVENTORY_COMPONENT),
        is_asked=key in context.memory.asked,
        wanted_after=context.memory.wanted_after.get(key),
        refused=refused_movers(context, item),
    )


async def _carry_out(context: Context, key: Key, item: Json, decision: DatasetDecision) -> float | None:
    if decision.version is not None:
        await apply.create_version(context.client, context.cache.versions, decision.version)
    waits = [decision.check_after_seconds]
    if decision.inventory is not None:
        owner = Owner(key.kind, key.name, item["metadata"]["uid"], key.namespace)
        job = inventory.render(decision.inventory, owner, decision.ask, context.installation, context.pods)
        waits.append(await create_mover(context, job))
    for name in decision.delete:
        await apply.delete_job(context.client, key.namespace, name)
    for name in decision.ask_probe:
        context.ask(Key(DATASTORES.kind, key.namespace, name))
    settle_asking(context, key, decision.inventory is not None, decision.check_after_seconds)
    waits.append(await ask_about(context, key, decision.ask_admission))
    waits.append(await warnings_of_looks(context, item, names.INVENTORY_COMPONENT))
    return min((wait for wait in waits if wait is not None), default=None)
