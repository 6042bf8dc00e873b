"""What the operator sees of a run's children: with plan and record, all that `decide` rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from towpath.flow.planned import EarlierStep
from towpath.flow.recorded import Miss


@dataclass(frozen=True)
class ObservedContainer:
    """One container's state as the kubelet reports it. `state` is waiting, running or terminated."""

    name: str
    state: str
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    image_id: str | None = None


@dataclass(frozen=True)
class ObservedPod:
    """One pod of an attempt. `containers` holds init containers too, by name.

    `started_at` is when a kubelet took it up; `unschedulable` has the scheduler's words, `disruption` those of
    the condition DisruptionTarget; `reason` and `message` are the pod's own, such as Evicted. `warning` is what
    an Event says of a pod that is not being set up: the status of such a pod says nothing.
    """

    name: str
    uid: str
    created_at: datetime
    phase: str
    containers: Mapping[str, ObservedContainer]
    unschedulable: str | None = None
    disruption: str | None = None
    reason: str | None = None
    message: str | None = None
    deleting: bool = False
    started_at: datetime | None = None
    warning: str | None = None


@dataclass(frozen=True)
class ObservedMover:
    """A Job of a mover that belongs to no step, such as a probe; `ask` is what it was made for."""

    job: str
    ask: str
    created_at: datetime
    pod: ObservedPod | None = None
    failed_message: str | None = None
    has_ended: bool = False
    deleting: bool = False
    refusal: str | None = None


@dataclass(frozen=True)
class ObservedAttempt:
    """One Job of a run. `refusal` is what a dry run of its pod was told, where no pod appears.

    `failed_reason` and `failed_message` are those of the Job's condition Failed. A Job of shards runs `shards`, by
    their place in it; `pods` and `ended` (what the Job counts as ended) are by that place too. `fingerprint`
    and `miss` are what it was made with. `finders` look for its result, where its pod is gone.
    """

    job: str
    job_uid: str
    step: str
    attempt: int
    step_digest: str
    owner_uid: str
    created_at: datetime
    pod: ObservedPod | None = None
    suspended: bool = False
    failed_reason: str | None = None
    failed_message: str | None = None
    complete: bool = False
    deleting: bool = False
    refusal: str | None = None
    shards: tuple[int, ...] = ()
    pods: Mapping[int, ObservedPod] = field(default_factory=dict)
    ended: frozenset[int] = frozenset()
    is_merge: bool = False
    fingerprint: str | None = None
    miss: Miss | None = None
    finders: tuple[ObservedMover, ...] = ()


@dataclass(frozen=True)
class ObservedVersion:
    """A DatasetVersion that exists. `produced_by` is the object's: run, step, output, attempt."""

    name: str
    dataset: str
    version: int
    digest: str
    produced_by: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class NearestStep:
    """The last step of a name that succeeded in a pipeline: its run, and the components of its fingerprint."""

    run: str
    components: Mapping[str, str]


@dataclass(frozen=True)
class Observed:
    """A run's children at one moment. `attempts` are this run's own Jobs only, judged by owner uid.

    A recorded Job that is not in `attempts` is gone: whoever observes has asked the API server, not a cache.
    `registered` and `refused_registrations` are by (step, output): what `Decision.register` came to, also where
    it came to a version that existed. `not_ready_datastores` gives the words of the condition Ready by name,
    `probed_at` when the last probe of each datastore ended. `finished` gives by fingerprint what steps of the
    namespace have published, `computing` the name of another run that is at it now; `kept` (what the retried run has
    published) and `nearest` are by step; `verifiers` are the run's own movers that look whether earlier outputs are
    still there.
    """

    attempts: tuple[ObservedAttempt, ...] = ()
    exporters: tuple[ObservedMover, ...] = ()
    foreign_jobs: tuple[str, ...] = ()
    cancel_requested: bool = False
    deleting: bool = False
    registered: Mapping[tuple[str, str], ObservedVersion] = field(default_factory=dict)
    refused_registrations: Mapping[tuple[str, str], str] = field(default_factory=dict)
    not_ready_datastores: Mapping[str, str] = field(default_factory=dict)
    probed_at: Mapping[str, datetime] = field(default_factory=dict)
    finished: Mapping[str, EarlierStep] = field(default_factory=dict)
    computing: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, EarlierStep] = field(default_factory=dict)
    nearest: Mapping[str, NearestStep] = field(default_factory=dict)
    verifiers: tuple[ObservedMover, ...] = ()
