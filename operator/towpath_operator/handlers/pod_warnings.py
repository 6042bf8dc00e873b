"""Pods that a node does not get set up: their Events are read now and then, and remembered for the observation."""

from __future__ import annotations

from collections.abc import Iterable

from towpath_operator.cluster.observe import is_being_set_up, pod_of
from towpath_operator.cluster.pod_warnings import read_warning
from towpath_operator.handlers.context import Context, Json

# A pod that is well has its first container after two or three seconds.
PATIENCE_SECONDS = 8.0
READ_AGAIN_SECONDS = 15.0
# As long as nothing was said: on a busy node it may come late.
UNTIL_WARNED_SECONDS = 5.0
_FEW = 3


async def look_for_warnings(context: Context, jobs: Iterable[Json]) -> float | None:
    """Read the Events of pods that take too long. Seconds after which to look again, None where all is well."""
    again = None
    for job in jobs:
        pods = context.cache.pods.owned_by(job["metadata"]["uid"])
        # Of many shards that wait alike, a few speak for all.
        waiting = [pod for pod in pods if is_being_set_up(pod_of(pod))][:_FEW]
        for pod in waiting:
            waits = await _look(context, pod)
            again = waits if again is None else min(again, waits)
    return again


async def _look(context: Context, pod: Json) -> float:
    seen, now, memory = pod_of(pod), context.now(), context.memory
    waited = (now - (seen.started_at or seen.created_at)).total_seconds()
    if waited < PATIENCE_SECONDS:
        return PATIENCE_SECONDS - waited
    read, pause = memory.asked_at.get(seen.uid), _pause(context, seen.uid)
    if read is not None and (now - read).total_seconds() < pause:
        return pause
    memory.asked_at[seen.uid] = now
    warning = await read_warning(context.client, pod["metadata"]["namespace"], seen.uid)
    if warning is not None:
        memory.warnings[seen.uid] = warning
    return _pause(context, seen.uid)


def _pause(context: Context, uid: str) -> float:
    return READ_AGAIN_SECONDS if uid in context.memory.warnings else UNTIL_WARNED_SECONDS
