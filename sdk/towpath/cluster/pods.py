"""The pods of a run's steps, as much of them as is needed to read their logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from towpath.backend import Container, Manifest
from towpath.flow import names


class LogSource(NamedTuple):
    """One container of one attempt. `has_begun` and `has_ended` as the kubelet last said."""

    pod: str
    step: str
    attempt: int
    container: Container
    has_begun: bool
    has_ended: bool


def selector_of(run: Manifest) -> str:
    """The labels by which the pods of a run's steps are found."""
    uid = run["metadata"]["uid"]
    return f"{names.RUN_UID_LABEL}={uid},{names.COMPONENT_LABEL}={names.STEP_COMPONENT}"


def log_sources(pods: list[Manifest], step: str | None, container: Container | None) -> list[LogSource]:
    """The containers that are asked for, by step, attempt and pod, in the order in which they run."""
    found = [source for pod in sorted(pods, key=_place) for source in _sources(pod)]
    return [
        source for source in found if step in (None, source.step) and container in (None, source.container)
    ]


def _sources(pod: Manifest) -> Iterator[LogSource]:
    status = pod.get("status") or {}
    told = (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])
    states = {each["name"]: each.get("state") or {} for each in told}
    is_over = status.get("phase") in ("Succeeded", "Failed")
    spec = pod["spec"]
    there = {each["name"] for each in (spec.get("initContainers") or []) + spec["containers"]}
    for container in Container:
        if container in there:
            state = states.get(container, {})
            begun, ended = "running" in state or "terminated" in state, is_over or "terminated" in state
            yield LogSource(pod["metadata"]["name"], *_attempt(pod), container, begun, ended)


def _attempt(pod: Manifest) -> tuple[str, int]:
    meta = pod["metadata"]
    labels = meta.get("labels") or {}
    given = (meta.get("annotations") or {}).get(names.STEP_NAME_ANNOTATION)
    return given or labels.get(names.STEP_LABEL, "?"), int(labels.get(names.ATTEMPT_LABEL, 0))


def _place(pod: Manifest) -> tuple[str, int, str, str]:
    # By time first, steps would come in the order in which they ran; retries and shards by their number.
    meta = pod["metadata"]
    step, attempt = _attempt(pod)
    return str(meta.get("creationTimestamp", "")), attempt, step, str(meta["name"])
