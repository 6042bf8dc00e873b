"""Datastore: a probe Job is made when a look is due; what its mover reported becomes the condition Ready."""

from __future__ import annotations

from towpath.api.datastore import Datastore
from towpath.flow import names
from towpath.flow.datastore_flow import Asked, DatastoreDecision, decide_datastore, with_mover
from towpath.flow.datastores import planned_datastore
from towpath.flow.verdicts import Moment
from towpath_operator.cluster import apply
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.admission import ask_about, create_mover, refused_movers
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.look import observe_looks, report_ready, settle_asking, warnings_of_looks
from towpath_operator.handlers.sweep import sweep
from towpath_operator.jobs import probe, transfer
from towpath_operator.jobs.job import Owner


async def reconcile(context: Context, key: Key) -> float | None:
    """One pass over a datastore."""
    cache = context.cache
    item = cache.datastores.get(key.namespace, key.name)
    if item is None or "deletionTimestamp" in item["metadata"]:
        context.memory.wanted_after.pop(key, None)
        return None
    datastore = Datastore.model_validate(item)
    probes = observe_looks(context, item, names.PROBE_COMPONENT)
    moment = Moment(context.now(), context.limits)
    refused = refused_movers(context, item)
    asked = Asked(key in context.memory.asked, context.memory.wanted_after.get(key), refused)
    decided = decide_datastore(datastore, probes, asked, moment)
    decision = with_mover(decided, datastore, transfer.mover_of(context.installation, context.pods))
    if decision.status is not None:
        if await context.writer.write(cache.datastores, item, decision.status) is None:
            return 0.0
        report_ready(context, item, decision.status)
    waits = (await _carry_out(context, key, item, datastore, decision), await sweep(context, key))
    return min((wait for wait in waits if wait is not None), default=None)


async def _carry_out(
    context: Context, key: Key, item: Json, datastore: Datastore, decision: DatastoreDecision
) -> float | None:
    for name in decision.delete:
        await apply.delete_job(context.client, key.namespace, name)
    waits = [decision.check_after_seconds]
    if decision.probe is not None:
        owner = Owner(key.kind, key.name, item["metadata"]["uid"], key.namespace)
        planned = planned_datastore(datastore)
        job = probe.render(planned, owner, decision.probe, context.installation, context.pods)
        waits.append(await create_mover(context, job))
    settle_asking(context, key, decision.probe is not None, decision.check_after_seconds)
    waits.append(await ask_about(context, key, decision.ask_admission))
    waits.append(await warnings_of_looks(context, item, names.PROBE_COMPONENT))
    return min((wait for wait in waits if wait is not None), default=None)
