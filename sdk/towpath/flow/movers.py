"""One mover's Job (a probe, an inventory) → whether it goes on, how it ended, or that it never will."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from towpath.flow import reports
from towpath.flow.conditions import StepReason, brief
from towpath.flow.observed import ObservedContainer, ObservedMover
from towpath.flow.verdicts import Moment
from towpath.flow.waiting import reason_of_refusal

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
# While something waits for the answer. Shorter, and a store that stays away costs a pod every few seconds.
LONGEST_ASKED_PAUSE_SECONDS = 20.0


@dataclass(frozen=True)
class MoverGoing:
    """It has not ended; `message` says what it waits for, if it waits."""

    message: str | None
    check_after_seconds: float
    ask_admission: bool = False


@dataclass(frozen=True)
class MoverEnded:
    """It ended with this code and left this termination message."""

    exit_code: int | None
    text: str | None


@dataclass(frozen=True)
class MoverLost:
    """It ended, or will never begin, and said nothing: `message` says what is known."""

    message: str


def judge_mover(
    mover: ObservedMover, moment: Moment, container_name: str | None = None
) -> MoverGoing | MoverEnded | MoverLost:
    """What can be said now of a mover's Job, or of one container where its pod has several."""
    container = _container(mover, container_name)
    if container is not None and container.state == "terminated":
        return MoverEnded(container.exit_code, container.message)
    if mover.has_ended or (mover.pod and mover.pod.phase in ("Failed", "Succeeded")):
        words = (mover.pod.message or mover.pod.reason) if mover.pod else mover.failed_message
        return MoverLost(f"the mover's pod was gone before it said anything: {words or 'no reason'}")
    left = moment.limits.start_timeout_seconds - moment.seconds_since(mover.created_at)
    words = _waits_for(mover, container)
    if left <= 0 and (container is None or container.state == "waiting") and not is_held_by_quota(mover):
        return MoverLost(
            f"the mover did not start within {moment.limits.start_timeout_seconds} s: {words or ''}"
        )
    is_podless = mover.pod is None and moment.seconds_since(mover.created_at) >= moment.limits.no_pod_seconds
    soon = float(moment.limits.no_pod_seconds) if mover.pod is None else max(1.0, left)
    return MoverGoing(words, soon, is_podless)


def words_of(ended: MoverEnded | MoverLost) -> str:
    """What a mover that did not end well has said, or what is known of its end."""
    if isinstance(ended, MoverLost):
        return ended.message
    failure = reports.read_failure(ended.text)
    if failure is not None:
        return f"{failure.reason}: {failure.message}"
    return f"the mover ended with exit code {ended.exit_code} and left no report that it owes"


def is_held_by_quota(mover: ObservedMover) -> bool:
    """Whether a quota refuses the mover's pod: that passes, however long it lasts, as it does for steps."""
    return mover.pod is None and reason_of_refusal(mover.refusal) is StepReason.QUOTA


def chosen(movers: Iterable[ObservedMover], ask: str) -> ObservedMover | None:
    """The Job that answers this question, if there is one."""
    return next((mover for mover in movers if mover.ask == ask and not mover.deleting), None)


def outdated(movers: Iterable[ObservedMover], ask: str) -> tuple[str, ...]:
    """Jobs that run for a question which nobody asks any more."""
    return tuple(sorted(one.job for one in movers if one.ask != ask and _is_live(one)))


def earlier(movers: Iterable[ObservedMover], ask: str) -> tuple[str, ...]:
    """All Jobs of other questions, ended ones too: of those that look again and again, only the last is kept."""
    return tuple(sorted(one.job for one in movers if one.ask != ask and not one.deleting))


def _is_live(mover: ObservedMover) -> bool:
    container = _container(mover)
    is_over = mover.has_ended or (container is not None and container.state == "terminated")
    return not is_over and not mover.deleting


def next_look(observed_at: datetime, since: datetime, is_asked: bool) -> float:
    """How long to pause after a look at `observed_at`, not Ready `since` then: the pauses double by themselves."""
    longest = LONGEST_ASKED_PAUSE_SECONDS if is_asked else LONGEST_PAUSE_SECONDS
    return min(max((observed_at - since).total_seconds(), FIRST_PAUSE_SECONDS), longest)


def _container(mover: ObservedMover, name: str | None = None) -> ObservedContainer | None:
    containers = mover.pod.containers if mover.pod else {}
    return containers.get(name) if name else next(iter(containers.values()), None)


def _waits_for(mover: ObservedMover, container: ObservedContainer | None) -> str | None:
    if mover.pod is None:
        return brief(mover.refusal) if mover.refusal else None
    if mover.pod.unschedulable:
        return brief(mover.pod.unschedulable)
    if container is not None and container.state == "waiting" and container.message:
        return brief(f"{container.reason}: {container.message}")
    return brief(mover.pod.warning) if mover.pod.warning else None
