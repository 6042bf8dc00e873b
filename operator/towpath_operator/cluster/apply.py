"""Writes to the cluster: creation is the lock, and an object that is there is adopted only if it is ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from towpath.flow import names
from towpath_operator.cluster.api import AlreadyExistsError, Api, ConflictError, NotFoundError
from towpath_operator.cluster.observe import owner_uid
from towpath_operator.cluster.resources import (
    CONFIG_MAPS,
    DATASET_VERSIONS,
    DATASETS,
    JOBS,
    PIPELINE_RUNS,
    Resource,
)
from towpath_operator.cluster.store import Store

Json = dict[str, Any]


class NameTakenError(Exception):
    """An object of the name exists that is not ours: it is never adopted."""


async def create_job(client: Api, jobs: Store, job: Json) -> Json:
    """Create a Job, or adopt the one of its name that has the same owner and the same digest of its step."""
    stored = await _create(
        client, JOBS, job, lambda there: _same_owner(there, job) and _same_step(there, job)
    )
    jobs.put(stored)
    return stored


async def create_plan(client: Api, plan: Json) -> Json:
    """Create a plan's ConfigMap, or take the one of its name that this run owns: that one is the plan."""
    return await _create(client, CONFIG_MAPS, plan, lambda there: _same_owner(there, plan))


async def create_lists(client: Api, lists: Json) -> None:
    """Create a ConfigMap with lists of a sweep; its name holds their digest, so one that is there is the same."""
    await _create(client, CONFIG_MAPS, lists, lambda there: _same_owner(there, lists))


async def create_version(client: Api, versions: Store, version: Json) -> Json:
    """Create a DatasetVersion; one of its name with the same digest and producer is the same."""

    def is_same(there: Json) -> bool:
        ours, theirs = version["spec"], there["spec"]
        return bool(
            ours["inventory"]["digest"] == theirs["inventory"]["digest"]
            and ours.get("producedBy") == theirs.get("producedBy")
        )

    stored = await _create(client, DATASET_VERSIONS, version, is_same)
    versions.put(stored)
    return stored


async def create_dataset(client: Api, datasets: Store, dataset: Json) -> Json:
    """Create a Dataset, or read the one that is there: whoever was first, it is one series."""
    stored = await _create(client, DATASETS, dataset, lambda _: True)
    datasets.put(stored)
    return stored


async def delete_job(client: Api, namespace: str, name: str) -> None:
    """Delete a Job; its pods go in the background, with the grace that their template names."""
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    await _delete(client, JOBS, namespace, name, options)


async def delete_run(client: Api, namespace: str, name: str, uid: str) -> None:
    """Delete a run, unless another one has its name by now; what it owns is collected in the background."""
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": uid},
    }
    with suppress(ConflictError):
        await _delete(client, PIPELINE_RUNS, namespace, name, options)


async def delete_pod(client: Api, resource: Resource, pod: Json, grace_seconds: int) -> None:
    """End a pod with this grace, or its own if that is shorter, unless another pod has its name by now."""
    meta = pod["metadata"]
    grace_seconds = min(grace_seconds, pod["spec"].get("terminationGracePeriodSeconds", grace_seconds))
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": grace_seconds,
        "preconditions": {"uid": meta["uid"]},
    }
    await _delete(client, resource, meta["namespace"], meta["name"], options)


async def _delete(client: Api, resource: Resource, namespace: str, name: str, options: Json) -> None:
    try:
        await client.delete(resource.path(namespace, name), options)
    except NotFoundError:
        return


async def _create(client: Api, resource: Resource, body: Json, is_ours: Callable[[Json], bool]) -> Json:
    namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
    try:
        return await client.create(resource.path(namespace), body)
    except AlreadyExistsError:
        there = await client.get(resource.path(namespace, name))
    if is_ours(there):
        return there
    owner = owner_uid(there) or "nobody"
    raise NameTakenError(
        f"{resource.kind} {namespace}/{name} exists, owned by {owner}, and is not what this run would make; "
        f"delete it if it is not needed"
    )


def _same_owner(there: Json, ours: Json) -> bool:
    return owner_uid(there) == owner_uid(ours)


def _same_step(there: Json, ours: Json) -> bool:
    # Never the whole spec: another release renders another mover image, and queues and limits edit Jobs.
    key = names.STEP_DIGEST_ANNOTATION
    return bool(_annotation(there, key) == _annotation(ours, key))


def _annotation(item: Json, key: str) -> str | None:
    value: str | None = (item["metadata"].get("annotations") or {}).get(key)
    return value
