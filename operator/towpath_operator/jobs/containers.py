"""The containers of a step's pod: init `stage-in`, the user's `step`, and `publish` beside it; or `step` alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towpath.flow import names
from towpath.flow.contents import Content
from towpath.flow.decision import AttemptOrder
from towpath.flow.documents import inventory_document
from towpath.flow.index_ranges import ranges_text
from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.references import for_pod, values_of
from towpath_mover.launcher import launcher_command, publish_command
from towpath_operator.jobs.environment import step_environment
from towpath_operator.jobs.mounted_datastores import mounted_datastores, places_of
from towpath_operator.jobs.mover import Mover, mover_command, mover_container, order_variable
from towpath_operator.jobs.quantities import EPHEMERAL, whole
from towpath_operator.jobs.security import step_security
from towpath_operator.jobs.seen import as_seen
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.target import target_mounts, target_security
from towpath_operator.jobs.volumes import (
    WORK,
    disk_of_inputs,
    publish_mounts,
    shared_memory_mount,
    stage_in_mounts,
    step_mounts,
)

Container = dict[str, Any]


def step_container(plan: Plan, step: PlannedStep, order: AttemptOrder, settings: PodSettings) -> Container:
    """The user's container; under the launcher where there are movers, else as the image and the step have it."""
    values = values_of(plan, as_seen(step, settings), order.inputs)
    command = [for_pod(word, values) for word in step.command]
    arguments = [for_pod(word, values) for word in step.args]
    container: Container = {
        "name": names.STEP_CONTAINER,
        "image": step.image,
        "imagePullPolicy": "IfNotPresent",
        "env": step_environment(plan, step, values, settings),
        "envFrom": [dict(source) for source in step.env_from],
        "resources": dict(step.resources),
        "securityContext": step_security() | target_security(step),
        # The log's last lines outlive the node, and are copied into the status on failure.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if not step.needs_movers:
        return container | _plain(step, command, arguments)
    launched = launcher_command([*command, *arguments], step.timeout_seconds, step_grace(step, settings))
    return container | {
        "command": launched,
        "workingDir": WORK,
        "volumeMounts": [*step_mounts(step), *target_mounts(step)],
    }


def with_mounts(container: Container, places: Sequence[dict[str, Any]]) -> Container:
    """The same, which finds datastores at these places too."""
    return container | {"volumeMounts": [*container["volumeMounts"], *places]}


def step_grace(step: PlannedStep, settings: PodSettings) -> int:
    """Seconds that the user's command may take to end after it was told to."""
    own = step.termination_grace_period_seconds
    return settings.step_grace_seconds if own is None else own


def stage_in_container(
    plan: Plan,
    step: PlannedStep,
    order: AttemptOrder,
    datastores: Sequence[PlannedDatastore],
    settings: PodSettings,
) -> Container:
    """The mover that runs before the step; it enters every datastore of the pod."""
    enters = frozenset(datastore.name for datastore in datastores)
    environment = _environment(plan, step, order)
    command = mover_command("stage-in")
    mounts = stage_in_mounts(step)
    mover = Mover(
        names.STAGE_IN_CONTAINER, plan.mover_image, command, environment, mounts, datastores, enters
    )
    return mover_container(mover, settings)


def publish_container(
    plan: Plan,
    step: PlannedStep,
    order: AttemptOrder,
    datastores: Sequence[PlannedDatastore],
    settings: PodSettings,
) -> Container:
    """The mover that waits beside the step; it enters the datastores of the outputs only."""
    enters = frozenset(output.datastore for output in step.outputs)
    environment = _environment(plan, step, order)
    mounts = publish_mounts(step)
    mover = Mover(
        names.PUBLISH_CONTAINER, plan.mover_image, publish_command(), environment, mounts, datastores, enters
    )
    return _with_scratch(mover_container(mover, settings), step, order)


def _plain(step: PlannedStep, command: Sequence[str], arguments: Sequence[str]) -> Container:
    # What is left out is the image's own.
    words = {name: list(given) for name, given in (("command", command), ("args", arguments)) if given}
    return words | {"volumeMounts": [shared_memory_mount(), *target_mounts(step)]}


def plan_digests(plan: Plan, step: PlannedStep) -> dict[str, Any]:
    """What the pod's movers are told of the documents that are mounted: they read no others."""
    return {"plan": {"run": plan.digest, "step": step.digest}}


def _environment(plan: Plan, step: PlannedStep, order: AttemptOrder) -> list[dict[str, Any]]:
    given = [_input(port.name, order.inputs[port.name]) for port in step.inputs]
    told = {"attempt": order.attempt, "inputs": given} | plan_digests(plan, step)
    more: dict[str, Any] = {"shards": ranges_text(order.shards)} if step.shards else {}
    more |= places_of(mounted_datastores(plan, step, order))
    return [
        order_variable("TOWPATH_ATTEMPT", told | more),
        {"name": "TOWPATH_POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
    ]


def _input(name: str, content: Content) -> dict[str, Any]:
    document = {"name": name, "inventory": inventory_document(content.inventory)}
    return document | ({"file": content.file} if content.file else {})


def _with_scratch(container: Container, step: PlannedStep, order: AttemptOrder) -> Container:
    """Asks for the disk of the staged inputs here, so that the figures of the step's container stay the user's."""
    if not step.inputs:
        return container
    size = whole(disk_of_inputs(step, order))
    resources = container["resources"]
    # A limit of the step bounds the sum of the pod: without one beside it, the inputs would use it up.
    sides = ["requests", "limits"] if EPHEMERAL in step.resources.get("limits", {}) else ["requests"]
    widened = {side: resources.get(side, {}) | {EPHEMERAL: size} for side in sides}
    return container | {"resources": resources | widened}
