"""Ending what a run still has going: its pods with a short grace, since nothing of them is accepted any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from towpath_operator.cluster import apply
from towpath_operator.cluster.resources import PODS
from towpath_operator.handlers.context import Context, Json

# A step may have thousands of shards.
_AT_ONCE = 32


async def stop_job(context: Context, namespace: str, name: str) -> None:
    """End a Job and its pods."""
    job = context.cache.jobs.get(namespace, name)
    if job is not None:
        await stop_pods(context, context.cache.pods.owned_by(job["metadata"]["uid"]))
    await apply.delete_job(context.client, namespace, name)


async def stop_pods(context: Context, pods: Iterable[Json]) -> None:
    """End those of these pods that have not ended by themselves: many at once, for all have the same grace."""
    alive = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
    grace = context.limits.cancel_grace_seconds
    for first in range(0, len(alive), _AT_ONCE):
        some = alive[first : first + _AT_ONCE]
        await asyncio.gather(*(apply.delete_pod(context.client, PODS, pod, grace) for pod in some))
