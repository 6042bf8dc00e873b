"""Bytes, seconds and ages → words for people, the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime

from towpath.flow.status import size_for_people

__all__ = ["age", "duration", "moment", "rate", "seconds_between", "size_for_people"]

_STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def duration(seconds: float | None) -> str:
    """Such as 0.4s, 12s, 3m05s, 2h10m, 4d3h."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    for place, (each, unit) in enumerate(_STEPS):
        if whole >= each:
            below, smaller = (*_STEPS, (1, "s"))[place + 1]
            rest = whole % each // below
            return f"{whole // each}{unit}" + (
                f"{rest:02}{smaller}" if smaller == "s" else f"{rest}{smaller}"
            )
    return f"{whole}s"


def age(written: str | None, now: datetime) -> str:
    """How long ago that was, in one unit as kubectl says it."""
    then = moment(written)
    if then is None:
        return ""
    whole = max(int((now - then).total_seconds()), 0)
    return next((f"{whole // each}{unit}" for each, unit in _STEPS if whole >= 2 * each), f"{whole}s")


def moment(written: str | None) -> datetime | None:
    """A time of the API; None for none, and for what is no time."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC) if written else None
    except ValueError:
        return None


def seconds_between(start: str | None, end: str | None) -> float | None:
    """From one time of the API to another, if both are there."""
    began, ended = moment(start), moment(end)
    return (ended - began).total_seconds() if began and ended else None


def rate(count: int, seconds: float | None) -> str:
    """Such as 12.3 MB/s; nothing where that says nothing."""
    return f"{size_for_people(round(count / seconds))}/s" if seconds and seconds >= 0.05 and count else ""
