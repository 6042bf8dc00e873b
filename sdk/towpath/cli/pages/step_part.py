"""One step → its part of the run's page: what it read and wrote, why it ran, and its last lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from towpath.cli.explain import Explained
from towpath.cli.pages.graph import step_anchor
from towpath.cli.pages.markup import Child, Markup, element, join, log_lines
from towpath.cli.pages.page import facts, state, table
from towpath.cli.run_text import data_words, transform_words
from towpath.cli.run_view import InputView, OutputView, StepView


def step_part(step: StepView, explained: Explained | None, log: Sequence[str]) -> Markup:
    """The part; open where something went wrong."""
    told = element("summary", element("strong", step.name), " ", state(step.state))
    body = [_facts(step, explained), *_data(step), *_differences(explained), *_notes(step), *_log(step, log)]
    is_open = "open" if step.state == "Failed" else None
    return element("details", told, *body, id=step_anchor(step.name), open=is_open)


def _facts(step: StepView, explained: Explained | None) -> Markup:
    status, planned = step.status, step.planned
    code = status.get("exitCode")
    return facts(
        [
            ("Why", _why(explained)),
            ("Reuse", _reuse(step, explained)),
            ("Image", element("code", planned.image) if planned else None),
            ("Command", element("code", " ".join((*planned.command, *planned.args))) if planned else None),
            ("Exit code", str(code) if code is not None else None),
            ("Failed attempts", _failures(step)),
            ("Job", status.get("job")),
            (
                "Fingerprint",
                element("code", str(status["fingerprint"])) if status.get("fingerprint") else None,
            ),
        ]
    )


def _why(explained: Explained | None) -> str | None:
    if explained is None or explained.reason in ("", "Succeeded"):
        return None
    said = f"{explained.reason}: {explained.meaning}" if explained.meaning else explained.reason
    return f"{said} {explained.message}".strip()


def _reuse(step: StepView, explained: Explained | None) -> str | None:
    taken, miss = step.status.get("reusedFrom"), step.status.get("reuseMiss")
    if taken:
        place = f"run {taken.get('run')}, step {taken.get('step') or step.name}"
        return f"Its work was computed already: taken from {place}."
    if not miss:
        return None
    changed = ", ".join(miss.get("components") or ())
    against = f" compared with run {miss['run']}" if miss.get("run") else ""
    meaning = explained.miss_meaning if explained else ""
    words = str(miss.get("message") or (meaning if not changed else ""))
    return f"It was run: {miss.get('reason')}{': ' + changed if changed else ''}{against}. {words}".strip()


def _failures(step: StepView) -> str | None:
    counts = {name: count for name, count in (step.status.get("failures") or {}).items() if count}
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or None


def _data(step: StepView) -> Iterator[Markup]:
    rows: list[tuple[Child, ...]] = [_input(given) for given in step.inputs]
    rows += [_output(output) for output in step.outputs]
    if rows:
        yield table(("Port", "From or to", "Size", "Digest"), rows)


def _input(given: InputView) -> tuple[Child, ...]:
    view = transform_words(given.transforms)
    return (
        f"in {given.name}",
        given.words + (f" ({view})" if view else ""),
        data_words(given.data),
        _digest(given.data.digest),
    )


def _output(output: OutputView) -> tuple[Child, ...]:
    place = f"{output.dataset}@{output.version}" if output.version else output.datastore
    copied = f"; copy: {output.export}" if output.export else ""
    return (
        f"out {output.name}",
        place + copied,
        data_words(output.data, output.seconds),
        _digest(output.data.digest),
    )


def _digest(digest: str | None) -> Markup:
    return element("code", digest or "")


def _differences(explained: Explained | None) -> Iterator[Markup]:
    if explained and explained.differences:
        rows: list[tuple[Child, ...]] = [(one.what, one.before, one.now) for one in explained.differences]
        yield join([element("h3", "What differs from the earlier run"), table(("What", "Was", "Is"), rows)])


def _notes(step: StepView) -> Iterator[Markup]:
    notes = step.status.get("notes") or ()
    if notes:
        yield element("ul", *(element("li", str(note)) for note in notes))


def _log(step: StepView, log: Sequence[str]) -> Iterator[Markup]:
    kept = list(log) or str(step.status.get("logTail") or "").splitlines()
    if kept:
        yield element("h3", "Last lines")
        yield log_lines(kept)
