"""What can be said of one attempt: it goes on, it is accepted, or it failed and somebody must bear it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from towpath.flow.conditions import StepReason
from towpath.flow.decision import Limits
from towpath.flow.recorded import PublishedOutput, StepState

# By how much the clocks of two nodes may differ where nobody looks after them.
_SKEW_SECONDS = 60


class Fault(StrEnum):
    """Whose failure an attempt was: each is counted against its own limit; credentials against none."""

    USER = "user"
    DISRUPTION = "disruption"
    MOVER = "mover"
    CREDENTIALS = "credentials"


@dataclass(frozen=True)
class Moment:
    """When something is judged, and with how much patience."""

    now: datetime
    limits: Limits

    def seconds_since(self, then: datetime) -> float:
        """How long ago `then` was."""
        return (self.now - then).total_seconds()

    def paused_since(self, then: datetime) -> float:
        """The same, for a pause: what an operator wrote of a time to come, it wrote by a clock that was set back.

        Such a pause is over, or it would last until the clock is there again.
        """
        passed = self.seconds_since(then)
        return passed if passed > -_SKEW_SECONDS else math.inf

    def seconds_until(self, then: datetime) -> float:
        """How long a pause still lasts that ends `then`: no pause of ours is longer than the longest."""
        left = max(0.0, -self.seconds_since(then))
        return left if left <= self.limits.longest_pause_seconds + _SKEW_SECONDS else 0.0


@dataclass(frozen=True)
class Going:
    """The attempt has not ended. `check_after_seconds` is when its patience runs out."""

    state: StepState
    reason: StepReason
    message: str | None = None
    started_at: datetime | None = None
    check_after_seconds: float | None = None
    ask_admission: bool = False


@dataclass(frozen=True)
class Accepted:
    """The attempt succeeded: everything that it owed was published."""

    attempt_id: str
    finished_at: datetime
    outputs: tuple[PublishedOutput, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AllPublished:
    """Every shard of a step has published its part: it remains to merge them."""


@dataclass(frozen=True)
class ResultUnread:
    """The attempt succeeded, and what it published is not known: its pod, which said it, is gone."""


@dataclass(frozen=True)
class Failed:
    """The attempt failed. A final failure is not tried again: it would come out the same."""

    fault: Fault
    reason: StepReason
    message: str
    exit_code: int | None = None
    log_tail: str | None = None
    is_final: bool = False


Verdict = Going | Accepted | Failed | ResultUnread
