"""Outputs of earlier steps that a run would take → the Job whose mover looks whether they are still there."""

from __future__ import annotations

from typing import Any

from towpath.flow import names
from towpath.flow.documents import datastore_document, inventory_document
from towpath.flow.mover_orders import Verification
from towpath.flow.planned import FORMAT_VERSION
from towpath_operator.jobs.job import Object, Owner, mover_of_run
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import PodSettings


def render(verification: Verification, owner: Owner, image: str, settings: PodSettings) -> Object:
    """The Job of a run; the same verification gives the same Job. `image` is the mover's own."""
    name = names.mover_job_name(names.VERIFY_COMPONENT, owner.name, owner.uid, verification.ask)
    identity = mover_of_run(name, names.VERIFY_COMPONENT, verification.ask, owner)
    outputs: list[dict[str, Any]] = [
        {"inventory": inventory_document(content.inventory), "files": content.files}
        for content in verification.outputs
    ]
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": owner.namespace,
        "outputs": outputs,
        "datastores": [datastore_document(datastore) for datastore in verification.datastores],
    }
    order = MoverOrder(names.VERIFY_CONTAINER, image, document, verification.datastores)
    return mover_job(identity, order, settings)
