"""A finished run that is past its retention: recorded by a sweep and deleted then, or deleted at once."""

from __future__ import annotations

import logging

from towpath.flow import names
from towpath.flow.retention import Go, RecordFirst, decide_retention
from towpath_operator.cluster import apply
from towpath_operator.cluster.resources import DATASTORES, Key
from towpath_operator.handlers.context import Context, Json

log = logging.getLogger("towpath.run")


async def retain(context: Context, run: Json) -> float | None:
    """Let a finished run go if its time has come. Seconds after which to look again."""
    meta = run["metadata"]
    if "deletionTimestamp" in meta:
        return None
    place = context.cache.datastores.get(meta["namespace"], names.DEFAULT_DATASTORE)
    decision = decide_retention(run, place, context.now())
    if isinstance(decision, Go):
        extra = {"run": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
        log.info(
            "run %s: past its retention, and no Datastore takes a record: deleted", meta["name"], extra=extra
        )
        await apply.delete_run(context.client, meta["namespace"], meta["name"], meta["uid"])
        return None
    if isinstance(decision, RecordFirst):
        context.queue.add(Key(DATASTORES.kind, meta["namespace"], names.DEFAULT_DATASTORE))
    return decision.check_after_seconds
