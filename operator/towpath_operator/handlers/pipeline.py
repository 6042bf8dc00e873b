"""Pipeline: says at once whether its steps and references fit together, before anybody runs it."""

from __future__ import annotations

from towpath.api.pipeline import Pipeline
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context


async def reconcile(context: Context, key: Key) -> float | None:
    """One pass over a pipeline."""
    item = context.cache.pipelines.get(key.namespace, key.name)
    if item is None:
        return None
    Pipeline.model_validate(item)
    return None
