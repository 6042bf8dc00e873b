"""An attempt that is complete while its pod is gone → the Job whose mover finds its result in the store."""

from __future__ import annotations

from towpath.flow import names, store_keys
from towpath.flow.documents import datastore_document
from towpath.flow.mover_orders import FindResult
from towpath.flow.planned import FORMAT_VERSION, Plan
from towpath_operator.jobs.job import Object, mover_of_run, owner_of
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import PodSettings


def render(plan: Plan, find: FindResult, settings: PodSettings) -> Object:
    """The Job of one try; the same try gives the same name."""
    run, step = plan.run, plan.step(find.step)
    name = names.mover_job_name(names.FIND_COMPONENT, run.name, run.uid, names.ask_of(find.ask))
    identity = mover_of_run(name, names.FIND_COMPONENT, find.ask, owner_of(run))
    # A result lies in the datastore of the step's first output.
    datastores = [one for one in plan.datastores if one.name == step.outputs[0].datastore]
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": run.namespace,
        "folder": step.result_prefix + (store_keys.SHARDS_FOLDER if find.is_merge else ""),
        "attempt": find.attempt,
        "datastores": [datastore_document(datastore) for datastore in datastores],
    }
    order = MoverOrder(names.FIND_COMPONENT, plan.mover_image, document, datastores)
    return mover_job(identity, order, settings)
