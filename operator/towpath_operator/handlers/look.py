"""What looks at Datastores, Datasets and sources of runs share: their movers, who asked, the log of what came of it."""

from __future__ import annotations

import logging
from typing import Any

from towpath.flow.observed import ObservedMover
from towpath.flow.occurrences import Occurrence
from towpath_operator.cluster.observe import Told, is_being_set_up, observe_movers
from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.pod_warnings import look_for_warnings
from towpath_operator.handlers.run_observe import live_jobs

log = logging.getLogger("towpath.condition")


def observe_looks(context: Context, item: Json, *components: str) -> tuple[ObservedMover, ...]:
    """The Jobs that look, or have looked, at this object; what an Event said of a pod goes once the pod has begun."""
    told = Told(context.memory.refusals, context.memory.warnings)
    looks = observe_movers(item, components, context.cache.jobs, context.cache.pods, told)
    for look in looks:
        if look.pod is not None and not is_being_set_up(look.pod):
            context.memory.forget(look.pod.uid)
    return looks


async def warnings_of_looks(context: Context, item: Json, component: str) -> float | None:
    """Read the Events of movers that take too long to begin. Seconds after which to look again."""
    return await look_for_warnings(context, live_jobs(context, item, component))


def settle_asking(context: Context, key: Key, is_made: bool, check_after_seconds: float | None) -> None:
    """Forget that somebody asked, once a look was made or none is due."""
    if is_made or check_after_seconds is None:
        context.memory.asked.discard(key)


def report_ready(context: Context, item: Json, status: Json) -> None:
    """Tell of a condition Ready that changed its status or reason; people, only where it is True or False by now."""
    before, after = _ready(item.get("status") or {}), _ready(status)
    if (before.get("status"), before.get("reason")) == (after.get("status"), after.get("reason")):
        return
    if after.get("status") in ("True", "False"):
        told = Occurrence(str(after["reason"]), str(after.get("message") or ""), after["status"] == "False")
        context.events.tell(item, told)
    meta = item["metadata"]
    extra = {"kind": item.get("kind", ""), "name_of": meta["name"], "namespace": meta["namespace"]}
    extra |= {"ready": after.get("status"), "reason": after.get("reason"), "detail": after.get("message")}
    log.info("%s %s: %s", extra["kind"], meta["name"], after.get("reason"), extra=extra)


def _ready(status: Json) -> dict[str, Any]:
    found = (condition for condition in status.get("conditions") or () if condition["type"] == "Ready")
    return next(found, {})
