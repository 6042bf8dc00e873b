"""What a kubelet and the Job controller write into a status, from what became of containers and pods."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from towpath.flow import names
from towpath.flow.index_ranges import ranges_text
from towpath.local.objects import utc_text
from towpath_operator.cluster.resources import PODS

Json = dict[str, Any]


@dataclass
class Pods:
    """How the pods of a Job ended, by their places in it; one that has none is at None."""

    ended: dict[int | None, bool] = field(default_factory=dict)


def new_pod(job: Json, index: int | None, name: str) -> Json:
    """A pod of a Job, taken up by the machine at once."""
    template, now = job["spec"]["template"], utc_text()
    labels = dict(template["metadata"].get("labels") or {})
    if index is not None:
        labels[names.INDEX_LABEL] = str(index)
    owner = {"apiVersion": "batch/v1", "kind": "Job", "controller": True}
    owner |= {field: job["metadata"][field] for field in ("name", "uid")}
    return {
        "apiVersion": PODS.api_version,
        "kind": PODS.kind,
        "metadata": {
            "name": name,
            "namespace": job["metadata"]["namespace"],
            "uid": str(uuid.uuid4()),
            "labels": labels,
            "annotations": dict(template["metadata"].get("annotations") or {}),
            "creationTimestamp": now,
            "ownerReferences": [owner],
        },
        "spec": {
            "terminationGracePeriodSeconds": template["spec"].get("terminationGracePeriodSeconds", 30),
        },
        "status": {
            "phase": "Pending",
            "startTime": now,
            "initContainerStatuses": _waiting(template["spec"].get("initContainers") or ()),
            "containerStatuses": _waiting(template["spec"]["containers"]),
        },
    }


def with_container(pod: Json, told: Mapping[str, Any] | None) -> Json:
    """The pod after something became of one of its containers; None: nothing of it runs any more."""
    status = dict(pod["status"])
    if told is None:
        every = [*status["initContainerStatuses"], *status["containerStatuses"]]
        codes = [one["state"].get("terminated", {}).get("exitCode") for one in every]
        status["phase"] = "Succeeded" if all(code == 0 for code in codes) else "Failed"
        return pod | {"status": status}
    for side in ("initContainerStatuses", "containerStatuses"):
        status[side] = [
            one | {"state": _state(one, told)} if one["name"] == told["container"] else one
            for one in status[side]
        ]
    status["phase"] = "Pending" if told["state"] == "waiting" else "Running"
    return pod | {"status": status}


def ended_job(job: Json, pods: Pods) -> Json:
    """The status of a Job whose pods have all ended."""
    done = [index for index, well in pods.ended.items() if well]
    failed = [index for index, well in pods.ended.items() if not well]
    condition = {"type": "Complete", "status": "True", "reason": "CompletionsReached", "message": ""}
    if failed or not done:
        words = "Job has reached the specified backoff limit"
        condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": words}
    status: Json = {"conditions": [condition | {"lastTransitionTime": utc_text()}]}
    status |= {
        "startTime": job["metadata"]["creationTimestamp"],
        "succeeded": len(done),
        "failed": len(failed),
    }
    places = {"completedIndexes": done, "failedIndexes": failed}
    indexed = job["spec"].get("completionMode") == "Indexed"
    texts = {
        name: ranges_text(index for index in there if index is not None) for name, there in places.items()
    }
    return status | (texts if indexed else {})


def _waiting(containers: Any) -> list[Json]:
    return [{"name": one["name"], "state": {"waiting": {}}} for one in containers]


def _state(before: Mapping[str, Any], told: Mapping[str, Any]) -> Json:
    if told["state"] == "waiting":
        return {"waiting": {"reason": told["reason"], "message": told["message"]}}
    began = before["state"].get("running", {}).get("startedAt") or utc_text()
    if told["state"] == "running":
        return {"running": {"startedAt": began}}
    code = int(told["exitCode"])
    reason = told.get("reason") or ("Completed" if code == 0 else "Error")
    ended = {"exitCode": code, "reason": reason, "message": told.get("message") or ""}
    return {"terminated": ended | {"startedAt": began, "finishedAt": utc_text()}}
