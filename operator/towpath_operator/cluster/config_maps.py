"""ConfigMaps are read when they are wanted: a run's code once, its plan after a restart. They are never watched."""

from __future__ import annotations

import base64
from typing import Any

from towpath_operator.cluster.api import Api, NotFoundError
from towpath_operator.cluster.resources import CONFIG_MAPS

Json = dict[str, Any]


async def read_config_map(client: Api, namespace: str, name: str) -> dict[str, bytes] | None:
    """All keys of a ConfigMap, text as UTF-8; None if there is none."""
    try:
        return contents(await client.get(CONFIG_MAPS.path(namespace, name)))
    except NotFoundError:
        return None


def contents(config_map: Json) -> dict[str, bytes]:
    """`data` and `binaryData` together: their keys never overlap."""
    texts = {key: text.encode() for key, text in (config_map.get("data") or {}).items()}
    binaries = {key: base64.b64decode(text) for key, text in (config_map.get("binaryData") or {}).items()}
    return {**texts, **binaries}
