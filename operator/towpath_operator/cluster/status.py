"""One merge patch per status write, conditional on the version that the decision was made from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from towpath_operator.cluster.api import Api, ConflictError, NotFoundError
from towpath_operator.cluster.resources import Key, Resource
from towpath_operator.cluster.store import Store
from towpath_operator.metrics import Metrics

Json = dict[str, Any]

SECONDS_BETWEEN = 1.0
BYTES_PER_SECOND_MORE = 50 * 1024


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """The JSON merge patch (RFC 7386) that turns `old` into `new`; empty where they are equal."""
    patch: Json = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            if inner := merge_patch(before, value):
                patch[key] = inner
        elif before != value or key not in old:
            patch[key] = value
    return patch


class StatusWriter:
    """Writes the statuses of our kinds; of what is only progress, it says how long to hold it back."""

    def __init__(self, client: Api, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._metrics, self._clock = client, metrics, clock
        self._next: dict[Key, float] = {}

    def hold_back(self, key: Key, patience: float = 0.0) -> float:
        """For how many more seconds a write of mere progress must wait; 0 if it may be written now.

        `patience` is added to the pause since the last write, for what nobody waits to read.
        """
        return max(0.0, self._next.get(key, -patience) + patience - self._clock())

    async def write(self, store: Store, item: Json, status: Json) -> Json | None:
        """Make this the status; the object as stored. None: it changed or went meanwhile, look again.

        The precondition is the version of `item`. Nothing is sent where nothing differs.
        """
        patch = merge_patch(item.get("status") or {}, status)
        if not patch:
            return item
        meta, resource = item["metadata"], store.resource
        body = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": patch}
        path = resource.path(meta["namespace"], meta["name"], "status")
        try:
            stored = await self._client.patch(path, body)
        except (ConflictError, NotFoundError):
            self._metrics.status_writes.labels(resource.kind, "conflict").inc()
            await self._read_again(store, item)
            return None
        self._metrics.status_writes.labels(resource.kind, "written").inc()
        self._next[resource.key(item)] = self._clock() + _pause_after(status)
        store.put(stored)
        return stored

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._next.pop(key, None)

    async def _read_again(self, store: Store, item: Json) -> None:
        # The watch will bring it too, but a pass on what is known to be old would only conflict again.
        store_path: Resource = store.resource
        try:
            store.put(
                await self._client.get(
                    store_path.path(item["metadata"]["namespace"], item["metadata"]["name"])
                )
            )
        except NotFoundError:
            store.remove(item)


def _pause_after(status: Json) -> float:
    return SECONDS_BETWEEN + len(json.dumps(status)) / BYTES_PER_SECOND_MORE
