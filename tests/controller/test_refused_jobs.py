"""An API server that refuses Jobs: no pass fails, the object says why in its words, and goes on when it may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

import builders
from controller.broken_server import broken_server
from controller.table import Table, context_for
from flow import sightings
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers import dataset, datastore, pipelinerun
from towpath_operator.handlers.context import Context

Json = dict[str, Any]
WORDS = 'jobs.batch "x" is forbidden: exceeded quota: strict'
SAMPLED = {"name": "iris", "transforms": [{"sample": {"percent": 50, "seed": 1}}]}


class Strict(Table):
    """A table with a quota on Jobs, until it is lifted."""

    is_strict = True

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if self.is_strict and request.method == "POST" and request.path.endswith("/jobs"):
            return web.json_response({"reason": "Forbidden", "message": WORDS}, status=403)
        return await super().__call__(request)

    def jobs(self) -> list[str]:
        return self.names("jobs")


def stored(body: Json, uid: str) -> Json:
    """An object as the API server gives it."""
    meta = {"uid": uid, "resourceVersion": "0", "generation": 1, "creationTimestamp": "2026-06-01T00:00:00Z"}
    return {**body, "metadata": {**body["metadata"], **meta}}


def a_run() -> Json:
    step = builders.make_step(inputs=[SAMPLED])
    return stored(builders.make_run("counts", pipelineSpec={"steps": [step]}), "r")


def ready(body: Json, uid: str, **status: Any) -> Json:
    return stored(sightings.ready(body, **status), uid)


CASES = [
    (datastore.reconcile, "datastores", [stored(builders.make_datastore("new"), "n")]),
    (
        dataset.reconcile,
        "datasets",
        [stored(builders.make_dataset("new"), "n"), ready(builders.make_datastore(), "s")],
    ),
    (
        pipelinerun.reconcile,
        "pipelineruns",
        [
            a_run(),
            ready(builders.make_datastore(), "s"),
            ready(builders.make_dataset(), "d", latestVersion=1, lastVersion=1),
            stored(builders.make_version(), "v"),
        ],
    ),
]


@pytest.mark.parametrize(("reconcile", "plural", "objects"), CASES, ids=["probe", "inventory", "count"])
def test_the_object_that_waits_quotes_the_refusal_and_goes_on_when_it_is_lifted(
    reconcile: Callable[[Context, Key], Awaitable[float | None]], plural: str, objects: list[Json]
) -> None:
    async def scenario() -> None:
        async with broken_server() as (server, client):
            table = server.handler = Strict()
            context = context_for(client)
            looked = Looked(context, table, objects, plural)
            assert await reconcile(context, looked.key) == 0.0
            assert (table.jobs(), WORDS in str(looked.status())) == ([], False)
            waits = await reconcile(context, looked.key)
            assert waits is not None
            assert 0 < waits <= 15
            assert WORDS in str(looked.status())
            writes = table.writes
            await reconcile(context, looked.key)
            assert table.writes == writes, "nothing new is written while it lasts"
            table.is_strict = False
            await reconcile(context, looked.key)
            assert len(table.jobs()) == 1
            assert context.memory.refused_movers == {objects[0]["metadata"]["uid"]: {}}

    asyncio.run(scenario())


class Looked:
    """The first of these objects, kept in table and cache alike."""

    def __init__(self, context: Context, table: Table, objects: list[Json], plural: str) -> None:
        self.key = Key(objects[0]["kind"], builders.NAMESPACE, objects[0]["metadata"]["name"])
        self._store = {store.resource.kind: store for store in context.cache.ours}
        self._table, self._plural = table, plural
        for item in objects:
            path = self._store[item["kind"]].resource.path(builders.NAMESPACE, item["metadata"]["name"])
            table.objects[path] = item
            self._store[item["kind"]].put(item)

    def status(self) -> Json:
        path = self._store[self.key.kind].resource.path(self.key.namespace, self.key.name)
        found: Json = self._table.objects[path].get("status", {})
        return found
