"""A Datastore and what its status says of movers → the Job that serves it to its user's own machine.

The one Job that the operator does not make: its user does, with the user's own rights, and deletes it at the end. It is
also rendered here, so that such a pod is what every other mover's is: restricted, with credentials as files.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from towpath.api.datastore import Datastore, TransferMover
from towpath.flow import names
from towpath.flow.datastores import planned_datastore
from towpath.flow.documents import datastore_document
from towpath.flow.planned import FORMAT_VERSION
from towpath.flow.sources import Installation
from towpath_operator.jobs.job import JobIdentity, Object, Owner
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import MOVER_RESOURCES, PodSettings

# Longer than any transfer; only a laptop that asks for ever, and moves nothing, meets it.
_AT_MOST_SECONDS = 7 * 86_400
_TIME_TO_LIVE_SECONDS = 60


class Opening(NamedTuple):
    """What one laptop asks for: the SHA-256 of its token, a word that tells its Job from others, and its patience."""

    ask: str
    token_sha256: str
    idle_seconds: int = 120


def mover_of(installation: Installation, settings: PodSettings) -> dict[str, Any]:
    """What a Datastore's status says of movers."""
    resources = settings.mover_resources
    mover = TransferMover.model_validate(
        {
            "image": installation.mover_image,
            "imagePullPolicy": settings.mover_image_pull_policy,
            "imagePullSecrets": list(settings.image_pull_secrets),
            "resources": {} if resources == MOVER_RESOURCES else dict(resources),
            **({} if settings.user is None else {"user": settings.user}),
        }
    )
    return mover.as_dict()


def render(datastore: Datastore, uid: str, namespace: str, opening: Opening) -> Object:
    """The Job; the Datastore is its owner. Its status must say what movers are made of."""
    planned, mover = planned_datastore(datastore), datastore.status.mover
    if mover is None:
        raise ValueError(f"The status of Datastore {planned.name} says nothing of movers.")
    identity = JobIdentity(
        name=names.mover_job_name(names.TRANSFER_COMPONENT, planned.name, uid, opening.ask),
        owner=Owner("Datastore", planned.name, uid, namespace),
        labels=names.transfer_labels(planned.name),
    )
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": namespace,
        "datastore": datastore_document(planned),
        "tokenSHA256": opening.token_sha256,
        "idleSeconds": opening.idle_seconds,
    }
    order = MoverOrder(names.SERVE_CONTAINER, mover.image, document, [planned])
    made = mover_job(identity, order, _settings(mover))
    made["spec"]["template"]["spec"]["activeDeadlineSeconds"] = _AT_MOST_SECONDS
    return made


def _settings(mover: TransferMover) -> PodSettings:
    asked = mover.resources.as_dict() if mover.resources else {}
    return PodSettings(
        user=mover.user,
        mover_resources=asked or dict(MOVER_RESOURCES),
        mover_image_pull_policy=mover.image_pull_policy,
        image_pull_secrets=mover.image_pull_secrets,
        ttl_seconds_after_finished=_TIME_TO_LIVE_SECONDS,
    )
