"""An event makes dirty whom it concerns: a child its owner, an object those that wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.resources import Key

Json = dict[str, Any]


def item(kind: str, name: str, version: int = 1, owner: Json | None = None, **fields: Any) -> Json:
    meta: Json = {"name": name, "namespace": "ns", "uid": f"{kind}-{name}", "resourceVersion": str(version)}
    if owner is not None:
        reference = {
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        meta["ownerReferences"] = [reference]
    return {"kind": kind, "metadata": meta, "spec": {}, **fields}


async def marked(queue: KeyedQueue) -> set[tuple[str, str]]:
    keys = set()
    while len(queue):
        key = await queue.take()
        queue.done(key)
        keys.add((key.kind, key.name))
    return keys


def story(prepare: list[tuple[str, Json]], event: tuple[str, Json]) -> set[tuple[str, str]]:
    """The keys that an event marks, in a cache that holds what was prepared."""

    async def scenario() -> set[tuple[str, str]]:
        queue = KeyedQueue()
        cache = Cache(queue)
        for store, body in prepare:
            getattr(cache, store).put(body)
        await marked(queue)
        getattr(cache, event[0]).put(event[1])
        return await marked(queue)

    return asyncio.run(scenario())


RUN = item("PipelineRun", "run")
PLANNED = item("PipelineRun", "planned", status={"planDigest": "sha256:x"})
FINISHED = item(
    "PipelineRun", "old", status={"planDigest": "sha256:x", "completionTime": "2026-01-01T00:00:00Z"}
)
RUNS = [("runs", RUN), ("runs", PLANNED), ("runs", FINISHED)]
JOB = item("Job", "job", owner=RUN)


def test_a_job_marks_the_run_that_owns_it() -> None:
    assert story(RUNS, ("jobs", JOB)) == {("PipelineRun", "run")}


def test_a_pod_marks_the_run_that_owns_its_job() -> None:
    assert story([*RUNS, ("jobs", JOB)], ("pods", item("Pod", "pod", owner=JOB))) == {("PipelineRun", "run")}


def test_a_pod_whose_job_is_unknown_marks_nothing() -> None:
    assert story(RUNS, ("pods", item("Pod", "pod", owner=JOB))) == set()


def test_a_pod_that_was_taken_from_its_job_is_found_by_the_run_that_its_labels_name() -> None:
    cache = Cache(KeyedQueue())
    run = item("PipelineRun", "run")
    job = item("Job", "job", owner=run)
    labels = {"towpath.dev/run-uid": run["metadata"]["uid"]}
    owned, taken = (item("Pod", "pod", version, owner) for version, owner in ((1, job), (2, None)))
    for pod in (owned, taken):
        pod["metadata"]["labels"] = labels
        pod["status"] = {}
    cache.pods.put(owned)
    assert cache.pods.owned_by("PipelineRun-run") == []
    cache.pods.put(taken)
    assert [pod["metadata"]["name"] for pod in cache.pods.owned_by("PipelineRun-run")] == ["pod"]
    assert cache.pods.owned_by("Job-job") == []


def test_a_probe_marks_its_datastore() -> None:
    store = item("Datastore", "default")
    assert story([], ("jobs", item("Job", "probe", owner=store))) == {("Datastore", "default")}


def test_a_version_marks_its_dataset_and_runs_that_have_no_plan_yet() -> None:
    version = item("DatasetVersion", "iris-v1")
    version["spec"] = {"dataset": "iris"}
    assert story(RUNS, ("versions", version)) == {("Dataset", "iris"), ("PipelineRun", "run")}


def test_a_datastore_marks_datasets_and_unfinished_runs() -> None:
    prepared = [*RUNS, ("datasets", item("Dataset", "iris"))]
    found = story(prepared, ("datastores", item("Datastore", "default")))
    assert found == {
        ("Datastore", "default"),
        ("Dataset", "iris"),
        ("PipelineRun", "run"),
        ("PipelineRun", "planned"),
    }


def test_an_event_that_brings_nothing_new_marks_nothing() -> None:
    assert story(RUNS, ("runs", RUN)) == set()


def test_a_new_leader_looks_at_everything() -> None:
    async def scenario() -> set[tuple[str, str]]:
        queue = KeyedQueue()
        cache = Cache(queue)
        cache.runs.put(FINISHED)
        cache.pipelines.put(item("Pipeline", "iris"))
        await marked(queue)
        cache.mark_all()
        return await marked(queue)

    assert asyncio.run(scenario()) == {("PipelineRun", "old"), ("Pipeline", "iris")}


def test_the_key_of_an_object_is_kind_namespace_and_name() -> None:
    assert Cache(KeyedQueue()).runs.resource.key(RUN) == Key("PipelineRun", "ns", "run")
