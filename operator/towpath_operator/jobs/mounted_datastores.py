"""How a step's pod reads datastores where they lie: the volumes, and where `stage-in` and `step` find them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towpath.flow import names
from towpath.flow.decision import AttemptOrder
from towpath.flow.planned import CLAIM, Plan, PlannedDatastore, PlannedMount, PlannedStep
from towpath_operator.jobs.datastore_volumes import claim_volume

Volume = dict[str, Any]


def mounted_datastores(plan: Plan, step: PlannedStep, order: AttemptOrder) -> list[PlannedDatastore]:
    """The datastores in which files of the attempt's mounted inputs lie, and which can be mounted."""
    used: set[str] = set()
    for given in step.inputs:
        if given.is_mounted:
            content = order.inputs[given.name]
            used |= set(content.datastores or (content.inventory.datastore,))
    return [datastore for datastore in plan.datastores if datastore.name in used and datastore.mount]


def mount_volumes(mounted: Sequence[PlannedDatastore], entered: Sequence[PlannedDatastore]) -> list[Volume]:
    """The volumes of claims that no mover of the pod enters anyway: a pod has each claim once."""
    known = {datastore.location["claimName"] for datastore in entered if datastore.kind == CLAIM}
    claims = dict.fromkeys(mount.claim_name for _, mount in _mounts(mounted))
    return [
        {"name": _own_volume(number), "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        for number, claim in enumerate(claims)
        if claim not in known
    ]


def mounts_of_datastores(
    mounted: Sequence[PlannedDatastore], entered: Sequence[PlannedDatastore]
) -> list[dict[str, Any]]:
    """Each datastore at its place, read-only: nothing is written but by publishing."""
    claims = list(dict.fromkeys(mount.claim_name for _, mount in _mounts(mounted)))
    found = []
    for name, mount in _mounts(mounted):
        volume = claim_volume(entered, mount.claim_name) or _own_volume(claims.index(mount.claim_name))
        place = {"name": volume, "mountPath": f"{names.CONTAINER_MOUNTS}/{name}", "readOnly": True}
        found.append(place | ({"subPath": mount.sub_path} if mount.sub_path else {}))
    return found


def _mounts(mounted: Sequence[PlannedDatastore]) -> list[tuple[str, PlannedMount]]:
    return [(datastore.name, datastore.mount) for datastore in mounted if datastore.mount]


def _own_volume(number: int) -> str:
    return f"mount-{number}"
