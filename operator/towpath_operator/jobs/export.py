"""An accepted output of a run and where its copy goes → the Job whose mover copies it."""

from __future__ import annotations

from towpath.flow import names
from towpath.flow.documents import content_document, datastore_document, export_document
from towpath.flow.mover_orders import Export
from towpath.flow.planned import FORMAT_VERSION, Plan
from towpath_operator.jobs.job import Object, mover_of_run, owner_of
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import PodSettings


def render(plan: Plan, export: Export, settings: PodSettings) -> Object:
    """The Job of one attempt to copy an output; the same export gives the same name."""
    run = plan.run
    name = names.mover_job_name(names.EXPORT_COMPONENT, run.name, run.uid, names.ask_of(export.ask))
    identity = mover_of_run(name, names.EXPORT_COMPONENT, export.ask, owner_of(run))
    entered = {
        export.place.datastore,
        export.content.inventory.datastore,
        *export.content.datastores,
    }
    datastores = [datastore for datastore in plan.datastores if datastore.name in entered]
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": run.namespace,
        "run": {"name": run.name, "uid": run.uid} | ({"retried": plan.retry_of.uid} if plan.retry_of else {}),
        "step": export.step,
        "output": export.output,
        "content": content_document(export.content),
        "export": export_document(export.place),
        "datastores": [datastore_document(datastore) for datastore in datastores],
    }
    return mover_job(
        identity, MoverOrder(names.EXPORT_CONTAINER, plan.mover_image, document, datastores), settings
    )
