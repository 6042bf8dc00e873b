"""FILE or NAME on the command line → the run that is asked for, and the manifests that come with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from towpath.backend import Backend, Kind, Manifest
from towpath.cli.nouns import PIPELINE, find
from towpath.errors import UserErrorException
from towpath.flow import names
from towpath.manifests import read_manifests


@dataclass(frozen=True)
class Wanted:
    """A run to be made; `manifests` are to be applied first: the pipeline of it, and what else stands in its file."""

    run: Manifest
    manifests: tuple[Manifest, ...] = ()


def wanted_run(backend: Backend, given: str, params: Mapping[str, str]) -> Wanted:
    """What FILE or NAME asks for; a file is what is called one (`./x`, `x.yaml`) or is there."""
    path = Path(given)
    if path.suffix in (".yaml", ".yml", ".json") or path.is_file() or "/" in given:
        return _from_file(path, params, backend.namespace)
    pipeline = find(backend, PIPELINE, given)
    return Wanted(_run(pipeline["metadata"]["name"], params, backend.namespace))


def _from_file(path: Path, params: Mapping[str, str], namespace: str) -> Wanted:
    manifests = read_manifests(path)
    runs = [one for one in manifests if one["kind"] == Kind.PIPELINE_RUN]
    pipelines = [one for one in manifests if one["kind"] == Kind.PIPELINE]
    others = tuple(one for one in manifests if one["kind"] != Kind.PIPELINE_RUN)
    if len(runs) > 1 or (not runs and len(pipelines) != 1):
        raise UserErrorException(
            f"{path} holds {len(pipelines)} Pipelines and {len(runs)} PipelineRuns: to run it, it must hold one "
            "PipelineRun, or one Pipeline."
        )
    if not runs:
        return Wanted(_run(pipelines[0]["metadata"]["name"], params, namespace), others)
    return Wanted(_with_params(runs[0], params, namespace), others)


def _run(pipeline: str, params: Mapping[str, str], namespace: str) -> Manifest:
    spec: dict[str, Any] = {"pipelineRef": {"name": pipeline}} | ({"params": dict(params)} if params else {})
    return {
        "apiVersion": names.API_VERSION,
        "kind": str(Kind.PIPELINE_RUN),
        "metadata": {"generateName": f"{pipeline}-", "namespace": namespace},
        "spec": spec,
    }


def _with_params(run: Manifest, params: Mapping[str, str], namespace: str) -> Manifest:
    spec = dict(run["spec"])
    if params:
        spec["params"] = {**(spec.get("params") or {}), **params}
    return {**run, "metadata": {**run["metadata"], "namespace": namespace}, "spec": spec}
