"""The picture of a run → the lines of `towpath describe run`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from towpath.cli.output import cell
from towpath.cli.printable import log_line, printable
from towpath.cli.run_view import Data, InputView, OutputView, RunView, StepView
from towpath.cli.sizes import age, duration, rate, seconds_between, size_for_people

_WIDTH = 10


def describe_run(view: RunView, now: datetime) -> list[Text]:
    """The whole run: head, parameters, and each step."""
    return [*_head(view, now), *(line for step in view.steps for line in (Text(""), *_step(step)))]


def data_words(data: Data, seconds: float | None = None) -> str:
    """Such as 150 files, 3.8 kB in 0.4s (9.6 kB/s); empty where nothing is known."""
    if data.files is None or data.bytes is None:
        return ""
    words = f"{data.files} file{'' if data.files == 1 else 's'}, {size_for_people(data.bytes)}"
    fast = rate(data.bytes, seconds)
    return (
        words + (f" in {duration(seconds)}" if seconds is not None else "") + (f" ({fast})" if fast else "")
    )


def reuse_words(step: StepView) -> str:
    """Whose outputs a step took, or why it was run; empty where there is nothing to say."""
    taken, miss = step.status.get("reusedFrom"), step.status.get("reuseMiss")
    if taken:
        other = taken.get("step")
        return f"taken from run {taken.get('run')}" + (f", step {other}" if other else "")
    if not miss:
        return ""
    changed = ", ".join(miss.get("components") or ())
    parts = [
        f"run because: {miss.get('reason')}",
        f" ({changed})" if changed else "",
        f" compared with run {miss['run']}" if miss.get("run") else "",
        f": {miss['message']}" if miss.get("message") else "",
    ]
    return "".join(parts)


def _head(view: RunView, now: datetime) -> Iterator[Text]:
    status = view.status
    yield _fact("Run", view.name)
    yield _fact("Pipeline", view.pipeline)
    yield _fact("State", str(status.get("state") or "New"))
    if status.get("message"):
        yield _fact("Message", str(status["message"]))
    yield _fact("Began", f"{status.get('startTime') or 'not yet'}{_ago(status.get('startTime'), now)}")
    took = seconds_between(status.get("startTime"), status.get("completionTime"))
    if took is not None:
        yield _fact("Took", duration(took))
    moved_in, moved_out = (size_for_people(status.get(name) or 0) for name in ("bytesIn", "bytesOut"))
    yield _fact("Data", f"{moved_in} in, {moved_out} out")
    for name, value in view.params.items():
        yield _fact("Param", f"{name} = {value}")
    for note in view.notes:
        yield _fact("Note", note)


def _step(step: StepView) -> Iterator[Text]:
    status = step.status
    yield Text.assemble(("Step ", "bold"), (printable(step.name), "bold"), "  ", cell(step.state))
    said = ": ".join(str(status[name]) for name in ("reason", "message") if status.get(name))
    if said and status.get("reason") != "Succeeded":
        yield _fact("why", said, 2)
    if step.seconds is not None:
        attempts = status.get("attempt") or 1
        yield _fact("took", duration(step.seconds) + (f", attempt {attempts}" if attempts > 1 else ""), 2)
    if reuse_words(step):
        yield _fact("reuse", reuse_words(step), 2)
    for given in step.inputs:
        yield _fact("in", _input(given), 2)
    if status.get("stageInSeconds") is not None:
        staged = f"{size_for_people(status.get('bytesIn') or 0)} in {duration(status['stageInSeconds'])}"
        yield _fact("staged in", staged, 2)
    for output in step.outputs:
        yield _fact("out", _output(output), 2)
    for metric in status.get("metrics") or ():
        yield _fact("metric", f"{metric.get('name')} = {metric.get('value')}", 2)
    for note in status.get("notes") or ():
        yield _fact("note", str(note), 2)
    if status.get("logTail"):
        yield Text("  last lines")
        yield from (Text(f"    {log_line(line, False)}") for line in str(status["logTail"]).splitlines())


def _input(given: InputView) -> str:
    parts = [f"{given.name} <- {given.words}", data_words(given.data), transform_words(given.transforms)]
    return "  ".join(part for part in parts if part)


def _output(output: OutputView) -> str:
    place = f"{output.dataset}@{output.version}" if output.version else ""
    parts = [f"{output.name} -> {place or output.datastore}", data_words(output.data, output.seconds)]
    return "  ".join(part for part in parts if part)


def transform_words(transforms: Sequence[Mapping[str, object]]) -> str:
    """Such as `sample, split`: the whole of them stands in the plan."""
    words = ", ".join(name for one in transforms for name in one)
    return f"view: {words}" if words else ""


def _fact(name: str, value: str, indent: int = 0) -> Text:
    return Text(f"{' ' * indent}{name:<{_WIDTH}} ").append_text(cell(value))


def _ago(written: str | None, now: datetime) -> str:
    return f" ({age(written, now)} ago)" if written else ""
