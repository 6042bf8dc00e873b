"""How a mover sees the certificates that sources of datasets name for their URLs: as files in the mover only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SOURCE_CERTIFICATES = "/towpath/source-ca"
_MODE = 0o444


def certificate_volumes(config_maps: Sequence[str]) -> list[dict[str, Any]]:
    """The volumes of a pod for these ConfigMaps, which are named by their place in this order."""
    return [
        {"name": _volume(number), "configMap": {"name": name, "optional": True, "defaultMode": _MODE}}
        for number, name in enumerate(config_maps)
    ]


def certificate_mounts(config_maps: Sequence[str], used: Sequence[str]) -> list[dict[str, Any]]:
    """The mounts of a mover that reads the `used` ones of the pod's ConfigMaps."""
    return [
        {"name": _volume(number), "mountPath": f"{SOURCE_CERTIFICATES}/{name}", "readOnly": True}
        for number, name in enumerate(config_maps)
        if name in used
    ]


# A ConfigMap's name may be longer than a volume's, and hold dots: its number is neither.
def _volume(number: int) -> str:
    return f"source-ca-{number}"
