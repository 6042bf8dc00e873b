"""DatasetVersion: its appearance or deletion is its Dataset's business; there is nothing to do for itself."""

from __future__ import annotations

from towpath_operator.cluster.resources import DATASETS, Key
from towpath_operator.handlers.context import Context


async def reconcile(context: Context, key: Key) -> float | None:
    """One pass over a version: its Dataset looks at what is the latest now."""
    version = context.cache.versions.get(key.namespace, key.name)
    if version is not None:
        context.queue.add(Key(DATASETS.kind, key.namespace, version["spec"]["dataset"]))
    return None
