"""Bars on an axis of time → a picture as SVG, one lane per step. Pure."""

from __future__ import annotations

from towpath.cli.pages.markup import Markup, element
from towpath.cli.pages.timeline import Bar, Lane, Timeline
from towpath.cli.sizes import duration

NAMES, WIDTH, LANE, TOP, EDGE = 176, 900, 26, 46, 12
MOST_LANES = 300
# So that what took no time is still to be seen.
LEAST = 1.5
_LEGEND = (("stage", "staging in"), ("command", "command"), ("publish", "publishing"))
MOST_LETTERS = 20


def timeline_svg(timeline: Timeline) -> Markup | None:
    """The picture; None where it would have too many lanes, or none."""
    lanes = timeline.lanes
    if not lanes or len(lanes) > MOST_LANES:
        return None
    height = TOP + len(lanes) * LANE + EDGE
    width = NAMES + WIDTH + EDGE * 4
    return element(
        "svg",
        element("title", "When each step staged in, ran and published"),
        _legend(),
        *(_tick(timeline, seconds, height) for seconds in timeline.ticks),
        *(_lane(timeline, lane, number) for number, lane in enumerate(lanes)),
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        class_="fit",
        role="img",
        aria_label="Times of the run: when each step staged in, ran and published; the table of steps has the numbers.",
    )


def _legend() -> Markup:
    shown = []
    for number, (kind, words) in enumerate(_LEGEND):
        x = NAMES + number * 130
        shown.append(element("rect", x=x, y=6, width=12, height=12, class_=kind))
        shown.append(element("text", words, x=x + 18, y=17, class_="small"))
    return element("g", *shown)


def _tick(timeline: Timeline, seconds: float, height: int) -> Markup:
    x = _x(timeline, seconds)
    words = duration(seconds) if seconds else "0"
    return element(
        "g",
        element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=TOP - 8, y2=height - EDGE, class_="tick"),
        element("text", words, x=f"{x:.1f}", y=TOP - 13, class_="small quiet", text_anchor="middle"),
    )


def _lane(timeline: Timeline, lane: Lane, number: int) -> Markup:
    y = TOP + number * LANE
    name = lane.step if len(lane.step) <= MOST_LETTERS else lane.step[: MOST_LETTERS - 1] + "…"
    words = element("text", lane.note, x=NAMES + 4, y=y + 16, class_="small quiet") if lane.note else None
    return element(
        "g",
        element("title", f"{lane.step}: {lane.note or ', '.join(bar.words for bar in lane.bars)}"),
        element("text", name, x=NAMES - 10, y=y + 16, text_anchor="end"),
        *(_bar(timeline, bar, y) for bar in lane.bars),
        words,
    )


def _bar(timeline: Timeline, bar: Bar, y: int) -> Markup:
    start, end = _x(timeline, bar.start), _x(timeline, bar.end)
    return element(
        "rect",
        x=f"{start:.1f}",
        y=y + 4,
        width=f"{max(end - start, LEAST):.1f}",
        height=LANE - 8,
        class_=bar.kind,
    )


def _x(timeline: Timeline, seconds: float) -> float:
    return NAMES + seconds / timeline.seconds * WIDTH
