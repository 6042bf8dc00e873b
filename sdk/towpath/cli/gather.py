"""A workspace, and manifests that are not in it yet → all that `resolve` asks about a run that nobody has made yet."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun
from towpath.backend import Backend, Kind, Manifest
from towpath.flow import names
from towpath.flow.code import code_digest, params_read
from towpath.flow.mount_choice import MountMeans
from towpath.flow.resolve import what_is_needed
from towpath.flow.sources import Installation, Known, Sources


@dataclass
class Workspace:
    """What a namespace holds, with manifests over it that would be applied first."""

    backend: Backend
    over: Iterable[Manifest] = ()
    _listed: dict[Kind, list[Manifest]] = field(default_factory=dict)

    def all(self, kind: Kind) -> list[Manifest]:
        """The objects of a kind, by name; one that would be applied stands in the place of what is there."""
        if kind not in self._listed:
            there = {one["metadata"]["name"]: one for one in self.backend.list_objects(kind)}
            for one in self.over:
                name = one["metadata"].get("name")
                if one["kind"] == kind and name:
                    there[name] = _applied(there.get(name), one)
            self._listed[kind] = [there[name] for name in sorted(there)]
        return self._listed[kind]

    def one(self, kind: Kind, name: str) -> Manifest | None:
        """The object of this name, if there is or would be one."""
        return next((one for one in self.all(kind) if one["metadata"]["name"] == name), None)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The names of a kind's objects."""
        return tuple(one["metadata"]["name"] for one in self.all(kind))


def gather(workspace: Workspace, run: PipelineRun, installation: Installation, now: datetime) -> Sources:
    """Everything that the run names, as far as it is there."""
    pipeline = _pipeline(workspace, run)
    needed = what_is_needed(run, pipeline)
    datasets = {name: workspace.one(Kind.DATASET, name) for name in needed.datasets}
    versions = [DatasetVersion.model_validate(one) for one in workspace.all(Kind.DATASET_VERSION)]
    files = {name: _files(workspace, name) for name in needed.config_maps}
    code = {name: found for name, found in files.items() if found is not None}
    targets = workspace.all(Kind.POD_TEMPLATE) if needed.pod_templates else []
    return Sources(
        run=run,
        pipeline=pipeline,
        installation=installation,
        first_seen_at=now,
        datasets={name: Dataset.model_validate(one) for name, one in datasets.items() if one is not None},
        versions={
            name: tuple(one for one in versions if one.spec.dataset == name) for name in needed.datasets
        },
        datastores={
            one["metadata"]["name"]: Datastore.model_validate(one) for one in workspace.all(Kind.DATASTORE)
        },
        config_maps={name: code_digest(found) for name, found in code.items()},
        params_read={name: params_read(_texts(found)) for name, found in code.items()},
        pod_templates={one["metadata"]["name"]: one for one in targets},
        known=Known(
            pipelines=workspace.names(Kind.PIPELINE),
            datasets=workspace.names(Kind.DATASET),
            datastores=workspace.names(Kind.DATASTORE),
        ),
        # What a cluster has to mount with nobody tells a laptop: the first way is taken to be there.
        mount_means=MountMeans(sidecar_cache_bytes=0),
    )


def _applied(before: Manifest | None, manifest: Manifest) -> Manifest:
    """The object after the manifest was applied: what was said of another spec is not said of this one."""
    if before is None:
        return manifest
    same = before.get("spec") == manifest.get("spec")
    status = {"status": before["status"]} if "status" in before else {}
    generation = before["metadata"].get("generation") or 1
    meta = {**before["metadata"], "generation": generation if same else generation + 1}
    return {**manifest, "metadata": meta, **status}


def _pipeline(workspace: Workspace, run: PipelineRun) -> Pipeline | None:
    reference = run.spec.pipeline_ref
    found = workspace.one(Kind.PIPELINE, names.object_name(reference.name)) if reference else None
    return Pipeline.model_validate(found) if found else None


def _files(workspace: Workspace, name: str) -> dict[str, bytes] | None:
    config_map = next(
        (
            one
            for one in workspace.over
            if one["kind"] == Kind.CONFIG_MAP and one["metadata"].get("name") == name
        ),
        None,
    ) or workspace.backend.get(Kind.CONFIG_MAP, name)
    if config_map is None:
        return None
    texts: Mapping[str, Any] = config_map.get("data") or {}
    binaries: Mapping[str, Any] = config_map.get("binaryData") or {}
    return {key: text.encode() for key, text in texts.items()} | {
        key: base64.b64decode(text) for key, text in binaries.items()
    }


def _texts(files: Mapping[str, bytes]) -> list[str]:
    return [data.decode(errors="replace") for data in files.values()]
