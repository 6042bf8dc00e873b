"""A Job of movers alone, with their orders in TOWPATH_ORDER: what probes, inventories and counts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from towpath.flow.planned_datastores import PlannedDatastore
from towpath_operator.jobs.datastore_volumes import datastore_volumes
from towpath_operator.jobs.failure_rules import mover_rules, plain_rules
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
    """What one mover is told, and the datastores that it enters; its container has the mover's name unless said.

    `certificates` are ConfigMaps of those who are trusted beside the public authorities, for URLs.
    """

    mover: str
    image: str
    document: Mapping[str, Any]
    datastores: Sequence[PlannedDatastore]
    certificates: Sequence[str] = ()
    container: str = ""


class _Shared(NamedTuple):
    """What the pod holds for its movers. Each place is named by its number here, so all go by the same order."""

    datastores: Sequence[PlannedDatastore]
    certificates: Sequence[str]


def mover_job(identity: JobIdentity, order: MoverOrder, settings: PodSettings) -> Object:
    """The Job of one mover, as the installation's own user."""
    return _job(identity, [order], mover_rules(order.mover), settings)


def movers_job(identity: JobIdentity, orders: Sequence[MoverOrder], settings: PodSettings) -> Object:
    """The Job of several movers side by side: one that fails leaves the others time to end."""
    return _job(identity, orders, plain_rules(), settings)


def _job(
    identity: JobIdentity, orders: Sequence[MoverOrder], rules: Sequence[Object], settings: PodSettings
) -> Object:
    shared = _shared(orders)
    own = [f"mover-tmp-{number}" if number else "mover-tmp" for number in range(len(orders))]
    pod = pod_spec(pod_security({}, settings, shared.datastores), settings.image_pull_secrets, _GRACE_SECONDS)
    pod |= {
        "containers": [
            mover_container(_mover(order, volume, shared), settings)
            for order, volume in zip(orders, own, strict=True)
        ],
        "volumes": [
            *({"name": volume, "emptyDir": {}} for volume in own),
            *datastore_volumes(shared.datastores),
            *certificate_volumes(shared.certificates),
        ],
    }
    lifetime = min(settings.ttl_seconds_after_finished, _TIME_TO_LIVE_SECONDS)
    return job(identity, pod, rules, replace(settings, ttl_seconds_after_finished=lifetime))


def _shared(orders: Sequence[MoverOrder]) -> _Shared:
    known = {datastore.name: datastore for order in orders for datastore in order.datastores}
    certificates = {name for order in orders for name in order.certificates}
    return _Shared([known[name] for name in sorted(known)], sorted(certificates))


def _mover(order: MoverOrder, own: str, shared: _Shared) -> Mover:
    return Mover(
        name=order.container or order.mover,
        image=order.image,
        command=mover_command(order.mover),
        environment=[order_variable("TOWPATH_ORDER", order.document)],
        mounts=[
            # Of its own: all are process 1, and name their files by that.
            {"name": own, "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod
            *certificate_mounts(shared.certificates, order.certificates),
        ],
        datastores=shared.datastores,
        enters=frozenset(datastore.name for datastore in order.datastores),
    )
