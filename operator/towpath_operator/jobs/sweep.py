"""A Datastore and what may go from it → the Job whose mover deletes that."""

from __future__ import annotations

from towpath.flow import names
from towpath.flow.documents import datastore_document
from towpath.flow.mover_orders import Sweep
from towpath.flow.planned import FORMAT_VERSION
from towpath_operator.jobs.job import JobIdentity, Object, Owner
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import PodSettings


def render(sweep: Sweep, owner: Owner, ask: str, image: str, settings: PodSettings) -> Object:
    """The sweep Job of a Datastore; the same `ask` gives the same name. `image` is the mover's own."""
    identity = JobIdentity(
        name=names.sweep_job_name(owner.name, owner.uid, ask),
        owner=owner,
        labels=names.job_labels(names.SWEEP_COMPONENT)
        | {names.DATASTORE_LABEL: names.label_value(owner.name)},
        annotations={names.ASK_ANNOTATION: ask},
    )
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": owner.namespace,
        "datastore": datastore_document(sweep.datastore),
        # Thousands of words: no list of JSON is as short.
        "datasets": ",".join(sweep.datasets),
        "runs": ",".join(sweep.runs),
        "kept": ",".join(sweep.kept),
        "writtenBefore": sweep.written_before,
        "dryRun": sweep.is_dry,
    }
    return mover_job(
        identity, MoverOrder(names.SWEEP_CONTAINER, image, document, [sweep.datastore]), settings
    )
