"""A Job of a single mover, with its order in TOWPATH_ORDER: what probes and inventories share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from towpath.flow.planned import PlannedDatastore
from towpath_operator.jobs.datastore_volumes import datastore_volumes
from towpath_operator.jobs.failure_rules import mover_rules
from towpath_operator.jobs.job import JobIdentity, Object, job, pod_spec
from towpath_operator.jobs.mover import Mover, mover_command, mover_container, order_variable
from towpath_operator.jobs.security import pod_security
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.source_certificates import certificate_mounts, certificate_volumes

# It has nothing to save, only an object to delete again.
_GRACE_SECONDS = 30
# Its report is recorded within seconds, and a store that stays away is looked at again and again.
_TIME_TO_LIVE_SECONDS = 300


@dataclass(frozen=True)
class MoverOrder:
    """What one mover is told, by the command of its container's name, and the datastores that it enters.

    `certificates` are ConfigMaps of those who are trusted beside the public authorities, for URLs.
    """

    container: str
    image: str
    document: Mapping[str, Any]
    datastores: Sequence[PlannedDatastore]
    certificates: Sequence[str] = ()


def mover_job(identity: JobIdentity, order: MoverOrder, settings: PodSettings) -> Object:
    """The Job, as the installation's own user."""
    pod = pod_spec(pod_security({}, settings, order.datastores), settings.image_pull_secrets, _GRACE_SECONDS)
    pod |= {
        "containers": [mover_container(_mover(order), settings)],
        "volumes": [
            {"name": "mover-tmp", "emptyDir": {}},
            *datastore_volumes(order.datastores),
            *certificate_volumes(order.certificates),
        ],
    }
    lifetime = min(settings.ttl_seconds_after_finished, _TIME_TO_LIVE_SECONDS)
    return job(
        identity, pod, mover_rules(order.container), replace(settings, ttl_seconds_after_finished=lifetime)
    )


def _mover(order: MoverOrder) -> Mover:
    return Mover(
        name=order.container,
        image=order.image,
        command=mover_command(order.container),
        environment=[order_variable("TOWPATH_ORDER", order.document)],
        mounts=[
            {"name": "mover-tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod
            *certificate_mounts(order.certificates, order.certificates),
        ],
        datastores=order.datastores,
        enters=frozenset(datastore.name for datastore in order.datastores),
    )
