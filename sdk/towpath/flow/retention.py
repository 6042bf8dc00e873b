"""A finished run → how long it stays, and who may delete it: its record is written before, where there is a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from towpath.api.pipeline import Retention
from towpath.flow.sweep_references import is_finished

Json = Mapping[str, Any]

# A store that does not answer now may do so later, and a sweep under way may have to end first.
LOOK_AGAIN_SECONDS = 600.0


@dataclass(frozen=True)
class Stay:
    """The run stays; `check_after_seconds` is when to look again."""

    check_after_seconds: float


@dataclass(frozen=True)
class RecordFirst:
    """The run goes when a sweep of the Datastore `default` has written its record; look again later in any case."""

    check_after_seconds: float = LOOK_AGAIN_SECONDS


@dataclass(frozen=True)
class Go:
    """The run is to be deleted now: there is no place for its record."""


def decide_retention(run: Json, default_datastore: Json | None, now: datetime) -> Stay | RecordFirst | Go:
    """What becomes of a finished run now; `default_datastore` is the object, if there is one."""
    left = seconds_left(run, now)
    if left > 0:
        return Stay(left)
    is_place = default_datastore is not None and not default_datastore["spec"].get("readOnly")
    return RecordFirst() if is_place else Go()


def is_past_retention(run: Json, now: datetime) -> bool:
    """Whether a run is to go."""
    return is_finished(run) and "deletionTimestamp" not in run["metadata"] and seconds_left(run, now) <= 0


def seconds_left(run: Json, now: datetime) -> float:
    """How long a finished run stays."""
    status = run["status"]
    keep = status.get("keepSeconds", Retention().keep_seconds)
    return float(keep) - (now - datetime.fromisoformat(status["completionTime"])).total_seconds()
