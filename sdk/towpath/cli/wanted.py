"""FILE or NAME on the command line → the run that is asked for, and the manifests that come with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from towpath.api.pipeline import Param
from towpath.backend import Backend, Kind, Manifest
from towpath.cli.nouns import PIPELINE, find
from towpath.errors import UserErrorException
from towpath.flow import names
from towpath.flow.params import param_texts
from towpath.flow.stalled import StalledError
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


def _pipeline_of(wanted: Wanted, backend: Backend) -> Manifest | None:
    """The pipeline that the run names, as it will be when the manifests are applied."""
    name = (wanted.run["spec"].get("pipelineRef") or {}).get("name")
    given = (
        one for one in wanted.manifests if one["kind"] == Kind.PIPELINE and one["metadata"]["name"] == name
    )
    return next(given, None) or (backend.get(Kind.PIPELINE, name) if name else None)


def check_params(wanted: Wanted, backend: Backend) -> Wanted:
    """The same, unless its values are such that the run would be refused: then nothing is sent."""
    run = wanted.run["spec"]
    spec = run.get("pipelineSpec") or (_pipeline_of(wanted, backend) or {}).get("spec")
    if spec is None:
        # The operator waits for a pipeline that is still to come.
        return wanted
    try:
        declared = [Param.model_validate(one) for one in spec.get("params") or ()]
        param_texts(declared, run.get("params") or {})
    except StalledError as error:
        raise UserErrorException(error.message) from error
    except ValidationError:
        # Of a pipeline that is none the API speaks.
        pass
    return wanted


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
