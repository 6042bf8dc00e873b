"""What is kept in memory of an object: all that a decision can rest on, of a Job or a Pod a tenth of it.

All of it is copied, so that nothing holds the pages of the list that it came in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

_META = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "ownerReferences",
    "creationTimestamp",
    "deletionTimestamp",
)
_POD_STATUS = (
    "phase",
    "startTime",
    "reason",
    "message",
    "conditions",
    "initContainerStatuses",
    "containerStatuses",
)
# Longer texts are mostly of one object alone.
_WORD = 20
_JOB_STATUS = (
    "conditions",
    "active",
    "failed",
    "succeeded",
    "startTime",
    "completionTime",
    "completedIndexes",
    "failedIndexes",
)


def slim_job(job: Json) -> Json:
    """A Job without its template: that is read again in the rare case that it is wanted."""
    spec = _kept(job.get("spec", {}), ("suspend",))
    status = _kept(job.get("status", {}), _JOB_STATUS)
    return _slim({"metadata": _metadata(job), "spec": spec, "status": status})


def slim_pod(pod: Json) -> Json:
    """A Pod, of whose spec nothing is left but the grace that it was given."""
    spec = _kept(pod.get("spec", {}), ("terminationGracePeriodSeconds",))
    status = _kept(pod.get("status", {}), _POD_STATUS)
    return _slim({"metadata": _metadata(pod), "spec": spec, "status": status})


def slim_ours(item: Json) -> Json:
    """An object of ours as it is, but for who set which field; of a run that has ended also without its steps' code."""
    slim = _slim(item | {"metadata": _without(item["metadata"], "managedFields")})
    if (item.get("status") or {}).get("completionTime"):
        slim["spec"] = _without(slim["spec"], "pipelineSpec")
    return slim


def _metadata(item: Json) -> Json:
    meta = item["metadata"]
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k.startswith("towpath.dev/")}
    return {**_kept(meta, _META), "annotations": annotations}


def _kept(part: Json, keys: Iterable[str]) -> Json:
    return {key: part[key] for key in keys if key in part}


def _slim(item: Json) -> Json:
    copy: Json = _compact(item)
    return copy


def _without(part: Json, name: str) -> Json:
    return {key: value for key, value in part.items() if key != name}


def _compact(value: Any) -> Any:
    """A copy in which equal words are one: ten thousand runs have the same keys, states and reasons."""
    if isinstance(value, dict):
        return {sys.intern(key): _compact(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_compact(member) for member in value]
    return sys.intern(value) if isinstance(value, str) and len(value) <= _WORD else value
