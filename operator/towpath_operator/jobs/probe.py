"""A Datastore and the question why it is looked at → the Job whose mover tries it out."""

from __future__ import annotations

from towpath.flow import names
from towpath.flow.documents import datastore_document
from towpath.flow.planned import FORMAT_VERSION
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.sources import Installation
from towpath_operator.jobs.job import JobIdentity, Object, Owner
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import PodSettings


def render(
    datastore: PlannedDatastore, owner: Owner, ask: str, installation: Installation, settings: PodSettings
) -> Object:
    """The probe Job of a Datastore; the same `ask` gives the same Job."""
    identity = JobIdentity(
        name=names.mover_job_name(names.PROBE_COMPONENT, owner.name, owner.uid, ask),
        owner=owner,
        labels=names.job_labels(names.PROBE_COMPONENT)
        | {names.DATASTORE_LABEL: names.label_value(owner.name)},
        annotations={names.ASK_ANNOTATION: ask},
    )
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": owner.namespace,
        "clusterID": installation.cluster_id,
        "datastore": datastore_document(datastore),
    }
    order = MoverOrder(names.PROBE_CONTAINER, installation.mover_image, document, [datastore])
    return mover_job(identity, order, settings)
