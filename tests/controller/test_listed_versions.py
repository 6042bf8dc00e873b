"""What was found at a Dataset's sources becomes one version, wherever the operator dies and whatever its watch has told
its successor. The API server is a table, where a death must come at the worst moment."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

import builders
from controller.broken_server import broken_server
from controller.table import Table, context_for
from flow import sightings
from flow.looks import digest, found
from towpath.api.dataset import Dataset
from towpath.flow import names
from towpath.flow.dataset_flow import ask_of
from towpath_operator.cluster.api import TryAgainError
from towpath_operator.cluster.client import Client
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.dataset import reconcile

Json = dict[str, Any]
KEY = Key("Dataset", builders.NAMESPACE, "iris")
OURS = f"/apis/towpath.dev/v1alpha1/namespaces/{builders.NAMESPACE}"
DATASET = f"{OURS}/datasets/iris"
THEN = "2026-06-01T00:00:00Z"


def stored(body: Json, uid: str, **metadata: Any) -> Json:
    """An object as the API server gives it."""
    meta = {"uid": uid, "resourceVersion": "1", "generation": 1, "creationTimestamp": THEN}
    return body | {"metadata": body["metadata"] | meta | metadata}


def ended_look(dataset: Json, letter: str) -> tuple[Json, Json]:
    """The Job that this Dataset asks for, and its pod: it has found content of this letter."""
    ask = ask_of(Dataset.model_validate(dataset))
    job = {
        "metadata": {
            "name": f"look-{letter}-{ask}",
            "namespace": builders.NAMESPACE,
            "labels": {names.COMPONENT_LABEL: names.INVENTORY_COMPONENT},
            "annotations": {names.ASK_ANNOTATION: ask},
            "ownerReferences": [{"kind": "Dataset", "name": "iris", "uid": "u", "controller": True}],
        },
        "spec": {},
        "status": {},
    }
    told = {"exitCode": 0, "message": found(letter), "startedAt": THEN, "finishedAt": THEN}
    pod = {
        "metadata": {
            "name": job["metadata"]["name"],
            "namespace": builders.NAMESPACE,
            "ownerReferences": [{"kind": "Job", "name": "look", "uid": f"job-{letter}", "controller": True}],
        },
        "status": {"containerStatuses": [{"name": "take-inventory", "state": {"terminated": told}}]},
    }
    return stored(job, f"job-{letter}"), stored(pod, f"pod-{letter}")


def an_operator(client: Client, table: Table, letter: str, *, knows_versions: bool) -> Context:
    """One that has just begun, and sees that a look has found content of this letter."""
    context = context_for(client)
    cache, dataset = context.cache, table.objects[DATASET]
    cache.datastores.put(stored(sightings.ready(builders.make_datastore()), "s"))
    cache.datasets.put(dataset)
    job, pod = ended_look(dataset, letter)
    cache.jobs.put(job)
    cache.pods.put(pod)
    if knows_versions:
        for path, item in table.objects.items():
            if "/datasetversions/" in path:
                cache.versions.put(item)
    return context


async def passes(context: Context) -> None:
    """Passes until there is nothing to do at once."""
    for _ in range(9):
        if await reconcile(context, KEY) != 0.0:
            return
    raise AssertionError("it goes on and on")


def made(table: Table) -> list[tuple[str, str]]:
    """Every version that there is, with its digest."""
    items = [item for path, item in sorted(table.objects.items()) if "/datasetversions/" in path]
    return [(item["metadata"]["name"], item["spec"]["inventory"]["digest"]) for item in items]


def story(death: str, write: int, *, knows_versions: bool) -> Table:
    """An operator finds content a, and dies at this write of its own; another one goes on, and then finds content b."""

    async def tell() -> Table:
        async with broken_server() as (server, client):
            table = server.handler = Table()
            table.objects[DATASET] = stored(builders.make_dataset("iris"), "u")
            setattr(table, death, write)
            first = an_operator(client, table, "a", knows_versions=True)
            with suppress(TryAgainError):
                await passes(first)
                # The version's event comes.
                await passes(first)
            for letter in "aab":
                # It dies no more, but each time another begins, which has heard as much as this.
                context = an_operator(client, table, letter, knows_versions=knows_versions)
                await passes(context)
                await passes(context)
            return table

    return asyncio.run(tell())


@pytest.mark.parametrize("knows_versions", [True, False], ids=["", "before-its-watch-tells-it"])
@pytest.mark.parametrize("write", [1, 2, 3], ids=["number", "version", "status"])
@pytest.mark.parametrize("death", ["lost_write", "unheard_write"])
def test_whenever_an_operator_dies_content_is_one_version_and_no_number_comes_twice(
    death: str, write: int, knows_versions: bool
) -> None:
    table = story(death, write, knows_versions=knows_versions)
    # A number that was raised for nothing is a gap.
    first = 2 if (death, write) in {("unheard_write", 1), ("lost_write", 2)} else 1
    assert made(table) == [(f"iris-v{first}", digest("a")), (f"iris-v{first + 1}", digest("b"))]
    status = table.objects[DATASET]["status"]
    assert (status["latestVersion"], status["lastVersion"]) == (first + 1, first + 1)
    assert status["digest"] == digest("b")
