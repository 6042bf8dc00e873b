"""A pipeline → a run of it in its workspace: its code is placed first, then the PipelineRun is created."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from towpath.backend import Backend, Kind
from towpath.code_snapshots import CodeSnapshot
from towpath.errors import AlreadyExistsError, DefinitionError
from towpath.experiment import checked_name
from towpath.flow import names
from towpath.runs import PipelineRun

if TYPE_CHECKING:
    from towpath.pipeline import Pipeline

_LONGEST_PREFIX = 40


def submit(
    pipeline: Pipeline, experiment: str, spec: Mapping[str, Any], tags: Mapping[str, str] | None
) -> PipelineRun:
    """Create a run; `experiment` becomes a label of it, `tags` annotations."""
    checked_name(experiment)
    if pipeline.workspace is None:
        raise DefinitionError("The pipeline has no workspace: Pipeline(workspace, steps).")
    emitted = pipeline.emitted()
    backend = pipeline.workspace.backend
    for code in emitted.code:
        _place(backend, code)
    pipeline_spec: Mapping[str, Any] = emitted.spec
    if pipeline.workspace.is_local:
        import_module("towpath.local.running").make_targets(backend, {"spec": {"pipelineSpec": emitted.spec}})
    else:
        pipeline_spec = import_module("towpath.pinned_images").pinned(emitted.spec, _say)
    made = backend.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": str(Kind.PIPELINE_RUN),
            "metadata": _metadata(experiment, tags),
            "spec": {"pipelineSpec": dict(pipeline_spec), **spec},
        }
    )
    run = str(made["metadata"]["name"])
    pipeline.mark_submitted(run)
    return PipelineRun(backend, run)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _metadata(experiment: str, tags: Mapping[str, str] | None) -> dict[str, Any]:
    prefix = names.object_name(experiment)[:_LONGEST_PREFIX].strip("-")
    annotations = {f"{names.TAG_PREFIX}{key}": str(value) for key, value in (tags or {}).items()}
    return {
        "generateName": f"{prefix or 'run'}-",
        "labels": {names.EXPERIMENT_LABEL: names.label_value(experiment)},
        **({"annotations": annotations} if annotations else {}),
    }


def _place(backend: Backend, code: CodeSnapshot) -> None:
    """Put code where its steps find it; what is there under its digest is it."""
    try:
        backend.create(code.config_map)
    except AlreadyExistsError:
        return
