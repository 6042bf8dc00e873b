"""A run, why its steps stand where they stand, and their last lines → its page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from towpath.cli.explain import Explained
from towpath.cli.pages.graph import graph_of, step_anchor
from towpath.cli.pages.graph_svg import graph_svg
from towpath.cli.pages.markup import Child, Markup, element, join
from towpath.cli.pages.page import facts, page, section, state, table
from towpath.cli.pages.step_part import step_part
from towpath.cli.pages.timeline import timeline_of
from towpath.cli.pages.timeline_svg import timeline_svg
from towpath.cli.run_text import data_words
from towpath.cli.run_view import RunView, StepView
from towpath.cli.sizes import duration, seconds_between, size_for_people
from towpath.flow.conditions import timestamp

# Of so many steps each gets a part of its own; of more the table says the most.
MOST_PARTS = 300


@dataclass(frozen=True)
class Facts:
    """What a page tells of a run besides the run itself; by step."""

    explained: Mapping[str, Explained] = field(default_factory=dict)
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    where: str = ""


def run_page(
    view: RunView, told: Facts, now: datetime, above: Child = None, refresh: int | None = None
) -> Markup:
    """The whole page."""
    made = f"Run {view.name} in {told.where}, as it was on {timestamp(now)}."
    return page(
        f"Run {view.name}",
        _head(view),
        _picture(
            "Graph",
            graph_svg(graph_of(view)),
            "The graph has too many boxes to be drawn: see the steps below.",
        ),
        _times(view, now),
        section("Steps", _steps(view)),
        *_versions(view),
        *_metrics(view),
        *_notes(view),
        *_details(view, told),
        above=above,
        made=made,
        refresh=refresh,
    )


def _head(view: RunView) -> Markup:
    status = view.status
    took = seconds_between(status.get("startTime"), status.get("completionTime"))
    words = str(status.get("state") or "New")
    message = str(status.get("message") or "")
    moved = f"{size_for_people(status.get('bytesIn') or 0)} in, {size_for_people(status.get('bytesOut') or 0)} out"
    params = "; ".join(f"{name} = {value}" for name, value in view.params.items())
    return facts(
        [
            ("State", join([state(words), f" - {message}" if message else ""])),
            ("Pipeline", view.pipeline),
            ("Parameters", params),
            ("Began", status.get("startTime") or "not yet"),
            ("Took", duration(took) if took is not None else None),
            ("Steps done", status.get("progress")),
            ("Data", moved),
            ("Plan", element("code", str(status["planDigest"])) if status.get("planDigest") else None),
        ]
    )


def _picture(title: str, drawn: Markup | None, otherwise: str) -> Markup:
    if drawn is None:
        return section(title, element("p", otherwise, class_="quiet"))
    return section(
        title, element("div", drawn, class_="scroll", tabindex="0", role="region", aria_label=title)
    )


def _times(view: RunView, now: datetime) -> Markup | None:
    timeline = timeline_of(view, now)
    drawn = timeline_svg(timeline) if timeline else None
    return (
        _picture("Transfers and commands over time", drawn, "There is nothing to be drawn.")
        if timeline
        else None
    )


def _steps(view: RunView) -> Markup:
    rows = [_row(step) for step in view.steps]
    if not rows:
        return element("p", "No step is known yet.", class_="quiet")
    heads = ("Step", "State", "Took", "Attempts", "Staged in", "Published", "Reuse")
    return table(heads, rows, frozenset({2, 3}))


def _row(step: StepView) -> tuple[Child, ...]:
    status = step.status
    taken, miss = status.get("reusedFrom"), status.get("reuseMiss") or {}
    changed = ", ".join(miss.get("components") or ())
    reuse = f"taken from run {taken.get('run')}" if taken else str(miss.get("reason") or "")
    staged = status.get("stageInSeconds")
    moved = (
        f"{size_for_people(status.get('bytesIn') or 0)} in {duration(staged)}" if staged is not None else ""
    )
    published = "; ".join(filter(None, (data_words(one.data, one.seconds) for one in step.outputs)))
    return (
        element("a", step.name, href=f"#{step_anchor(step.name)}"),
        state(step.state),
        duration(step.seconds),
        str(status.get("attempt") or ""),
        moved,
        published,
        reuse + (f": {changed}" if changed else ""),
    )


def _versions(view: RunView) -> Iterator[Markup]:
    read = {
        given.words: (given.words, "read", data_words(given.data), given.data.digest or "")
        for step in view.steps
        for given in step.inputs
        if given.dataset
    }
    made = [
        (
            f"{output.dataset}@{output.version}",
            f"made by {step.name}",
            data_words(output.data),
            output.data.digest or "",
        )
        for step in view.steps
        for output in step.outputs
        if output.version
    ]
    rows = [*read.values(), *made]
    if rows:
        cells: list[tuple[Child, ...]] = [(*words, element("code", digest)) for *words, digest in rows]
        yield section("Versions", table(("Version", "What of it", "Size", "Digest"), cells))


def _metrics(view: RunView) -> Iterator[Markup]:
    rows: list[tuple[Child, ...]] = [
        (step.name, str(one.get("name")), str(one.get("value")))
        for step in view.steps
        for one in step.status.get("metrics") or ()
    ]
    if rows:
        yield section("Metrics", table(("Step", "Metric", "Value"), rows, frozenset({2})))


def _notes(view: RunView) -> Iterator[Markup]:
    left_out = view.status.get("leftOut")
    notes = [*view.notes, *([f"Left out of the run's object: {left_out}"] if left_out else [])]
    if notes:
        yield section("Notes", element("ul", *(element("li", note) for note in notes)))


def _details(view: RunView, told: Facts) -> Iterator[Markup]:
    parts = view.steps[:MOST_PARTS]
    if parts:
        shown = [
            step_part(step, told.explained.get(step.name), told.logs.get(step.name, ())) for step in parts
        ]
        more = len(view.steps) - len(parts)
        rest = element("p", f"{more} more steps stand in the table only.", class_="quiet") if more else None
        yield section("Each step", *shown, rest)
