"""Before a sweep begins: what runs refer to is gathered, and what only the server knows is asked for."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from typing import Any

import builders
from controller.broken_server import broken_server
from controller.table import Table, context_for
from flow import sightings
from flow.sightings import planned
from towpath.flow import store_keys
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.sweep import sweep

Json = dict[str, Any]
KEY = Key("Datastore", builders.NAMESPACE, "default")
VERSIONS = f"/apis/towpath.dev/v1alpha1/namespaces/{builders.NAMESPACE}/datasetversions"

RUNS = VERSIONS.replace("datasetversions", "pipelineruns")


def stored(body: Json, uid: str, **status: Any) -> Json:
    """An object as the API server gives it."""
    meta = {"uid": uid, "resourceVersion": "1", "generation": 1, "creationTimestamp": "2026-06-01T00:00:00Z"}
    return body | {"metadata": body["metadata"] | meta, "status": body.get("status", {}) | status}


def prefix(run: str) -> str:
    return f"{builders.NAMESPACE}/datasets/model/{run}-0a1b2c3d/train/1-pod/"


def version(number: int, run: str) -> Json:
    """A version that a step of this run wrote."""
    inventory = builders.make_inventory_ref(path=f"{prefix(run)}out/inventory.jsonl.gz")
    return stored(builders.make_version("model", number, inventory=inventory), f"v{number}")


def swept(
    *runs: Json, pinned: Json | None = None, only_the_server_knows: Json | None = None
) -> tuple[Any, Any]:
    """The seconds to wait, and the order of the sweep of a Dataset whose versions 1 and 2 are gone, if it began."""

    async def scenario() -> tuple[Any, Any]:
        async with broken_server() as (server, client):
            table = server.handler = Table()
            context = context_for(client)
            _fill(context, runs, pinned)
            table.objects |= {f"{RUNS}/{run['metadata']['name']}": run for run in runs}
            if only_the_server_knows is not None:
                table.objects[f"{VERSIONS}/x"] = only_the_server_knows
            wait = await sweep(context, KEY)
            return wait, _order(table)

    return asyncio.run(scenario())


def _fill(context: Context, runs: tuple[Json, ...], pinned: Json | None) -> None:
    cache = context.cache
    cache.datastores.put(stored(sightings.ready(builders.make_datastore()), "s"))
    model = builders.make_dataset("model", sources=[], deletionPolicy="Delete")
    cache.datasets.put(stored(sightings.ready(model), "d", lastVersion=3))
    cache.versions.put(version(3, "r3"))
    for run in runs:
        cache.runs.put(run)
        if "planDigest" in run["status"]:
            there = sightings.a_version(**(pinned or builders.make_version())["spec"])
            step = builders.make_step(inputs=[{"name": "iris"}])
            context.memory.plans[run["metadata"]["uid"]] = planned(step, versions={"iris": (there,)})


def _order(table: Table) -> Json | None:
    """What the mover is told, in its variable and in the ConfigMap that its Job owns."""
    jobs = [item for path, item in table.objects.items() if "/jobs/" in path]
    if not jobs:
        return None
    [job] = jobs
    [lists] = [item for path, item in table.objects.items() if "/configmaps/" in path]
    pod = job["spec"]["template"]["spec"]
    [volume] = [one for one in pod["volumes"] if one["name"] == "sweep-lists"]
    assert volume["projected"]["sources"] == [{"configMap": {"name": lists["metadata"]["name"]}}]
    assert lists["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    order: Json = json.loads(pod["containers"][0]["env"][0]["value"])
    files = {name: base64.b64decode(content) for name, content in lists["binaryData"].items()}
    return order | {name: json.loads(gzip.decompress(content)) for name, content in files.items()}


def marks(*words: str) -> set[str]:
    return set(map(store_keys.prefix_mark, words))


def test_what_unfinished_runs_pinned_stays_and_all_that_they_write() -> None:
    run = stored(builders.make_run("lasts"), "0a1b2c3d-1111", planDigest="sha256:x")

    _, order = swept(run, pinned=version(1, "r1") | {"metadata": {"name": "iris-v1"}})

    told = order["list-0"]
    assert told["runs"] == store_keys.prefix_mark("lasts-0a1b2c3d")
    assert set(told["kept"].split(",")) == marks(prefix("r1"), prefix("r3"))
    assert (told["datasets"], order["lists"], order["dryRun"]) == ("model", 1, False)
    assert order["clusterID"] == "cluster"


def test_a_finished_runs_own_output_stays_as_long_as_the_version_that_it_is() -> None:
    def output(number: int, run: str) -> Json:
        told = {"datastore": "default", "digest": builders.DIGEST, "version": number}
        return told | {"name": "out", "inventory": f"{prefix(run)}out/inventory.jsonl.gz"}

    def a_run(name: str, number: int) -> Json:
        steps = [{"name": "train", "attempt": 2, "outputs": [output(number, name)]}]
        end = {"completionTime": "2999-06-01T00:00:00Z", "steps": steps}
        return stored(builders.make_run(name), f"0a1b2c3d-{number}", **end)

    _, order = swept(a_run("same-as-r3", 3), a_run("of-a-version-that-is-gone", 1))

    assert order["list-0"]["runs"] == ""
    assert set(order["list-0"]["kept"].split(",")) == marks(prefix("same-as-r3"), prefix("r3"))


def test_a_run_past_its_retention_goes_into_the_records_of_the_sweep() -> None:
    steps = [{"name": "train", "attempt": 1, "attemptId": "1-pod", "state": "Succeeded"}]
    end = {"completionTime": "2026-01-01T00:00:00Z", "keepSeconds": 1, "steps": steps}
    run = stored(builders.make_run("old"), "0a1b2c3d-2222", **end)

    _, order = swept(run)

    record = order["record-0"]
    assert (order["records"], record["folder"]) == (1, "old-0a1b2c3d")
    assert record["run"] == {key: run["metadata"][key] for key in record["run"]}
    assert (record["status"], record["spec"]) == (run["status"], run["spec"])
    assert (record["registered"], record["plan"]) == ([], {})


def test_no_sweep_begins_while_a_run_may_still_pin_anything() -> None:
    run = stored(builders.make_run("begins"), "0a1b2c3d-3333")

    assert swept(run)[1] is None


def test_a_version_that_only_the_server_knows_is_not_taken_for_one_that_is_gone() -> None:
    assert swept(only_the_server_knows=version(2, "r2")) == (0.0, None)
