"""Before a run is created, the sources of its datasets are looked at: who has just changed a file means it as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from towpath.backend import Backend, Kind
from towpath.flow import names
from towpath.flow.ready_reasons import DatasetReason
from towpath.local.support import pipeline_spec_of

# A look at a folder takes half a second, on a machine that is not too busy. Where a datastore cannot be used there is
# none, which the run itself waits for and tells of.
_PATIENCE_SECONDS = 120.0
_PATIENCE_WITH_DATASTORES_SECONDS = 5.0
_LOOK_SECONDS = 0.03


def look_at_inputs(backend: Backend, run: Mapping[str, Any], wake: Callable[[], None]) -> None:
    """Have the datasets that a run names listed anew, and wait until they are."""
    asked = datetime.now(UTC).isoformat()
    wanted = set(_datasets_of(backend, run))
    for name in wanted:
        meta = {"metadata": {"annotations": {names.REQUESTED_AT_ANNOTATION: asked}}}
        backend.patch(Kind.DATASET, name, meta)
    began = time.monotonic()
    while not all(_is_looked_at(backend, name, asked, time.monotonic() - began) for name in wanted):
        wake()
        time.sleep(_LOOK_SECONDS)


def _datasets_of(backend: Backend, run: Mapping[str, Any]) -> Iterator[str]:
    for step in pipeline_spec_of(run, backend).get("steps") or ():
        for given in step.get("inputs") or ():
            name = (given.get("dataset") or {}).get("name") or given["name"]
            if "from" in given or "source" in given or "$(" in name:
                continue
            there = backend.get(Kind.DATASET, names.object_name(name))
            if there is not None and there["spec"].get("sources"):
                yield str(there["metadata"]["name"])


def _is_looked_at(backend: Backend, name: str, asked: str, waited: float) -> bool:
    there = backend.get(Kind.DATASET, name)
    if there is None:
        return True
    status = there.get("status") or {}
    if status.get("requestedAt") == asked or waited > _PATIENCE_SECONDS:
        return True
    reasons = {one["reason"] for one in status.get("conditions") or () if one["type"] == "Ready"}
    is_barred = DatasetReason.DATASTORE_NOT_READY in reasons
    return is_barred and waited > _PATIENCE_WITH_DATASTORES_SECONDS
