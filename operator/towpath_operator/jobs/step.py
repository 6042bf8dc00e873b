"""A planned step and the order for one attempt of it → the Job that makes it. The same in, the same out."""

from __future__ import annotations

from collections.abc import Sequence

from towpath.flow import misses, names
from towpath.flow.decision import AttemptOrder
from towpath.flow.index_ranges import ranges_text
from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_operator.jobs.containers import (
    publish_container,
    stage_in_container,
    step_container,
    step_grace,
    with_mounts,
)
from towpath_operator.jobs.datastore_volumes import datastore_volumes
from towpath_operator.jobs.failure_rules import mover_rules, plain_rules, shard_rules, step_rules
from towpath_operator.jobs.job import JobIdentity, Object, Places, job, owner_of, pod_spec
from towpath_operator.jobs.merge import merge_pod
from towpath_operator.jobs.mount_sidecar import Reading, cache_volumes, sidecars
from towpath_operator.jobs.mounted_datastores import mount_volumes, mounted_datastores, mounts_of_datastores
from towpath_operator.jobs.security import pod_security
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.target import target_volumes
from towpath_operator.jobs.volumes import shared_memory_volume, step_volumes


def render(plan: Plan, step: PlannedStep, order: AttemptOrder, settings: PodSettings) -> Object:
    """The Job of one attempt: `stage-in`, then `step` with `publish` beside it; one plain container without movers.

    Of a step in shards it has such a pod for each; where they are to be merged, it is a mover alone.
    """
    if order.parts:
        pod = merge_pod(plan, step, order, settings)
        return job(_identity(plan, step, order), pod, mover_rules(names.MERGE_CONTAINER), settings)
    pod = (
        _with_movers(plan, step, order, settings)
        if step.needs_movers
        else _plain(plan, step, order, settings)
    )
    if step.shards:
        places = Places(len(order.shards), step.shards.parallelism or len(order.shards))
        return job(_identity(plan, step, order), pod, shard_rules(), settings, places)
    rules = step_rules() if step.needs_movers else plain_rules()
    return job(_identity(plan, step, order), pod, rules, settings)


def _with_movers(plan: Plan, step: PlannedStep, order: AttemptOrder, settings: PodSettings) -> Object:
    datastores = datastores_of(plan, step, order)
    # The publisher needs its time however little its step asks for.
    grace = max(step_grace(step, settings), settings.termination_grace_period_seconds)
    mounted = mounted_datastores(plan, step, order)
    places = mounts_of_datastores(mounted, datastores)
    volumes = [*datastore_volumes(datastores), *mount_volumes(mounted, datastores)]
    reading = Reading(plan, step, order, mounted, datastores)
    volumes += cache_volumes(reading)
    return _pod(step, grace, settings, datastores) | {
        "initContainers": [
            *sidecars(reading, settings),
            with_mounts(stage_in_container(plan, step, order, datastores, settings), places),
        ],
        "containers": [
            with_mounts(step_container(plan, step, order, settings), places),
            # It looks once more whether they are there.
            with_mounts(publish_container(plan, step, order, datastores, settings), places),
        ],
        "volumes": [*step_volumes(plan, step, order), *volumes, *target_volumes(step)],
    }


def datastores_of(plan: Plan, step: PlannedStep, order: AttemptOrder) -> list[PlannedDatastore]:
    """The datastores that the pod's movers enter: where inputs and their inventories lie, where outputs will go."""
    used = {output.datastore for output in step.outputs}
    # Whether it is free is looked at before the step starts.
    used |= {output.export.datastore for output in step.outputs if output.export}
    for content in order.inputs.values():
        used |= {content.inventory.datastore, *content.datastores}
    known = {datastore.name: datastore for datastore in plan.datastores}
    return [known[name] for name in sorted(used)]


def _plain(plan: Plan, step: PlannedStep, order: AttemptOrder, settings: PodSettings) -> Object:
    return _pod(step, step_grace(step, settings), settings) | {
        "containers": [step_container(plan, step, order, settings)],
        "volumes": [shared_memory_volume(step), *target_volumes(step)],
    }


def _pod(
    step: PlannedStep, grace_seconds: int, settings: PodSettings, datastores: Sequence[PlannedDatastore] = ()
) -> Object:
    spec = pod_spec(
        pod_security(step.security_context, settings, datastores),
        [*step.image_pull_secrets, *settings.image_pull_secrets],
        grace_seconds,
    )
    return spec | dict(step.target.pod if step.target else {})


def _identity(plan: Plan, step: PlannedStep, order: AttemptOrder) -> JobIdentity:
    run = plan.run
    return JobIdentity(
        name=names.job_name(run.name, run.uid, step.name, order.attempt),
        owner=owner_of(run),
        labels=names.attempt_labels(run.name, run.uid, step.name, order.attempt),
        annotations=names.attempt_annotations(
            step.name, step.digest, order.fingerprint, misses.write(order.miss) if order.miss else None
        ),
        # What is left of a step after its shards is a mover's: it waits in no queue.
        queue_name=None if order.parts else step.queue_name,
        pod_labels=step.target.labels if step.target else {},
        pod_annotations=step.target.annotations if step.target else {},
        own_annotations=_what_it_does(order),
    )


def _what_it_does(order: AttemptOrder) -> dict[str, str]:
    if order.parts:
        return {names.MERGE_ANNOTATION: "true"}
    return {names.SHARDS_ANNOTATION: ranges_text(order.shards)} if order.shards else {}
