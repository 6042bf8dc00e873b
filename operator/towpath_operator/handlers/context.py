"""What every pass is handed: the stores to read, the client to write with, and what the installation says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from towpath.flow.decision import Limits
from towpath.flow.observed import NearestStep, ObservedVersion
from towpath.flow.planned import Plan
from towpath.flow.sources import Installation
from towpath_operator.cluster.api import Api
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.events import Recorder
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.resources import Key
from towpath_operator.cluster.status import StatusWriter
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.metrics import Metrics

Json = dict[str, Any]
Port = tuple[str, str]


def utc_now() -> datetime:
    """The clock of passes."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Memory:
    """What a restart may forget: plans by run UID, refusals and warnings by Job or pod UID. No result rests on it.

    Jobs that were refused are by their owner's UID: of steps by the step, of movers by what they ask.
    """

    plans: dict[str, Plan] = field(default_factory=dict)
    first_seen: dict[str, datetime] = field(default_factory=dict)
    foreign_jobs: dict[str, set[str]] = field(default_factory=dict)
    registered: dict[str, dict[Port, ObservedVersion]] = field(default_factory=dict)
    refused_registrations: dict[str, dict[Port, str]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    refused_jobs: dict[str, dict[str, str]] = field(default_factory=dict)
    refused_movers: dict[str, dict[str, str]] = field(default_factory=dict)
    asked_at: dict[str, datetime] = field(default_factory=dict)
    asked: set[Key] = field(default_factory=set)
    wanted_after: dict[Key, datetime] = field(default_factory=dict)
    nearest: dict[str, dict[str, NearestStep]] = field(default_factory=dict)
    waiting: dict[str, dict[str, tuple[str, datetime]]] = field(default_factory=dict)

    def forget_run(self, uid: str) -> None:
        """A run has come to its end."""
        for part in self._by_run():
            part.pop(uid, None)

    def keep_runs(self, uids: Collection[str]) -> None:
        """Runs have gone: forget all but these."""
        for part in self._by_run():
            for uid in part.keys() - set(uids):
                del part[uid]

    def _by_run(self) -> tuple[dict[str, Any], ...]:
        facts: tuple[dict[str, Any], ...] = (
            self.plans,
            self.first_seen,
            self.foreign_jobs,
            self.refused_jobs,
            self.refused_movers,
        )
        return (*facts, self.registered, self.refused_registrations, self.nearest, self.waiting)

    def forget(self, uid: str) -> None:
        """A Job has a pod, or a pod goes on: what was asked about it is of no use any more."""
        self.refusals.pop(uid, None)
        self.warnings.pop(uid, None)
        self.asked_at.pop(uid, None)


@dataclass(frozen=True)
class Context:
    """One per process."""

    client: Api
    cache: Cache
    queue: KeyedQueue
    writer: StatusWriter
    metrics: Metrics
    installation: Installation
    pods: PodSettings
    limits: Limits
    events: Recorder
    memory: Memory = field(default_factory=Memory)
    now: Callable[[], datetime] = utc_now

    def ask(self, key: Key, look_after: datetime | None = None) -> None:
        """Somebody waits for this object: look at it now, whatever was last seen of it (until `look_after`)."""
        self.memory.asked.add(key)
        if look_after is not None:
            known = self.memory.wanted_after.get(key, look_after)
            self.memory.wanted_after[key] = max(known, look_after)
        self.queue.add(key)
