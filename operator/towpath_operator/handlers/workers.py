"""Workers take keys from the queue and make a pass on each; one that fails comes back after a growing pause."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from towpath_operator.cluster.api import ApiError, TryAgainError
from towpath_operator.cluster.queue import ClosedError
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context

log = logging.getLogger(__name__)

# A pass that asks for itself again at once, for ever, must leave the loop to others.
AT_LEAST_SECONDS = 0.02
# Gives the seconds after which to look again although nothing happened.
Pass = Callable[[Context, Key], Awaitable[float | None]]


async def work(context: Context, passes: Mapping[str, Pass], workers: int) -> None:
    """Make passes until the queue is closed and those under way have ended."""
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(_worker(context, passes))


async def _worker(context: Context, passes: Mapping[str, Pass]) -> None:
    while True:
        try:
            key = await context.queue.take()
        except ClosedError:
            return
        began = time.perf_counter()
        outcome = await _one_pass(context, passes[key.kind], key)
        context.metrics.pass_seconds.labels(key.kind).observe(time.perf_counter() - began)
        context.metrics.reconciles.labels(key.kind, outcome).inc()


async def _one_pass(context: Context, make_pass: Pass, key: Key) -> str:
    try:
        again = await make_pass(context, key)
    except TryAgainError as error:
        pause = context.queue.failed(key, error.retry_after or 0.0)
        log.warning("pass on %s %s/%s: %s; again in %.1f s", *key, error, pause)
        return "unreachable"
    except ApiError as error:
        pause = context.queue.failed(key, error.retry_after or 0.0)
        log.error("pass on %s %s/%s was refused: %s; again in %.1f s", *key, error, pause)
        return "refused"
    except Exception:
        # The one place that goes on after a bug: a single broken object must not stop all others.
        pause = context.queue.failed(key)
        log.exception("pass on %s %s/%s failed; again in %.1f s", *key, pause)
        return "failed"
    if again is not None:
        context.queue.add_after(key, max(again, AT_LEAST_SECONDS))
    context.queue.done(key)
    return "done"
