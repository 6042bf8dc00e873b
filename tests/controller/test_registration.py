"""Registering outputs while others do: numbers are never used twice, whoever comes between, wherever one dies. The API
server is a table that keeps versions and preconditions, where a conflict or a death must come at the worst moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_kube_config

from cluster.access import Access
from cluster.kubectl import Kubectl
from controller.broken_server import broken_server, refuse
from towpath.flow.decision import Limits, Registration
from towpath.flow.planned import Content, InventoryRef, Plan, PlannedRegistration, RunIdentity
from towpath.flow.sources import Installation
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.client import Client, TryAgainError
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
    )


def run_of(name: str, namespace: str = "ns") -> Plan:
    return Plan(RunIdentity(name, f"uid-{name}", namespace), "", {}, (), (), "mover", "cluster")


def output(digest: str, attempt: str = "1-pod") -> Registration:
    content = Content(InventoryRef("default", "p", f"sha256:{digest:0>64}"), 1, 1, 4096, directory=True)
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
        runs = [f"run-{number}" for number in range(20)]
        await asyncio.gather(*(register(context, run_of(name), output(name[4:])) for name in runs))
        found = {context.memory.registered[f"uid-{name}"]["train", "model"].version for name in runs}
        assert found == set(range(1, 21))

    table = story(tell)
    assert table.names("datasets") == ["iris-model"]
    assert len(table.names("datasetversions")) == 20


def test_equal_content_is_the_version_that_is_there() -> None:
    async def tell(_: Table, client: Client) -> None:
        context = context_for(client)
        await register(context, run_of("a"), output("a"))
        await register(context, run_of("b"), output("a", "1-other"))
        assert context.memory.registered["uid-b"]["train", "model"].version == 1

    assert story(tell).names("datasetversions") == ["iris-model-v1"]


@pytest.mark.parametrize("knows_versions", [True, False], ids=["", "before-its-watch-tells-it"])
@pytest.mark.parametrize("write", [1, 2, 3], ids=["dataset", "number", "version"])
@pytest.mark.parametrize("death", ["lost_write", "unheard_write"])
def test_whenever_an_operator_dies_its_successor_neither_loses_the_version_nor_makes_it_twice(
    death: str, write: int, knows_versions: bool
) -> None:
    async def tell(table: Table, client: Client) -> None:
        setattr(table, death, write)
        with pytest.raises(TryAgainError):
            await register(context_for(client), run_of("a"), output("a"))
        successor = context_for(client)
        for path, item in table.objects.items():
            if "/datasets/" in path:
                successor.cache.datasets.put(item)
            elif knows_versions:
                successor.cache.versions.put(item)
        await register(successor, run_of("a"), output("a"))
        await register(successor, run_of("b"), output("b"))

    table = story(tell)
    # A number that was raised for nothing is a gap.
    first = 2 if (death, write) in {("unheard_write", 2), ("lost_write", 3)} else 1
    assert table.names("datasetversions") == [f"iris-model-v{first}", f"iris-model-v{first + 1}"]


@pytest.mark.server
def test_five_leaders_at_once_give_twenty_outputs_numbers_that_only_rise(
    cluster: Access, kubectl: Kubectl, namespace: str
) -> None:
    async def lead(outputs: range) -> list[int]:
        configuration = Configuration()
        await load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
        client = Client(configuration)
        context = context_for(client)
        given = []
        for number in outputs:
            plan = run_of(f"run-{number}", namespace)
            while plan.run.uid not in context.memory.registered:
                with suppress(LookAgainError):
                    await register(context, plan, output(f"{number:x}"))
            given.append(context.memory.registered[plan.run.uid]["train", "model"].version)
        await client.close()
        return given

    async def compete() -> list[list[int]]:
        return await asyncio.gather(*(lead(range(start, start + 4)) for start in range(0, 20, 4)))

    by_leader = asyncio.run(compete())
    assert all(given == sorted(given) for given in by_leader)
    given = {number for numbers in by_leader for number in numbers}
    listed = kubectl.json("get", "datasetversions.towpath.dev", "--namespace", namespace)["items"]
    made = {item["spec"]["version"]: item["spec"]["producedBy"]["run"] for item in listed}
    assert len(set(made.values())) == len(made) == 20
    assert made.keys() == given
    dataset = kubectl.json("get", "datasets.towpath.dev", "iris-model", "--namespace", namespace)
    assert dataset["status"]["lastVersion"] == max(given)


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
