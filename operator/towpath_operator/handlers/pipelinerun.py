"""PipelineRun: planned once, then moved forward until it ends; what is finished is left alone."""

from __future__ import annotations

from towpath.flow.restored_status import read_status
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.run_observe import live_jobs_of_run, orphaned_pods
from towpath_operator.handlers.run_progress import Seen, progress
from towpath_operator.handlers.run_retention import retain
from towpath_operator.handlers.run_start import start
from towpath_operator.handlers.run_stop import stop_pods


async def reconcile(context: Context, key: Key) -> float | None:
    """One pass over a run."""
    run = context.cache.runs.get(key.namespace, key.name)
    if run is None:
        await _gone(context, key)
        return None
    if (run.get("status") or {}).get("completionTime") and not live_jobs_of_run(context, run):
        context.memory.forget_run(run["metadata"]["uid"])
        return await retain(context, run)
    recorded = read_status(run.get("status") or {})
    if recorded is None:
        return await start(context, run)
    return await progress(context, Seen(run, recorded))


async def _gone(context: Context, key: Key) -> None:
    """Garbage collection takes the Jobs of a run that was deleted; only the grace of its pods is ours to shorten."""
    await stop_pods(context, orphaned_pods(context, key))
    context.writer.forget(key)
    context.memory.keep_runs([item["metadata"]["uid"] for item in context.cache.runs.all()])
