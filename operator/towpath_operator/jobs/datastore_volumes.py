"""How movers see credentials and certificates of datastores: as files, in movers only, read when a transfer begins.

Everything is optional to the kubelet: what is missing is said by the mover, by name, not by a pod that never
starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from towpath.flow.planned import PlannedDatastore

CREDENTIALS = "/towpath/credentials"
CERTIFICATES = "/towpath/ca"

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
    return mounts


def _mount(volume: str, path: str) -> dict[str, Any]:
    return {"name": volume, "mountPath": path, "readOnly": True}


# A datastore's name may be longer than a volume's, and hold dots: its number is neither.
def _credentials(number: int) -> str:
    return f"credentials-{number}"


def _certificates(number: int) -> str:
    return f"ca-{number}"
