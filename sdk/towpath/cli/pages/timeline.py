"""A run → bars on an axis of time: of each step the transfer in, the command, the transfer out. Pure.

Of the last attempt only: that is what the status keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from towpath.cli.run_view import RunView, StepView
from towpath.cli.sizes import duration, moment, rate, size_for_people

# How far apart marks on the axis may lie, in seconds.
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800)
_MOST_TICKS = 8


@dataclass(frozen=True)
class Bar:
    """From one second of the run to another; `kind` is stage, command or publish."""

    kind: str
    start: float
    end: float
    words: str


@dataclass(frozen=True)
class Lane:
    """One step: its bars, or why it has none."""

    step: str
    bars: tuple[Bar, ...]
    note: str = ""


@dataclass(frozen=True)
class Timeline:
    """All steps, on an axis of so many seconds."""

    lanes: tuple[Lane, ...]
    seconds: float
    ticks: tuple[float, ...]


def timeline_of(view: RunView, now: datetime) -> Timeline | None:
    """The bars of a run; None before it began. What goes on lasts until now."""
    began = moment(view.status.get("startTime"))
    if began is None:
        return None
    ended = moment(view.status.get("completionTime")) or max(now, began)
    ends = [ended, *(step.ended for step in view.steps if step.ended)]
    seconds = max((max(ends) - began).total_seconds(), 1.0)
    lanes = tuple(_lane(step, began, seconds) for step in view.steps)
    return Timeline(lanes, seconds, _ticks(seconds))


def _lane(step: StepView, began: datetime, seconds: float) -> Lane:
    taken = step.status.get("reusedFrom")
    if taken:
        return Lane(step.name, (), f"taken from run {taken.get('run')}")
    if step.started is None:
        return Lane(step.name, (), step.state)
    start = max((step.started - began).total_seconds(), 0.0)
    end = (step.ended - began).total_seconds() if step.ended else seconds
    return Lane(step.name, tuple(_bars(step, start, max(end, start))))


def _bars(step: StepView, start: float, end: float) -> Iterator[Bar]:
    staged = min(step.status.get("stageInSeconds") or 0.0, end - start)
    outputs = sum(output.seconds or 0.0 for output in step.outputs)
    # Times of objects are cut to seconds: together transfers may seem to take longer than the step.
    published = min(outputs, max(end - start - staged, 0.0))
    if staged:
        size = step.status.get("bytesIn") or 0
        yield Bar("stage", start, start + staged, _moved("staging in", size, staged))
    if end - published > start + staged:
        yield Bar(
            "command",
            start + staged,
            end - published,
            f"command: {duration(end - published - start - staged)}",
        )
    if published:
        size = sum(output.data.bytes or 0 for output in step.outputs)
        yield Bar("publish", end - published, end, _moved("publishing", size, outputs))


def _moved(doing: str, size: int, seconds: float) -> str:
    fast = rate(size, seconds)
    return f"{doing}: {size_for_people(size)} in {duration(seconds)}" + (f", {fast}" if fast else "")


def _ticks(seconds: float) -> tuple[float, ...]:
    each = next((one for one in _TICKS if seconds / one <= _MOST_TICKS), _TICKS[-1])
    count = min(int(seconds // each), 100)
    return tuple(float(each * number) for number in range(count + 1))
