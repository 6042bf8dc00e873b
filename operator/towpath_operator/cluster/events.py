"""Events for people: one per transition, written beside the work. Losing one loses nothing: the status says it too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from towpath.flow.occurrences import Occurrence
from towpath_operator.cluster.api import Api, ApiError
from towpath_operator.cluster.resources import NEW_EVENTS

Json = dict[str, Any]
log = logging.getLogger(__name__)

# More than this waits only while the API server does not answer.
MOST_WAITING = 1000
_REPORTER = "towpath.dev/operator"
_NAME_LIMIT = 200


class Recorder:
    """Takes what is to be told, and writes it one by one. `identity` is this process among the operators."""

    def __init__(
        self, client: Api, identity: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._identity = identity[:128] or "towpath"
        self._now = now
        self._waiting: asyncio.Queue[Json] = asyncio.Queue(MOST_WAITING)

    def tell(self, regarding: Json, occurrence: Occurrence) -> None:
        """Let people know what became of an object of ours; it is written later."""
        try:
            self._waiting.put_nowait(self._event(regarding, occurrence))
        except asyncio.QueueFull:
            name = regarding["metadata"]["name"]
            log.warning("too many Events wait to be written: %s of %s is left out", occurrence.reason, name)

    async def run(self) -> None:
        """Write what is told, for ever."""
        while True:
            event = await self._waiting.get()
            try:
                await self._client.create(NEW_EVENTS.path(event["metadata"]["namespace"]), event)
            except ApiError as error:
                # Such as in a namespace that is being deleted.
                log.info("an Event about %s was not written: %s", event["regarding"]["name"], error)
            self._waiting.task_done()

    async def written(self) -> None:
        """Wait until all that was told is written."""
        await self._waiting.join()

    def _event(self, regarding: Json, occurrence: Occurrence) -> Json:
        meta = regarding["metadata"]
        return {
            "apiVersion": NEW_EVENTS.api_version,
            "kind": NEW_EVENTS.kind,
            "metadata": {"generateName": f"{meta['name'][:_NAME_LIMIT]}-", "namespace": meta["namespace"]},
            "eventTime": self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": _REPORTER,
            "reportingInstance": self._identity,
            "action": "Reconcile",
            "type": "Warning" if occurrence.is_warning else "Normal",
            "reason": str(occurrence.reason),
            "note": occurrence.note,
            "regarding": {
                "apiVersion": regarding["apiVersion"],
                "kind": regarding["kind"],
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
            },
        }
