"""How a step's pod reads datastores where they lie: the volumes, and where its containers find them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towpath.flow import names
from towpath.flow.decision import AttemptOrder
from towpath.flow.planned import CLAIM, Plan, PlannedStep
from towpath.flow.planned_datastores import ClaimMount, InlineCsiMount, PlannedDatastore, SidecarMount
from towpath_operator.jobs.datastore_volumes import claim_volume

Volume = dict[str, Any]
Mount = dict[str, Any]

FUSE_VOLUME = "fuse"


def mounted_datastores(plan: Plan, step: PlannedStep, order: AttemptOrder) -> list[PlannedDatastore]:
    """The datastores in which files of the attempt's mounted inputs lie, and which can be mounted."""
    used: set[str] = set()
    for given in step.inputs:
        if given.is_mounted:
            content = order.inputs[given.name]
            used |= set(content.datastores or (content.inventory.datastore,))
    return [datastore for datastore in plan.datastores if datastore.name in used and datastore.mount]


def places_of(mounted: Sequence[PlannedDatastore]) -> dict[str, Any]:
    """What the pod's movers are told of them: their names, and the folders of those that have unusual ones."""
    if not mounted:
        return {}
    unusual = {one.name: folder for one in mounted if (folder := _folder(one)) != _usual(one)}
    return {"mounted": [one.name for one in mounted]} | ({"mountedAt": unusual} if unusual else {})


def mount_volumes(mounted: Sequence[PlannedDatastore], entered: Sequence[PlannedDatastore]) -> list[Volume]:
    """The volumes of mounts; of claims those that no mover of the pod enters anyway: a pod has each claim once."""
    known = {datastore.location["claimName"] for datastore in entered if datastore.kind == CLAIM}
    volumes = [
        {"name": _claim(number), "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        for number, claim in enumerate(_claims(mounted))
        if claim not in known
    ]
    volumes += [_inline(number, one) for number, one in _numbered(mounted, InlineCsiMount)]
    return volumes + ([{"name": FUSE_VOLUME, "emptyDir": {}}] if sidecar_mounts(mounted) else [])


def mounts_of_datastores(
    mounted: Sequence[PlannedDatastore], entered: Sequence[PlannedDatastore]
) -> list[Mount]:
    """Each datastore at its place, read-only: nothing is written but by publishing."""
    claims, found = _claims(mounted), []
    for datastore in mounted:
        if isinstance(datastore.mount, ClaimMount):
            claim = datastore.mount.claim_name
            volume = claim_volume(entered, claim) or _claim(claims.index(claim))
            folder = {"subPath": datastore.mount.sub_path} if datastore.mount.sub_path else {}
            found.append(_read_only(volume, _usual(datastore)) | folder)
    found += [_read_only(_csi(number), _usual(one)) for number, one in _numbered(mounted, InlineCsiMount)]
    if sidecar_mounts(mounted):
        # What is mounted there later must be seen, too.
        seen = {"mountPropagation": "HostToContainer"}
        found.append(_read_only(FUSE_VOLUME, names.CONTAINER_FUSE) | seen)
    return found


def sidecar_mounts(mounted: Sequence[PlannedDatastore]) -> list[tuple[int, PlannedDatastore]]:
    """The datastores that a FUSE sidecar mounts, each with its number."""
    return _numbered(mounted, SidecarMount)


def _numbered(mounted: Sequence[PlannedDatastore], kind: type[Any]) -> list[tuple[int, PlannedDatastore]]:
    return [(number, one) for number, one in enumerate(mounted) if isinstance(one.mount, kind)]


def _usual(datastore: PlannedDatastore) -> str:
    return f"{names.CONTAINER_MOUNTS}/{datastore.name}"


def _folder(datastore: PlannedDatastore) -> str:
    """Where the pod has what movers find at the top of the datastore."""
    if isinstance(datastore.mount, SidecarMount):
        return f"{names.CONTAINER_FUSE}/mounts/{datastore.name}"
    below = datastore.mount.folder if isinstance(datastore.mount, InlineCsiMount) else ""
    return f"{_usual(datastore)}/{below}" if below else _usual(datastore)


def _inline(number: int, datastore: PlannedDatastore) -> Volume:
    mount = datastore.mount
    assert isinstance(mount, InlineCsiMount)  # noqa: S101 - they were chosen by it
    volume: dict[str, Any] = {"driver": mount.driver, "readOnly": True}
    if mount.attributes:
        volume["volumeAttributes"] = dict(mount.attributes)
    if mount.secret:
        volume["nodePublishSecretRef"] = {"name": mount.secret}
    return {"name": _csi(number), "csi": volume}


def _claims(mounted: Sequence[PlannedDatastore]) -> list[str]:
    return list(dict.fromkeys(one.mount.claim_name for one in mounted if isinstance(one.mount, ClaimMount)))


def _read_only(volume: str, path: str) -> Mount:
    return {"name": volume, "mountPath": path, "readOnly": True}


# A datastore's name may be longer than a volume's, and hold dots: a number is neither.
def _claim(number: int) -> str:
    return f"mount-{number}"


def _csi(number: int) -> str:
    return f"csi-{number}"
