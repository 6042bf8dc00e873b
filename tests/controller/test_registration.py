"""Registering outputs while others do: numbers are never used twice, whoever comes between. The API server here is a
table that keeps versions and preconditions, so that a conflict can be made to happen at the worst moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from controller.broken_server import broken_server, refuse
from towpath.flow.decision import Limits, Registration
from towpath.flow.planned import Content, InventoryRef, Plan, PlannedRegistration, RunIdentity
from towpath.flow.sources import Installation
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.client import Client
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.status import StatusWriter
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.run_registration import LookAgainError, register
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.metrics import Metrics

Json = dict[str, Any]


class Table:
    """Objects by path, with rising versions; a status is merged only onto the version that it names."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.version = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text() or "{}")
        path = request.path.removesuffix("/status")
        if request.method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                return await refuse(409, "AlreadyExists")(request)
            return self._store(path, body)
        there = self.objects[path]
        if request.method == "PATCH":
            if body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
                return await refuse(409, "Conflict")(request)
            return self._store(path, {**there, "status": {**there.get("status", {}), **body["status"]}})
        return web.json_response(there)

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
    )


def run_of(name: str) -> Plan:
    return Plan(RunIdentity(name, f"uid-{name}", "ns"), "", {}, (), (), "mover", "cluster")


def output(digest: str, attempt: str = "1-pod") -> Registration:
    content = Content(InventoryRef("default", "p", f"sha256:{digest * 64}"), 1, 1, 4096, directory=True)
    return Registration("train", "model", PlannedRegistration("iris-model", "iris_model"), content, attempt)


def story(tell: Callable[[Table, Client], Awaitable[None]]) -> Table:
    """Tell a story against a fresh table, and give back the table."""
    table = Table()

    async def scenario() -> None:
        async with broken_server() as (server, client):
            server.handler = table
            await tell(table, client)

    asyncio.run(scenario())
    return table


def test_runs_that_register_at_once_get_numbers_of_their_own() -> None:
    async def tell(_: Table, client: Client) -> None:
        context = context_for(client)
        await asyncio.gather(*(register(context, run_of(name), output(name)) for name in "abcde"))
        found = {context.memory.registered[f"uid-{name}"]["train", "model"].version for name in "abcde"}
        assert found == {1, 2, 3, 4, 5}

    table = story(tell)
    assert table.names("datasets") == ["iris-model"]
    assert table.names("datasetversions") == [f"iris-model-v{number}" for number in range(1, 6)]


def test_equal_content_is_the_version_that_is_there() -> None:
    async def tell(_: Table, client: Client) -> None:
        context = context_for(client)
        await register(context, run_of("a"), output("a"))
        await register(context, run_of("b"), output("a", "1-other"))
        assert context.memory.registered["uid-b"]["train", "model"].version == 1

    assert story(tell).names("datasetversions") == ["iris-model-v1"]


def test_an_operator_that_died_after_creating_the_version_finds_it_again() -> None:
    async def tell(table: Table, client: Client) -> None:
        await register(context_for(client), run_of("a"), output("a"))
        successor = context_for(client)
        for path, item in table.objects.items():
            (successor.cache.versions if "versions" in path else successor.cache.datasets).put(item)
        await register(successor, run_of("a"), output("a"))

    assert story(tell).names("datasetversions") == ["iris-model-v1"]


def test_a_number_that_somebody_took_meanwhile_is_not_used() -> None:
    async def tell(table: Table, client: Client) -> None:
        context = context_for(client)
        await register(context, run_of("a"), output("a"))
        path = next(path for path in table.objects if "/datasets/" in path)
        # Another leader, unseen by this one, raises the number and dies before it makes the version.
        table._store(path, {**table.objects[path], "status": {"lastVersion": 2}})
        try:
            await register(context, run_of("b"), output("b"))
            raise AssertionError("a stale number was used")
        except LookAgainError:
            await register(context, run_of("b"), output("b"))
        assert context.memory.registered["uid-b"]["train", "model"].version == 3

    assert story(tell).names("datasetversions") == ["iris-model-v1", "iris-model-v3"]
