"""The volumes of a step's pod that hold no credentials, and how each of its containers mounts them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from towpath.flow import names
from towpath.flow.decision import AttemptOrder
from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.scratch import scratch_bytes
from towpath_operator.jobs.quantities import half, whole

PLAN = "/towpath/plan"
BIN = "/towpath/bin"
WORK = "/towpath/work"
CONTEXT = "/towpath/context"
CODE = "/towpath/code"
INPUTS = names.CONTAINER_INPUTS
OUTPUTS = names.CONTAINER_OUTPUTS
ELSEWHERE = names.CONTAINER_OUTPUTS_ELSEWHERE
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the path that programs use

# The inventory's figure is rounded up to blocks already; the rest is for what a file system adds.
_SCRATCH_MARGIN = Decimal("1.1")
_SCRATCH_SLACK = 32 * 1024 * 1024

Volume = dict[str, Any]
Mount = dict[str, Any]


def disk_of_inputs(step: PlannedStep, order: AttemptOrder) -> Decimal:
    """What the inputs of an attempt may take on the node's disk."""
    return scratch_bytes(step, order.inputs) * _SCRATCH_MARGIN + _SCRATCH_SLACK


def step_volumes(plan: Plan, step: PlannedStep, order: AttemptOrder) -> list[Volume]:
    """The pod's volumes, but for those of datastores."""
    volumes = [
        plan_volume(plan, step),
        _empty("bin"),
        _empty("work"),
        _empty("context"),
        _empty("mover-tmp"),
    ]
    if step.inputs:
        volumes.append(_empty("inputs", {"sizeLimit": whole(disk_of_inputs(step, order))}))
    volumes += [_empty(volume) for volume in _volumes_of_outputs(step)]
    if step.code and step.code.config_map:
        # Optional to the kubelet, so that stage-in says what is missing instead of a pod that never starts.
        volumes.append({"name": "code", "configMap": {"name": step.code.config_map, "optional": True}})
    return [*volumes, shared_memory_volume(step)]


def shared_memory_volume(step: PlannedStep) -> Volume:
    """Memory as /dev/shm: half of the step's memory limit; without one, bounded as the step's memory is."""
    limit = step.resources.get("limits", {}).get("memory")
    return _empty("shm", {"medium": "Memory"} | ({"sizeLimit": half(limit)} if limit else {}))


def shared_memory_mount() -> Mount:
    """Where the step finds it."""
    return _mount("shm", SHARED_MEMORY)


def stage_in_mounts(step: PlannedStep) -> list[Mount]:
    """What stage-in reads, and all that it prepares."""
    mounts = [
        _mount("plan", PLAN, read_only=True),
        _mount("bin", BIN),
        _mount("work", WORK),
        _mount("context", CONTEXT),
    ]
    mounts.append(_mount("mover-tmp", "/tmp"))  # noqa: S108 - a volume of the pod
    if step.inputs:
        mounts.append(_mount("inputs", INPUTS))
    if step.code and step.code.config_map:
        mounts.append(_mount("code", CODE, read_only=True))
    return [*mounts, *(_mount(volume, path) for volume, path in _volumes_of_outputs(step).items())]


def step_mounts(step: PlannedStep) -> list[Mount]:
    """What the user's container sees: each input by itself, read-only; the place of its outputs; never the plan."""
    mounts = [
        _mount("bin", BIN, read_only=True),
        _mount("work", WORK),
        _mount("context", CONTEXT, read_only=True),
    ]
    # These come first: an input may lie below a folder in which outputs are written.
    mounts += _mounts_elsewhere(step)
    mounts += [_mount("inputs", given.path, given.name, read_only=True) for given in step.inputs]
    if "outputs" in _volumes_of_outputs(step):
        mounts.append(_mount("outputs", OUTPUTS))
    return [*mounts, shared_memory_mount()]


def publish_mounts(step: PlannedStep) -> list[Mount]:
    """What publish reads; it changes nothing but its own temporary files."""
    mounts = [_mount("plan", PLAN, read_only=True), _mount("bin", BIN, read_only=True)]
    mounts += [_mount("work", WORK, read_only=True), _mount("mover-tmp", "/tmp")]  # noqa: S108
    places = _volumes_of_outputs(step).items()
    return [*mounts, *(_mount(volume, path, read_only=True) for volume, path in places)]


def _volumes_of_outputs(step: PlannedStep) -> dict[str, str]:
    """The volumes that the step's outputs need, and where movers find each."""
    elsewhere = {names.is_elsewhere(output.path) for output in step.outputs}
    usual = {"outputs": OUTPUTS} if False in elsewhere else {}
    return usual | ({"outputs-elsewhere": ELSEWHERE} if True in elsewhere else {})


def _mounts_elsewhere(step: PlannedStep) -> list[Mount]:
    """The folder above each output, so that the step can make it as it likes; the output itself where it is made."""
    mounts = {}
    for output in step.outputs:
        folder, _, name = output.path.rpartition("/")
        if not names.is_elsewhere(output.path):
            continue
        if output.make_directory:
            # So nothing is hidden of what the image has beside it.
            inside = f"{names.elsewhere_folder(folder)}/{name}"
            mounts[output.path] = _mount("outputs-elsewhere", output.path, inside)
        else:
            mounts[folder] = _mount("outputs-elsewhere", folder, names.elsewhere_folder(folder))
    return [mounts[path] for path in sorted(mounts)]


def plan_volume(plan: Plan, step: PlannedStep) -> Volume:
    """The part of the plan that the movers of a step read."""
    items = [
        {"key": names.PLAN_RUN_KEY, "path": "run.json.gz"},
        {"key": names.plan_step_key(step.name), "path": "step.json.gz"},
    ]
    return {
        "name": "plan",
        "configMap": {"name": names.plan_name(plan.run.name, plan.run.uid), "items": items},
    }


def _empty(name: str, settings: Mapping[str, Any] | None = None) -> Volume:
    return {"name": name, "emptyDir": dict(settings or {})}


def _mount(volume: str, path: str, folder: str | None = None, *, read_only: bool = False) -> Mount:
    mount: Mount = {"name": volume, "mountPath": path}
    if folder:
        mount["subPath"] = folder
    return mount | ({"readOnly": True} if read_only else {})
