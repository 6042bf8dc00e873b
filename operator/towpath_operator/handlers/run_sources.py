"""Gathers what a run names, for `resolve`: from the stores, and the ConfigMaps of its code by one read each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun
from towpath.flow import names
from towpath.flow.code import CodeArchiveError, code_digest, code_of, params_read
from towpath.flow.mount_choice import MountMeans
from towpath.flow.observed import ObservedMover
from towpath.flow.planned import RunIdentity
from towpath.flow.recorded import ExportState
from towpath.flow.resolve import what_is_needed
from towpath.flow.sources import Known, Needed, Retried, Sources
from towpath_operator.cluster.cache import is_finished
from towpath_operator.cluster.config_maps import read_config_map
from towpath_operator.cluster.mount_means import read_mount_means
from towpath_operator.cluster.pod_templates import read_pod_templates
from towpath_operator.cluster.store import Store
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.look import observe_looks
from towpath_operator.handlers.run_plan import PlanLostError, load_plan

Json = dict[str, Any]

SURVEYS = (names.INVENTORY_COMPONENT, names.COUNT_COMPONENT)


async def gather(context: Context, item: Json) -> Sources:
    """All that `resolve` may ask about this run."""
    run = PipelineRun.model_validate(item)
    namespace, cache = run.metadata.namespace or "", context.cache
    pipeline = _pipeline_of(context, run, namespace)
    needed = what_is_needed(run, pipeline)
    datasets = [Dataset.model_validate(item) for item in _named(cache.datasets, namespace, needed.datasets)]
    versions = [
        DatasetVersion.model_validate(item)
        for item in cache.versions.all(namespace)
        if item["spec"]["dataset"] in needed.datasets
    ]
    datastores = [Datastore.model_validate(item) for item in cache.datastores.all(namespace)]
    code = await _code(context, namespace, needed.config_maps)
    return Sources(
        run=run,
        pipeline=pipeline,
        installation=context.installation,
        first_seen_at=_first_seen(context, run),
        datasets={dataset.metadata.name or "": dataset for dataset in datasets},
        versions={
            name: tuple(version for version in versions if version.spec.dataset == name)
            for name in needed.datasets
        },
        datastores={datastore.metadata.name or "": datastore for datastore in datastores},
        config_maps={name: code_digest(files) for name, files in code.items()},
        params_read={name: params_read(_texts(files)) for name, files in code.items()},
        pod_templates=await _pod_templates(context, namespace, needed.pod_templates),
        known=Known(
            pipelines=_names(cache.pipelines, namespace),
            datasets=_names(cache.datasets, namespace),
            datastores=_names(cache.datastores, namespace),
            # There may be ten thousand of them.
            runs=_names(cache.runs, namespace) if run.spec.retry_of else (),
        ),
        surveyors=surveyors(context, item),
        retried=await _retried(context, run, namespace),
        mount_means=await _mount_means(context, namespace, needed, datastores),
    )


def surveyors(context: Context, item: Json) -> tuple[ObservedMover, ...]:
    """The movers that find out what must be known before this run is planned."""
    return observe_looks(context, item, *SURVEYS)


def _first_seen(context: Context, run: PipelineRun) -> Any:
    # A record of an earlier process counts, or a restart would give the run all its patience again.
    uid = run.metadata.uid or ""
    return run.status.start_time or context.memory.first_seen.setdefault(uid, context.now())


def _pipeline_of(context: Context, run: PipelineRun, namespace: str) -> Pipeline | None:
    reference = run.spec.pipeline_ref
    item = context.cache.pipelines.get(namespace, reference.name) if reference else None
    return Pipeline.model_validate(item) if item else None


async def _retried(context: Context, run: PipelineRun, namespace: str) -> Retried | None:
    item = context.cache.runs.get(namespace, run.spec.retry_of.name) if run.spec.retry_of else None
    if item is None:
        return None
    identity = RunIdentity(item["metadata"]["name"], item["metadata"]["uid"], namespace)
    status = item.get("status") or {}
    if not is_finished(item) or "planDigest" not in status:
        words = f"it ended before it had a plan ({status.get('message', '')})"
        return Retried(identity, is_finished(item), lost=words)
    try:
        return Retried(identity, True, await load_plan(context, item), exported=_exported(status))
    except PlanLostError as error:
        return Retried(identity, True, lost=str(error))


def _exported(status: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (step["name"], output["name"])
        for step in status.get("steps", ())
        for output in step.get("outputs", ())
        if (output.get("export") or {}).get("state") == ExportState.EXPORTED
    )


def _named(store: Store, namespace: str, names: Iterable[str]) -> list[Json]:
    return [item for name in names if (item := store.get(namespace, name)) is not None]


def _names(store: Store, namespace: str) -> tuple[str, ...]:
    return tuple(sorted(item["metadata"]["name"] for item in store.all(namespace)))


async def _mount_means(
    context: Context, namespace: str, needed: Needed, datastores: Iterable[Datastore]
) -> MountMeans:
    installation = context.installation
    if not (needed.mounts and installation.can_mount):
        return MountMeans()
    return await read_mount_means(context.client, namespace, datastores, installation.sidecar_cache_bytes)


async def _pod_templates(context: Context, namespace: str, names: tuple[str, ...]) -> dict[str, Json]:
    return await read_pod_templates(context.client, namespace) if names else {}


async def _code(context: Context, namespace: str, names: Iterable[str]) -> dict[str, dict[str, bytes]]:
    found = {name: await read_config_map(context.client, namespace, name) for name in names}
    return {name: _unpacked(files) for name, files in found.items() if files is not None}


def _unpacked(files: dict[str, bytes]) -> dict[str, bytes]:
    try:
        return code_of(files)
    except CodeArchiveError:
        # stage-in, which meets it too, says what is wrong with it.
        return files


def _texts(files: Mapping[str, bytes]) -> list[str]:
    return [data.decode(errors="replace") for data in files.values()]
