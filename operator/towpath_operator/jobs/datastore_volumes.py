"""How movers see credentials, certificates and volumes of datastores: as files, in movers only.

Secrets and ConfigMaps are read when a transfer begins, and optional to the kubelet: what is missing is said by the
mover, by name, not by a pod that never starts. A claim cannot be: of one that is missing the scheduler speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from towpath.flow.planned import CLAIM
from towpath.flow.planned_datastores import PlannedDatastore

CREDENTIALS = "/towpath/credentials"
CERTIFICATES = "/towpath/ca"
VOLUMES = "/towpath/volumes"

# Readable by the pod's user although root owns them: without an fsGroup there is no other way.
_MODE = 0o444


def datastore_volumes(datastores: Sequence[PlannedDatastore]) -> list[dict[str, Any]]:
    """The volumes of the pod for these datastores, which are named by their place in this order."""
    volumes = []
    for number, datastore in enumerate(datastores):
        if datastore.credentials_secret:
            secret = {"secretName": datastore.credentials_secret, "optional": True, "defaultMode": _MODE}
            volumes.append({"name": _credentials(number), "secret": secret})
        if datastore.ca_config_map:
            config_map = {"name": datastore.ca_config_map, "optional": True, "defaultMode": _MODE}
            volumes.append({"name": _certificates(number), "configMap": config_map})
    return volumes + _claims(datastores)


def _claims(datastores: Sequence[PlannedDatastore]) -> list[dict[str, Any]]:
    """One volume for each claim, whatever number of datastores are folders of it."""
    sharing: dict[str, list[PlannedDatastore]] = {}
    for datastore in datastores:
        if datastore.kind == CLAIM:
            sharing.setdefault(datastore.location["claimName"], []).append(datastore)
    volumes = []
    for claim, those in sharing.items():
        source = {"claimName": claim}
        # A volume that can only be read is not attached unless the pod asks for no more.
        read_only = {"readOnly": True} if all(datastore.read_only for datastore in those) else {}
        volumes.append({"name": _volume(datastores, claim), "persistentVolumeClaim": source | read_only})
    return volumes


def datastore_mounts(datastores: Sequence[PlannedDatastore], used: Iterable[str]) -> list[dict[str, Any]]:
    """The mounts of a mover that enters the `used` ones of the pod's datastores."""
    mounts, names = [], set(used)
    for number, datastore in enumerate(datastores):
        if datastore.name not in names:
            continue
        if datastore.credentials_secret:
            mounts.append(_mount(_credentials(number), f"{CREDENTIALS}/{datastore.name}"))
        if datastore.ca_config_map:
            mounts.append(_mount(_certificates(number), f"{CERTIFICATES}/{datastore.name}"))
        if datastore.kind == CLAIM:
            mounts.append(_claim_mount(datastores, datastore))
    return mounts


def _claim_mount(datastores: Sequence[PlannedDatastore], datastore: PlannedDatastore) -> dict[str, Any]:
    volume = _volume(datastores, datastore.location["claimName"])
    mount: dict[str, Any] = {"name": volume, "mountPath": f"{VOLUMES}/{datastore.name}"}
    if "subPath" in datastore.location:
        mount["subPath"] = datastore.location["subPath"]
    return mount | ({"readOnly": True} if datastore.read_only else {})


def _mount(volume: str, path: str) -> dict[str, Any]:
    return {"name": volume, "mountPath": path, "readOnly": True}


# A datastore's name may be longer than a volume's, and hold dots: its number is neither.
def _credentials(number: int) -> str:
    return f"credentials-{number}"


def _certificates(number: int) -> str:
    return f"ca-{number}"


def _volume(datastores: Sequence[PlannedDatastore], claim: str) -> str:
    claims = [datastore.location.get("claimName") for datastore in datastores]
    return f"claim-{claims.index(claim)}"


def claim_volume(datastores: Sequence[PlannedDatastore], claim: str) -> str | None:
    """The pod's volume of a claim, if it has one for these datastores."""
    is_there = any(one.kind == CLAIM and one.location["claimName"] == claim for one in datastores)
    return _volume(datastores, claim) if is_there else None
