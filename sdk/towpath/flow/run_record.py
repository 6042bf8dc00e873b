"""A finished run → its record: what stays to be read when the object is gone (docs/reference/sweep.md)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from typing import Any

from towpath.flow import names, store_keys
from towpath.flow.documents import UnreadablePlanError, canonical
from towpath.flow.lineage import lineage
from towpath.flow.restore import restore
from towpath.flow.sweep_references import folder_of

Json = Mapping[str, Any]
Document = dict[str, Any]

# Of a ConfigMap, which brings it to the sweep; Kubernetes ends at 1 MiB.
LIMIT_BYTES = 960 * 1024
# What of the object is worth reading later: nothing that the API server or kubectl wrote for themselves.
_METADATA = ("name", "namespace", "uid", "creationTimestamp", "labels")


def record_of(run: Json, plan: Mapping[str, Document], versions: Mapping[str, str]) -> Document:
    """The record of a run; `plan` holds its plan's documents, `versions` where the versions that exist lie, by name."""
    status = run["status"]
    document: Document = {
        "folder": folder_of(run),
        "run": {key: run["metadata"][key] for key in _METADATA if key in run["metadata"]},
        "spec": run["spec"],
        "status": status,
        "plan": dict(plan),
        "lineage": _lineage(plan, status),
        "registered": sorted(set(_registered(run, versions))),
    }
    return _fitting(document)


def _lineage(plan: Mapping[str, Document], status: Json) -> list[Document]:
    try:
        return lineage(restore(plan), status) if plan else []
    except UnreadablePlanError:
        return []


def _registered(run: Json, versions: Mapping[str, str]) -> Iterator[str]:
    """The run's own attempts that became versions; one that is gone by now may have been one."""
    namespace = run["metadata"]["namespace"]
    for step in run["status"].get("steps") or ():
        for output in step.get("outputs") or ():
            attempt = store_keys.attempt_at(namespace, output["inventory"])
            if attempt is None or "version" not in output:
                continue
            dataset = attempt.split("/")[2]
            known = versions.get(names.version_name(dataset, output["version"]))
            # Content that a version had already was registered as that version, and lies here once more.
            if known in (None, output["inventory"]):
                yield attempt


def _fitting(document: Document) -> Document:
    if len(gzip.compress(canonical(document))) <= LIMIT_BYTES:
        return document
    steps = [
        {key: value for key, value in step.items() if key != "logTail"}
        for step in document["status"].get("steps") or ()
    ]
    document = {**document, "status": {**document["status"], "steps": steps}, "leftOut": "log tails"}
    if len(gzip.compress(canonical(document))) <= LIMIT_BYTES:
        return document
    return {**document, "plan": {}, "leftOut": "log tails, plan"}
