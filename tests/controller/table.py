"""An API server that is a table: it keeps versions and preconditions, and fails a write at the worst moment.

A real one does not fail where a test wants it to; what it does by itself is tested against it.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from controller.broken_server import refuse
from towpath.flow.decision import Limits
from towpath.flow.sources import Installation
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.client import Client
from towpath_operator.cluster.events import Recorder
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.status import StatusWriter
from towpath_operator.handlers.context import Context
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.metrics import Metrics

Json = dict[str, Any]


class Table:
    """Objects by path, with rising versions; a status is merged only onto the version that it names."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.version = 0
        self.writes = 0
        # The write that never comes to be, and the one whose answer nobody hears.
        self.lost_write = self.unheard_write = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text() or "{}")
        if request.method == "GET":
            return web.json_response(self._read(request.path))
        self.writes += 1
        if self.writes == self.lost_write:
            return await refuse(500)(request)
        answer = await self._write(request, body)
        return await refuse(500)(request) if self.writes == self.unheard_write else answer

    def _read(self, path: str) -> Json:
        listed = [item for key, item in self.objects.items() if key.rpartition("/")[0] == path]
        page = {"metadata": {"resourceVersion": str(self.version)}, "items": listed}
        return self.objects.get(path, page)

    async def _write(self, request: web.Request, body: Json) -> web.StreamResponse:
        path = request.path.removesuffix("/status")
        if request.method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                return await refuse(409, "AlreadyExists")(request)
            return self._store(path, body)
        there = self.objects[path]
        if body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            return await refuse(409, "Conflict")(request)
        return self._store(path, {**there, "status": {**there.get("status", {}), **body["status"]}})

    def _store(self, path: str, body: Json) -> web.Response:
        self.version += 1
        meta = {"uid": path, **body["metadata"], "resourceVersion": str(self.version)}
        self.objects[path] = {**body, "metadata": meta}
        return web.json_response(self.objects[path])

    def names(self, plural: str) -> list[str]:
        """The names of all objects of a kind."""
        return sorted(path.rsplit("/", 1)[1] for path in self.objects if f"/{plural}/" in path)


def context_for(client: Client) -> Context:
    queue, metrics = KeyedQueue(), Metrics()
    return Context(
        client=client,
        cache=Cache(queue),
        queue=queue,
        writer=StatusWriter(client, metrics),
        metrics=metrics,
        installation=Installation("step", "mover", "cluster"),
        pods=PodSettings(),
        limits=Limits(),
        events=Recorder(client, "test"),
    )
