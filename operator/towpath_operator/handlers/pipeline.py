"""Pipeline: says at once whether its steps and references fit together, before anybody runs it."""

from __future__ import annotations

from towpath.api.pipeline import Pipeline
from towpath.flow.pipeline_flow import decide_pipeline
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.look import report_ready


async def reconcile(context: Context, key: Key) -> float | None:
    """One pass over a pipeline."""
    item = context.cache.pipelines.get(key.namespace, key.name)
    if item is None or "deletionTimestamp" in item["metadata"]:
        return None
    status = decide_pipeline(Pipeline.model_validate(item), context.now())
    if status is None:
        return None
    if await context.writer.write(context.cache.pipelines, item, status) is None:
        return 0.0
    report_ready(context, item, status)
    return None
