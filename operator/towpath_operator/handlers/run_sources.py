"""Gathers what a run names, for `resolve`: from the stores, and the ConfigMaps of its code by one read each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun
from towpath.flow import names
from towpath.flow.code import code_digest
from towpath.flow.observed import ObservedMover
from towpath.flow.resolve import what_is_needed
from towpath.flow.sources import Known, Sources
from towpath_operator.cluster.config_maps import read_config_map
from towpath_operator.cluster.pod_templates import read_pod_templates
from towpath_operator.cluster.store import Store
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.look import observe_looks

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
        config_maps=await _config_map_digests(context, namespace, needed.config_maps),
        pod_templates=await _pod_templates(context, namespace, needed.pod_templates),
        known=Known(
            *(_names(store, namespace) for store in (cache.pipelines, cache.datasets, cache.datastores))
        ),
        surveyors=surveyors(context, item),
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


def _named(store: Store, namespace: str, names: Iterable[str]) -> list[Json]:
    return [item for name in names if (item := store.get(namespace, name)) is not None]


def _names(store: Store, namespace: str) -> tuple[str, ...]:
    return tuple(sorted(item["metadata"]["name"] for item in store.all(namespace)))


async def _pod_templates(context: Context, namespace: str, names: tuple[str, ...]) -> dict[str, Json]:
    return await read_pod_templates(context.client, namespace) if names else {}


async def _config_map_digests(context: Context, namespace: str, names: Iterable[str]) -> dict[str, str]:
    found = {name: await read_config_map(context.client, namespace, name) for name in names}
    return {name: code_digest(files) for name, files in found.items() if files is not None}
