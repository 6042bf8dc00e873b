"""A step whose shards have all published, and their attempts → the pod of the mover that makes one output of them."""

from __future__ import annotations

from towpath.flow import names
from towpath.flow.decision import AttemptOrder
from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.shard_status import shards_document
from towpath_operator.jobs.containers import plan_digests
from towpath_operator.jobs.datastore_volumes import datastore_volumes
from towpath_operator.jobs.job import Object, pod_spec
from towpath_operator.jobs.mover import Mover, mover_command, mover_container, order_variable
from towpath_operator.jobs.security import pod_security
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.volumes import PLAN, plan_volume

_GRACE_SECONDS = 30


def merge_pod(plan: Plan, step: PlannedStep, order: AttemptOrder, settings: PodSettings) -> Object:
    """The pod: it enters the datastores of the outputs as the user and on the target of the step that wrote there."""
    enters = frozenset(output.datastore for output in step.outputs)
    datastores = [datastore for datastore in plan.datastores if datastore.name in enters]
    told = {"attempt": order.attempt, "parts": shards_document(order.parts)} | plan_digests(plan, step)
    mover = Mover(
        name=names.MERGE_CONTAINER,
        image=plan.mover_image,
        command=mover_command("merge"),
        environment=[
            order_variable("TOWPATH_ATTEMPT", told),
            {"name": "TOWPATH_POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
        ],
        mounts=[
            {"name": "plan", "mountPath": PLAN, "readOnly": True},
            {"name": "mover-tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod
        ],
        datastores=datastores,
        enters=enters,
    )
    security = pod_security(step.security_context, settings, datastores)
    target = dict(step.target.pod if step.target else {})
    return (
        pod_spec(security, settings.image_pull_secrets, _GRACE_SECONDS)
        | target
        | {
            "containers": [mover_container(mover, settings)],
            "volumes": [
                plan_volume(plan, step),
                {"name": "mover-tmp", "emptyDir": {}},
                *datastore_volumes(datastores),
            ],
        }
    )
