"""Whether what a run names exists and is Ready: goes on, waits with a reason, or gives up in the end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from towpath.api.dataset import Dataset
from towpath.api.datastore import Datastore
from towpath.api.meta import Condition, ConditionStatus
from towpath.flow.conditions import RunReason
from towpath.flow.decision import Limits
from towpath.flow.near_names import near
from towpath.flow.sources import Waiting
from towpath.flow.stalled import StalledError

_LOOK_AGAIN_SECONDS = 30.0


class WaitingError(Exception):
    """The run cannot go on yet; `waiting` says for what."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__(waiting.message)
        self.waiting = waiting


@dataclass(frozen=True)
class Patience:
    """How long a run has been waiting, and how long it may."""

    first_seen_at: datetime
    now: datetime
    limits: Limits

    def missing(self, kind: str, name: str, known: Collection[str], why: str = "") -> Exception:
        """What to raise for an object that does not exist: it may be on its way for a while."""
        left = self._left(self.limits.not_found_seconds)
        message = f"{kind} {name} does not exist{why}. {near(name, known)}"
        if left > 0:
            words = f"{message} The run waits {self.limits.not_found_seconds} s for it."
            return WaitingError(Waiting(RunReason.WAITING, words, left))
        return StalledError(RunReason.NOT_FOUND, message)

    def not_ready(self, kind: str, name: str, why: str) -> Exception:
        """What to raise for an object that is not Ready; being named asks for a new look at it.

        Of a Datastore at once, whatever was found before the run came: a stale answer costs a probe, never a run.
        """
        look_after = self.first_seen_at if kind == "Datastore" else None
        return self._asking(f"{kind} {name} is not Ready: {why}", (kind, name), look_after)

    def not_looked_at(self, dataset: Dataset, since: datetime) -> Exception:
        """What to raise for a dataset whose last look began by the moment `since`: a later one is asked for."""
        name = dataset.metadata.name or ""
        why = why_not_ready(dataset)
        words = f"is not Ready: {why}" if why else "is looked at again before the run (refresh.beforeRun)."
        return self._asking(f"Dataset {name} {words}", ("Dataset", name), since)

    def held(self, waiting: Waiting) -> Exception:
        """What to raise for what a store or its data must become first: patience ends with storeTimeoutSeconds."""
        left = self._left(self.limits.store_timeout_seconds)
        if left > 0:
            return WaitingError(replace(waiting, check_after_seconds=min(left, waiting.check_after_seconds)))
        words = (
            f"Gave up after {self.limits.store_timeout_seconds} s (storeTimeoutSeconds): {waiting.message}"
        )
        return StalledError(RunReason.NOT_READY, words)

    def _asking(self, message: str, ask: tuple[str, str], look_after: datetime | None = None) -> Exception:
        return self.held(Waiting(RunReason.WAITING, message, _LOOK_AGAIN_SECONDS, (ask,), look_after))

    def _left(self, seconds: int) -> float:
        return (self.first_seen_at + timedelta(seconds=seconds) - self.now).total_seconds()


def why_not_ready(thing: Datastore | Dataset) -> str | None:
    """Why an object is not Ready, in its own words; None if it is, for the spec that it has now."""
    ready = ready_condition(thing)
    if ready is None or ready.observed_generation != (thing.metadata.generation or 0):
        return "it has not been looked at yet."
    if ready.status is ConditionStatus.TRUE:
        return None
    return f"{ready.reason}: {ready.message}"


def is_looked_at_for(dataset: Dataset, since: datetime) -> bool:
    """Whether a run that was created then need not wait for a look: it asks for none, or one began later."""
    refresh, began_at = dataset.spec.refresh, dataset.status.look_began_at
    # Times of objects are cut to seconds: one that began in the same second may have begun before.
    return not (refresh and refresh.before_run) or (began_at is not None and began_at > since)


def ready_condition(thing: Datastore | Dataset) -> Condition | None:
    """The object's condition Ready, if it has one."""
    return next((given for given in thing.status.conditions if given.type == "Ready"), None)
