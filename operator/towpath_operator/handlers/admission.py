"""Jobs without a pod: what admission says of it is asked now and then, and remembered for the next observation."""

from __future__ import annotations

from collections.abc import Iterable

from towpath_operator.cluster.admission import ask_admission
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context

ASK_AGAIN_SECONDS = 15.0


async def ask_about(context: Context, owner: Key, jobs: Iterable[str]) -> float | None:
    """Ask about each of these Jobs that was not asked about lately. Seconds after which to ask again."""
    again = None
    for name in jobs:
        job = context.cache.jobs.get(owner.namespace, name)
        if job is not None:
            await _ask(context, owner, job["metadata"]["uid"], name)
            again = ASK_AGAIN_SECONDS
    return again


async def _ask(context: Context, owner: Key, uid: str, job: str) -> None:
    memory, now = context.memory, context.now()
    asked = memory.asked_at.get(uid)
    if asked is not None and (now - asked).total_seconds() < ASK_AGAIN_SECONDS:
        return
    memory.asked_at[uid] = now
    refusal = await ask_admission(context.client, owner.namespace, job)
    if refusal == memory.refusals.get(uid):
        return
    if refusal is None:
        memory.refusals.pop(uid, None)
    else:
        memory.refusals[uid] = refusal
    context.queue.add(owner)
