"""Jobs that are refused, and Jobs without a pod: in whose words is remembered, for whoever decides next."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from towpath.flow import names
from towpath_operator.cluster import apply
from towpath_operator.cluster.admission import ask_admission
from towpath_operator.cluster.api import ApiError, TryAgainError
from towpath_operator.cluster.observe import owner_uid
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context, Json

log = logging.getLogger("towpath.admission")

ASK_AGAIN_SECONDS = 15.0


async def create_mover(context: Context, job: Json) -> float | None:
    """Create the Job of a mover, or remember why it is refused. Seconds after which to try again, if it was."""
    refused = context.memory.refused_movers.setdefault(owner_uid(job), {})
    return await create(context, job, refused, job["metadata"]["annotations"][names.ASK_ANNOTATION])


async def create(context: Context, job: Json, refused: dict[str, str], key: str) -> float | None:
    """Create a Job; a quota on Jobs or an admission policy that refuses it is quoted in `refused`, by this key."""
    try:
        await apply.create_job(context.client, context.cache.jobs, job)
    except TryAgainError:
        raise
    except ApiError as error:
        is_news = refused.get(key) != error.message
        refused[key] = error.message
        if is_news:
            meta = job["metadata"]
            extra = {"namespace": meta["namespace"], "job": meta["name"], "detail": error.message}
            log.warning("Job %s is refused: %s", meta["name"], error.message, extra=extra)
        return 0.0 if is_news else ASK_AGAIN_SECONDS
    refused.pop(key, None)
    return None


def refused_movers(context: Context, owner: Json) -> dict[str, str]:
    """The words that refused Jobs of movers which this object was to own, by what they ask."""
    return dict(context.memory.refused_movers.get(owner["metadata"]["uid"], {}))


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
