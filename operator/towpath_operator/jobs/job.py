"""What all our Jobs share: one pod, one try, an owner, a time to live after the end. Retries are the operator's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from towpath.flow import names
from towpath.flow.planned import RunIdentity
from towpath_operator.jobs.settings import PodSettings

Object = dict[str, Any]

# A pod that moves data is not worth moving: it would begin again elsewhere.
_STAYS = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}


@dataclass(frozen=True)
class Owner:
    """The object of ours that a Job belongs to, and goes with."""

    kind: str
    name: str
    uid: str
    namespace: str


def owner_of(run: RunIdentity) -> Owner:
    """What all children of a run belong to."""
    return Owner("PipelineRun", run.name, run.uid, run.namespace)


@dataclass(frozen=True)
class JobIdentity:
    """How a Job is found: its name, and what Job and pod are marked with; `own_annotations` are the Job's alone."""

    name: str
    owner: Owner
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    queue_name: str | None = None
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    pod_annotations: Mapping[str, str] = field(default_factory=dict)
    own_annotations: Mapping[str, str] = field(default_factory=dict)


def mover_of_run(name: str, component: str, ask: str, run: Owner) -> JobIdentity:
    """How a Job of a run is found that is no attempt of a step; `ask` tells it from the others of its component."""
    labels = names.survey_labels(component, run.name, run.uid)
    return JobIdentity(name, run, labels, {names.ASK_ANNOTATION: ask})


@dataclass(frozen=True)
class Places:
    """A pod for each of so many places, so many at once: one that fails leaves the others alone."""

    count: int
    at_once: int


def owner_references(owner: Owner) -> list[Object]:
    """The one controller of an object; garbage collection takes the object when its owner is gone."""
    return [
        {
            "apiVersion": names.API_VERSION,
            "kind": owner.kind,
            "name": owner.name,
            "uid": owner.uid,
            "controller": True,
        }
    ]


def job(
    identity: JobIdentity,
    pod: Object,
    failure_rules: Sequence[Object],
    settings: PodSettings,
    places: Places | None = None,
) -> Object:
    """The Job of one attempt. Its rules classify a failure; none of them makes it try again."""
    metadata = {"labels": dict(identity.labels), "annotations": dict(identity.annotations)}
    queued = {names.QUEUE_LABEL: identity.queue_name} if identity.queue_name else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": identity.name,
            "namespace": identity.owner.namespace,
            **metadata,
            "labels": metadata["labels"] | queued,
            "annotations": {**metadata["annotations"], **identity.own_annotations},
            "ownerReferences": owner_references(identity.owner),
        },
        "spec": {
            # Its queue resumes it. So it waits, with that reason, where no Kueue is installed.
            **({"suspend": True} if queued else {}),
            **_pods(places),
            "podFailurePolicy": {"rules": list(failure_rules)},
            "podReplacementPolicy": "Failed",
            "ttlSecondsAfterFinished": settings.ttl_seconds_after_finished,
            "template": {
                "metadata": {
                    "labels": {**identity.pod_labels, **metadata["labels"]},
                    "annotations": {
                        **identity.pod_annotations,
                        **metadata["annotations"],
                        **_STAYS,
                        **_default_container(pod),
                    },
                },
                "spec": pod,
            },
        },
    }


def _pods(places: Places | None) -> Object:
    if places is None:
        return {"completions": 1, "parallelism": 1, "backoffLimit": 0}
    at_once = min(places.at_once, places.count)
    indexed = {"completionMode": "Indexed", "completions": places.count, "parallelism": at_once}
    return indexed | {"backoffLimitPerIndex": 0}


def pod_spec(security: Object, pull_secrets: Sequence[str], grace_seconds: int) -> Object:
    """The fields that every pod of ours has; containers and volumes are added by its maker."""
    # Each once, in this order: a step may name the installation's own.
    secrets = [{"name": name} for name in dict.fromkeys(pull_secrets)]
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_seconds,
        "securityContext": security,
        **({"imagePullSecrets": secrets} if secrets else {}),
    }


def _default_container(pod: Object) -> dict[str, str]:
    # The user's own is always the first, whatever movers stand beside it.
    return {"kubectl.kubernetes.io/default-container": pod["containers"][0]["name"]}
