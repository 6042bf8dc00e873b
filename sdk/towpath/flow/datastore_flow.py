"""A Datastore and its probes → its condition, and whether to probe now.

It is probed when it is new, when its spec or `towpath.dev/requested-at` changes, when a step was refused there after
the last probe, and while it is not Ready: at once for a run that came after the last probe, else with growing pauses,
which stay short while something waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from towpath.api.datastore import Datastore
from towpath.flow import movers, names, reports, support
from towpath.flow.conditions import condition, timestamp
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost
from towpath.flow.observed import ObservedMover
from towpath.flow.readiness import ready_condition
from towpath.flow.ready_reasons import DatastoreReason
from towpath.flow.refusals import refused_job
from towpath.flow.verdicts import Moment

_OF_VOLUME = re.compile(r"persistentvolumeclaim|volume|mount|subpath", re.IGNORECASE)

Said = tuple[str, DatastoreReason, str]


@dataclass(frozen=True)
class DatastoreDecision:
    """What to do for a Datastore: `status` is to be written where it is not None, before the probe is made.

    `probe` is the question that a new probe's Job is to answer (`names.mover_job_name`).
    """

    status: dict[str, Any] | None = None
    probe: str | None = None
    delete: tuple[str, ...] = ()
    ask_admission: tuple[str, ...] = ()
    check_after_seconds: float | None = None


@dataclass(frozen=True)
class Asked:
    """Whether something waits for a Datastore, and up to when a probe of it is of no use to that.

    `refused` has the words that refused the Job of a probe, by what that asks.
    """

    is_asked: bool = False
    wanted_after: datetime | None = None
    refused: Mapping[str, str] = field(default_factory=dict)


def decide_datastore(
    datastore: Datastore, probes: Sequence[ObservedMover], asked: Asked, moment: Moment
) -> DatastoreDecision:
    """What to do now."""
    refusal = support.refusal(datastore.spec)
    if refusal is not None:
        said = ("False", DatastoreReason.NOT_SUPPORTED_YET, refusal)
        return DatastoreDecision(_changed(datastore, _status(datastore, said, moment, is_look=False)))
    ask = ask_of(datastore)
    probe = movers.chosen(probes, ask)
    delete = movers.outdated(probes, ask)
    if probe is not None:
        return _probed(datastore, probe, delete, moment)
    left = _seconds_until_due(datastore, asked, moment)
    if left is None or left > 0:
        return DatastoreDecision(delete=delete, check_after_seconds=left)
    status = _probing(datastore, moment, refused_job(asked.refused.get(ask)))
    return DatastoreDecision(
        status, ask, movers.earlier(probes, ask), check_after_seconds=float(moment.limits.no_pod_seconds)
    )


def with_mover(decision: DatastoreDecision, datastore: Datastore, mover: dict[str, Any]) -> DatastoreDecision:
    """The same, with the installation's mover in the status: who has no other rights learns from there what it is."""
    if decision.status is None and ready_condition(datastore) is None:
        return decision
    status = (decision.status or datastore.status.as_dict()) | {"mover": mover}
    return replace(decision, status=_changed(datastore, status))


def ask_of(datastore: Datastore) -> str:
    """What the next probe is for: a probe that has ended changes it."""
    observed_at = datastore.status.observed_at
    return names.ask_of(datastore.metadata.generation, requested_at(datastore), observed_at)


def requested_at(thing: Any) -> str | None:
    """The value of the annotation by which people ask for a new look."""
    value = thing.metadata.annotations.get(names.REQUESTED_AT_ANNOTATION)
    return str(value)[:256] if value is not None else None


def _seconds_until_due(datastore: Datastore, asked: Asked, moment: Moment) -> float | None:
    ready, observed_at = ready_condition(datastore), datastore.status.observed_at
    if (
        ready is None
        or observed_at is None
        or datastore.status.observed_generation != datastore.metadata.generation
    ):
        return 0.0
    if requested_at(datastore) != datastore.status.requested_at:
        return 0.0
    if asked.wanted_after is not None and observed_at <= asked.wanted_after:
        # Not in the same second: by their times it could not be told which was first.
        return max(0.0, 1.0 - moment.seconds_since(asked.wanted_after))
    if ready.status == "True":
        return None
    pause = movers.next_look(observed_at, ready.last_transition_time, asked.is_asked)
    return max(0.0, pause - moment.paused_since(observed_at))


def _probed(
    datastore: Datastore, probe: ObservedMover, delete: tuple[str, ...], moment: Moment
) -> DatastoreDecision:
    verdict = movers.judge_mover(probe, moment)
    match verdict:
        case MoverGoing():
            ask = (probe.job,) if verdict.ask_admission else ()
            status = _under_way(datastore, verdict.message, moment)
            return DatastoreDecision(status, None, delete, ask, verdict.check_after_seconds)
        case MoverLost():
            said = ("False", _why_lost(datastore, verdict.message), verdict.message)
            delete = delete if probe.has_ended else (*delete, probe.job)
        case MoverEnded():
            said = _said(datastore, verdict)
    status = _status(datastore, said, moment, is_look=True)
    return DatastoreDecision(status, None, delete, check_after_seconds=movers.FIRST_PAUSE_SECONDS)


def _under_way(datastore: Datastore, words: str | None, moment: Moment) -> dict[str, Any] | None:
    if words is None or not _is_of_volume(datastore, words):
        return _probing(datastore, moment, words)
    # It goes on, for the claim may be made now; but a run that waits is to see what is missing.
    said = ("False", DatastoreReason.VOLUME_UNAVAILABLE, words)
    return _changed(datastore, _status(datastore, said, moment, is_look=False))


def _why_lost(datastore: Datastore, words: str) -> DatastoreReason:
    return (
        DatastoreReason.VOLUME_UNAVAILABLE
        if _is_of_volume(datastore, words)
        else DatastoreReason.PROBE_FAILED
    )


def _is_of_volume(datastore: Datastore, words: str) -> bool:
    """Whether what keeps a probe from starting is its claim: scheduler and kubelet have no code for it, only words."""
    return datastore.spec.persistent_volume_claim is not None and bool(_OF_VOLUME.search(words))


def _said(datastore: Datastore, ended: MoverEnded) -> Said:
    found = reports.read_probe(ended.text) if ended.exit_code == 0 else None
    if found is not None:
        return "True", DatastoreReason.READY, found + _ambient(datastore)
    failure = reports.read_failure(ended.text)
    if failure is None:
        words = f"the probe ended with exit code {ended.exit_code} and left no report"
        return "False", DatastoreReason.PROBE_FAILED, words
    known = next((known for known in DatastoreReason if known == failure.reason), None)
    if known is None or known is DatastoreReason.READY:
        return "False", DatastoreReason.PROBE_FAILED, f"{failure.reason}: {failure.message}"
    return "False", known, failure.message


def _ambient(datastore: Datastore) -> str:
    if datastore.spec.s3 is None or datastore.spec.s3.credentials_secret_ref is not None:
        return ""
    return " Without credentialsSecretRef the pod's own identity is used, which the user's code has too."


def _probing(datastore: Datastore, moment: Moment, words: str | None = None) -> dict[str, Any] | None:
    if ready_condition(datastore) is not None and datastore.status.observed_at is not None:
        return None
    said = ("Unknown", DatastoreReason.PROBING, words or "a probe is under way")
    return _changed(datastore, _status(datastore, said, moment, is_look=False))


def _status(datastore: Datastore, said: Said, moment: Moment, is_look: bool) -> dict[str, Any]:
    status, reason, message = said
    before = [one.as_dict() for one in datastore.status.conditions]
    generation = datastore.metadata.generation or 0
    ready = condition(before, "Ready", status, (reason, message), moment.now)
    after: dict[str, Any] = datastore.status.as_dict()
    after |= {"observedGeneration": generation, "conditions": [ready | {"observedGeneration": generation}]}
    if not is_look:
        return after
    after.pop("requestedAt", None)
    requested = requested_at(datastore)
    after |= {} if requested is None else {"requestedAt": requested}
    return after | {"observedAt": timestamp(moment.now)}


def _changed(datastore: Datastore, status: dict[str, Any]) -> dict[str, Any] | None:
    return None if status == datastore.status.as_dict() else status
