"""A list of our own kinds every few minutes: kopf never reports what went before it had to list again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence

from towpath_operator.cluster.api import Api, ApiError
from towpath_operator.cluster.backoff import Backoff
from towpath_operator.cluster.listing import list_all
from towpath_operator.cluster.store import Store
from towpath_operator.metrics import Metrics

log = logging.getLogger(__name__)


class Audit:
    """Lists each of `places`, a store and a namespace (None: all), at the start and every `seconds` or so."""

    def __init__(
        self,
        client: Api,
        places: Sequence[tuple[Store, str | None]],
        metrics: Metrics,
        seconds: float,
        backoff: Backoff | None = None,
    ) -> None:
        self.synced = asyncio.Event()
        self.last_contact = time.monotonic()
        self._client, self._places, self._metrics, self._seconds = client, places, metrics, seconds
        self._backoff = backoff or Backoff()

    async def run(self) -> None:
        """Audit for ever; ends only by cancellation."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._seconds * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load

    async def refresh(self) -> None:
        """Audit now, however long it takes to get an answer."""
        while True:
            try:
                return await self.once()
            except ApiError as error:
                pause = max(self._backoff.next(), error.retry_after or 0.0)
                log.warning("audit of our kinds: %s; again in %.1f s", error, pause)
                await asyncio.sleep(pause)

    async def once(self) -> None:
        """List everything once and repair the stores."""
        for store, namespace in self._places:
            items, version = await list_all(self._client, store.resource, namespace, {}, store.project)
            repaired = store.replace(items, int(version), namespace)
            if repaired and self.synced.is_set():
                self._metrics.audit_repairs.labels(store.resource.kind).inc(repaired)
        self.last_contact = time.monotonic()
        self._backoff.reset()
        self.synced.set()
