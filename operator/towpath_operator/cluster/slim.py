"""What is kept in memory of a Job or a Pod: a tenth of it, all that a decision can rest on."""

from __future__ import annotations

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
_JOB_STATUS = ("conditions", "active", "failed", "succeeded", "startTime", "completionTime")


def slim_job(job: Json) -> Json:
    """A Job without its template: that is read again in the rare case that it is wanted."""
    spec = _kept(job.get("spec", {}), ("suspend",))
    status = _kept(job.get("status", {}), _JOB_STATUS)
    return {"metadata": _metadata(job), "spec": spec, "status": status}


def slim_pod(pod: Json) -> Json:
    """A Pod, of whose spec nothing is left but the grace that it was given."""
    spec = _kept(pod.get("spec", {}), ("terminationGracePeriodSeconds",))
    return {"metadata": _metadata(pod), "spec": spec, "status": _kept(pod.get("status", {}), _POD_STATUS)}


def without_managed_fields(item: Json) -> Json:
    """An object of ours as it is, but for who set which field."""
    meta = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {**item, "metadata": meta}


def _metadata(item: Json) -> Json:
    meta = item["metadata"]
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k.startswith("towpath.dev/")}
    return {**_kept(meta, _META), "annotations": annotations}


def _kept(part: Json, keys: Iterable[str]) -> Json:
    return {key: part[key] for key in keys if key in part}
