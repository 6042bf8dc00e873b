"""Registering outputs while others do: numbers are never used twice, whoever comes between, wherever one dies. The API
server is a table that keeps versions and preconditions, where a conflict or a death must come at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_kube_config

from cluster.access import Access
from cluster.kubectl import Kubectl
from controller.broken_server import broken_server
from controller.table import Table, context_for
from towpath.flow.contents import Content, InventoryRef
from towpath.flow.decision import Registration
from towpath.flow.planned import Plan, PlannedRegistration, RunIdentity
from towpath_operator.cluster.api import TryAgainError
from towpath_operator.cluster.client import Client
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.run_registration import LookAgainError, register

Json = dict[str, Any]


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


@pytest.mark.parametrize("death", ["lost_write", "unheard_write"])
def test_a_dataset_that_is_deleted_while_its_next_version_is_being_made_goes_on_after_what_there_is(
    death: str,
) -> None:
    async def tell(table: Table, client: Client) -> None:
        await register(context_for(client), run_of("before"), output("9"))
        # Of its three writes (the Dataset, its number, the version) it dies at the last.
        setattr(table, death, table.writes + 3)
        with pytest.raises(TryAgainError):
            await register(context_for(client), run_of("a"), output("a"))
        # What that was, its successor's watch does not tell yet.
        table.objects = {path: item for path, item in table.objects.items() if "/datasets/" not in path}
        successor = context_for(client)
        successor.cache.versions.put(
            next(item for path, item in table.objects.items() if path.endswith("-v1"))
        )
        await register(successor, run_of("a"), output("a"))
        await register(successor, run_of("b"), output("b"))

    table = story(tell)
    assert table.names("datasets") == ["iris-model"]
    made = {
        path.rsplit("/", 1)[1]: item["spec"]["producedBy"]["run"]
        for path, item in table.objects.items()
        if "/datasetversions/" in path
    }
    assert made == {"iris-model-v1": "before", "iris-model-v2": "a", "iris-model-v3": "b"}


@pytest.mark.server
def test_five_leaders_at_once_give_twenty_outputs_numbers_that_only_rise(
    cluster: Access, served: Kubectl, namespace: str
) -> None:
    async def lead(outputs: range) -> list[int]:
        configuration = Configuration()
        await load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
        client = Client(configuration)
        context = context_for(client)
        try:
            return [await numbered(context, number) for number in outputs]
        finally:
            await client.close()

    async def numbered(context: Context, number: int) -> int:
        plan = run_of(f"run-{number}", namespace)
        while plan.run.uid not in context.memory.registered:
            with suppress(LookAgainError, TryAgainError):
                await register(context, plan, output(f"{number:x}"))
        return context.memory.registered[plan.run.uid]["train", "model"].version

    async def compete() -> list[list[int]]:
        return await asyncio.gather(*(lead(range(start, start + 4)) for start in range(0, 20, 4)))

    by_leader = asyncio.run(compete())
    assert all(given == sorted(given) for given in by_leader)
    given = {number for numbers in by_leader for number in numbers}
    listed = served.direct.select("datasetversions", namespace)
    made = {item["spec"]["version"]: item["spec"]["producedBy"]["run"] for item in listed}
    assert len(set(made.values())) == len(made) == 20
    assert made.keys() == given
    dataset = served.direct.get("datasets", "iris-model", namespace)
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
