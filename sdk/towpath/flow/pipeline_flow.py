"""A Pipeline → its condition: whether its steps and references fit together, before anybody runs it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from towpath.api.pipeline import Pipeline
from towpath.flow import checks, support
from towpath.flow.conditions import condition
from towpath.flow.ready_reasons import PipelineReason
from towpath.flow.stalled import StalledError
from towpath.flow.views import surely_empty


def decide_pipeline(pipeline: Pipeline, now: datetime) -> dict[str, Any] | None:
    """The status to write, or None if it stands as it is."""
    before = [one.as_dict() for one in pipeline.status.conditions]
    generation = pipeline.metadata.generation or 0
    status, reason, message = _said(pipeline)
    ready = condition(before, "Ready", status, (reason, message), now) | {"observedGeneration": generation}
    after = {"observedGeneration": generation, "conditions": [ready], "stepsTotal": len(pipeline.spec.steps)}
    return None if after == pipeline.status.as_dict() else after


def _said(pipeline: Pipeline) -> tuple[str, PipelineReason, str]:
    refusal = support.refusal(pipeline.spec)
    if refusal is not None:
        return "False", PipelineReason.NOT_SUPPORTED_YET, refusal
    try:
        order = checks.check_pipeline(pipeline.spec)
    except StalledError as error:
        return "False", PipelineReason.INVALID_PIPELINE, error.message
    words = f"{len(order)} steps fit together" if len(order) > 1 else "its step fits together"
    empty = [name for step in pipeline.spec.steps for name in surely_empty(step)]
    if empty:
        words += f"; but transforms of {'; '.join(empty)} select nothing, whatever the data are: say allowEmpty: true"
    return "True", PipelineReason.READY, words
