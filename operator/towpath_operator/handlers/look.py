"""What looks at Datastores and Datasets share: who asked for one, and the log line of a condition that changed."""

from __future__ import annotations

import logging
from typing import Any

from towpath_operator.cluster.resources import Key
from towpath_operator.handlers.context import Context, Json

log = logging.getLogger("towpath.condition")


def settle_asking(context: Context, key: Key, is_made: bool, check_after_seconds: float | None) -> None:
    """Forget that somebody asked, once a look was made or none is due."""
    if is_made or check_after_seconds is None:
        context.memory.asked.discard(key)


def report_ready(item: Json, status: Json) -> None:
    """Tell of a condition Ready that changed its status or reason."""
    before, after = _ready(item.get("status") or {}), _ready(status)
    if (before.get("status"), before.get("reason")) == (after.get("status"), after.get("reason")):
        return
    meta = item["metadata"]
    extra = {"kind": item.get("kind", ""), "name_of": meta["name"], "namespace": meta["namespace"]}
    extra |= {"ready": after.get("status"), "reason": after.get("reason"), "detail": after.get("message")}
    log.info("%s %s: %s", extra["kind"], meta["name"], after.get("reason"), extra=extra)


def _ready(status: Json) -> dict[str, Any]:
    found = (condition for condition in status.get("conditions") or () if condition["type"] == "Ready")
    return next(found, {})
