"""Raw Jobs and Pods → what `decide` rests on. Reads the stores; everything else here is parsing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from towpath.api.step import MOST_SHARDS
from towpath.flow import misses, names
from towpath.flow.index_ranges import indexes_in
from towpath.flow.observed import ObservedAttempt, ObservedContainer, ObservedMover, ObservedPod
from towpath_operator.cluster.store import Store

Json = dict[str, Any]

_FAILED = ("Failed", "FailureTarget")
_COMPLETE = ("Complete", "SuccessCriteriaMet")


@dataclass(frozen=True)
class Told:
    """What is not in any Job or Pod: refusals of dry runs by Job UID, warnings of Events by pod UID."""

    refusals: Mapping[str, str]
    warnings: Mapping[str, str]


def observe_attempts(run: Json, jobs: Store, pods: Store, told: Told) -> tuple[ObservedAttempt, ...]:
    """The Jobs of a run's steps, with their pods."""
    uid = run["metadata"]["uid"]
    found = []
    for job in jobs.owned_by(uid):
        if job["metadata"]["labels"].get(names.COMPONENT_LABEL) == names.STEP_COMPONENT:
            found.append(_with_told(attempt_of(job, pods.owned_by(job["metadata"]["uid"])), told))
    return tuple(found)


def _with_told(attempt: ObservedAttempt, told: Told) -> ObservedAttempt:
    pod = attempt.pod
    if pod is None:
        pods = {
            index: replace(pod, warning=told.warnings.get(pod.uid)) for index, pod in attempt.pods.items()
        }
        return replace(attempt, refusal=told.refusals.get(attempt.job_uid), pods=pods)
    return replace(attempt, pod=_with_warning(pod, told))


def _with_warning(pod: ObservedPod | None, told: Told) -> ObservedPod | None:
    return replace(pod, warning=told.warnings.get(pod.uid)) if pod else None


def is_being_set_up(pod: ObservedPod) -> bool:
    """Whether a node has the pod and nothing of it has begun, without a container that says why."""
    silent = (None, "ContainerCreating", "PodInitializing")
    waiting = all(one.state == "waiting" and one.reason in silent for one in pod.containers.values())
    return pod.started_at is not None and waiting and pod.phase == "Pending" and not pod.deleting


def observe_movers(
    owner: Json, components: Collection[str], jobs: Store, pods: Store, told: Told
) -> tuple[ObservedMover, ...]:
    """The Jobs of these components that an object of ours owns, with their pods."""
    found = []
    for job in jobs.owned_by(owner["metadata"]["uid"]):
        if job["metadata"]["labels"].get(names.COMPONENT_LABEL) in components:
            pod = newest_pod(pods.owned_by(job["metadata"]["uid"]))
            mover = mover_of(job, pod, told.refusals.get(job["metadata"]["uid"]))
            found.append(replace(mover, pod=_with_warning(mover.pod, told)))
    return tuple(found)


def mover_of(job: Json, pod: Json | None, refusal: str | None = None) -> ObservedMover:
    """One Job of a single mover, and its pod."""
    meta = job["metadata"]
    failed = _condition(job, *_FAILED)
    seen = pod_of(pod) if pod else None
    # The Job's own condition comes a second or two after its container's end.
    is_over = (
        failed is not None or _condition(job, *_COMPLETE) is not None or (seen is not None and _is_over(seen))
    )
    return ObservedMover(
        job=meta["name"],
        ask=meta["annotations"].get(names.ASK_ANNOTATION, ""),
        created_at=moment(meta["creationTimestamp"]),
        pod=seen,
        failed_message=failed.get("message") if failed else None,
        has_ended=is_over,
        deleting="deletionTimestamp" in meta,
        refusal=refusal,
    )


def newest_pod(pods: list[Json]) -> Json | None:
    """The pod that counts: with `backoffLimit: 0` there is one, unless somebody meddled."""
    return max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)


def attempt_of(job: Json, pods: list[Json]) -> ObservedAttempt:
    """One Job of a step, and its pod, or those of its shards."""
    meta = job["metadata"]
    failed, complete = _condition(job, *_FAILED), _condition(job, *_COMPLETE)
    shards = shards_of(job)
    pod = None if shards else newest_pod([pod for pod in pods if _is_current(job, pod)])
    return ObservedAttempt(
        job=meta["name"],
        job_uid=meta["uid"],
        step=meta["annotations"].get(names.STEP_NAME_ANNOTATION, ""),
        attempt=int(meta["labels"].get(names.ATTEMPT_LABEL, "0")),
        step_digest=meta["annotations"].get(names.STEP_DIGEST_ANNOTATION, ""),
        owner_uid=owner_uid(job),
        created_at=moment(meta["creationTimestamp"]),
        pod=pod_of(pod) if pod else None,
        suspended=bool(job["spec"].get("suspend")),
        failed_reason=failed.get("reason") if failed else None,
        failed_message=failed.get("message") if failed else None,
        complete=complete is not None,
        deleting="deletionTimestamp" in meta,
        shards=shards,
        pods=_pods_of_shards(job, pods) if shards else {},
        ended=_ended_places(job) if shards else frozenset(),
        is_merge=names.MERGE_ANNOTATION in meta["annotations"],
        fingerprint=meta["annotations"].get(names.FINGERPRINT_ANNOTATION),
        miss=misses.read(meta["annotations"].get(names.REUSE_MISS_ANNOTATION)),
    )


def shards_of(job: Json) -> tuple[int, ...]:
    """The shards that a Job runs, in the order of their places in it; none where somebody changed what it says."""
    try:
        return indexes_in(job["metadata"]["annotations"].get(names.SHARDS_ANNOTATION, ""), MOST_SHARDS)
    except ValueError:
        return ()


def _is_current(job: Json, pod: Json) -> bool:
    # A Job that was suspended begins anew when it is resumed: a pod of before says nothing any more.
    return bool(pod["metadata"]["creationTimestamp"] >= job["status"].get("startTime", ""))


def _pods_of_shards(job: Json, pods: list[Json]) -> dict[int, ObservedPod]:
    by_place: dict[int, list[Json]] = {}
    for pod in pods:
        place = pod["metadata"].get("labels", {}).get(names.INDEX_LABEL, "")
        # One that succeeded is not run again when its Job is resumed.
        if place.isdecimal() and (_is_current(job, pod) or pod["status"].get("phase") == "Succeeded"):
            by_place.setdefault(int(place), []).append(pod)
    newest = {place: newest_pod(there) for place, there in sorted(by_place.items())}
    return {place: pod_of(pod) for place, pod in newest.items() if pod is not None}


def _ended_places(job: Json) -> frozenset[int]:
    ended: set[int] = set()
    for field in ("completedIndexes", "failedIndexes"):
        ended.update(indexes_in(job["status"].get(field) or "", MOST_SHARDS))
    return frozenset(ended)


def pod_of(pod: Json) -> ObservedPod:
    """One pod, init containers among the others."""
    meta, status = pod["metadata"], pod["status"]
    scheduled = _condition(pod, "PodScheduled", holds="False")
    disrupted = _condition(pod, "DisruptionTarget")
    unschedulable = scheduled is not None and scheduled.get("reason") == "Unschedulable"
    return ObservedPod(
        name=meta["name"],
        uid=meta["uid"],
        created_at=moment(meta["creationTimestamp"]),
        phase=status.get("phase", "Pending"),
        containers={c["name"]: container_of(c) for c in _container_statuses(status)},
        unschedulable=scheduled.get("message", "") if scheduled and unschedulable else None,
        disruption=disrupted.get("reason") if disrupted else None,
        reason=status.get("reason"),
        message=status.get("message"),
        deleting="deletionTimestamp" in meta,
        started_at=_moment_or_none(status.get("startTime")),
    )


def container_of(status: Json) -> ObservedContainer:
    """One container's state; a container that was never reported on is waiting."""
    state, told = next(iter((status.get("state") or {"waiting": {}}).items()))
    return ObservedContainer(
        name=status["name"],
        state=state,
        reason=told.get("reason"),
        message=told.get("message"),
        exit_code=told.get("exitCode"),
        started_at=_moment_or_none(told.get("startedAt")),
        finished_at=_moment_or_none(told.get("finishedAt")),
        image_id=status.get("imageID") or None,
    )


def owner_uid(item: Json) -> str:
    """The UID of an object's controller, or an empty text."""
    owners = item["metadata"].get("ownerReferences") or ()
    return next((owner["uid"] for owner in owners if owner.get("controller")), "")


def moment(text: str) -> datetime:
    """A moment as Kubernetes writes it, with or without microseconds."""
    return datetime.fromisoformat(text)


def _is_over(pod: ObservedPod) -> bool:
    return bool(pod.containers) and all(one.state == "terminated" for one in pod.containers.values())


def _moment_or_none(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _container_statuses(status: Json) -> list[Json]:
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def _condition(item: Json, *types: str, holds: str = "True") -> Json | None:
    conditions = item["status"].get("conditions") or ()
    return next((c for c in conditions if c["type"] in types and c["status"] == holds), None)
