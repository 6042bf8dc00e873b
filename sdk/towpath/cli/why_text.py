"""Explanations → lines for people, and a document for programmes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from towpath.cli.columns import condition_of
from towpath.cli.explain import Explained, run_meaning
from towpath.cli.output import cell
from towpath.cli.printable import printable
from towpath.cli.run_view import RunView


def why_lines(view: RunView, found: Sequence[Explained]) -> Iterator[Text]:
    """The run's own reason, then each step's."""
    succeeded = condition_of(view.manifest, "Succeeded")
    reason = str(succeeded.get("reason") or "")
    yield Text.assemble(
        (printable(f"run {view.name}"), "bold"), "  ", cell(str(view.status.get("state") or "New"))
    )
    if reason:
        yield from _reason(reason, run_meaning(reason), str(succeeded.get("message") or ""))
    for one in found:
        yield from _step(one)


def why_document(view: RunView, found: Sequence[Explained]) -> dict[str, Any]:
    """The same as data."""
    succeeded = condition_of(view.manifest, "Succeeded")
    return {
        "run": view.name,
        "state": view.status.get("state"),
        "reason": succeeded.get("reason"),
        "message": succeeded.get("message"),
        "steps": [_document(one) for one in found],
    }


def _step(one: Explained) -> Iterator[Text]:
    yield Text.assemble((printable(one.step.name), "bold"), "  ", cell(one.step.state))
    taken = one.step.status.get("reusedFrom")
    if taken:
        step = f", step {taken['step']}" if taken.get("step") else ""
        yield Text(
            f"  its work was computed already: taken from run {printable(str(taken.get('run')))}{printable(step)}"
        )
    elif one.reason != "Succeeded":
        yield from _reason(one.reason, one.meaning, one.message)
    if one.miss:
        yield from _miss(one)
    if one.step.status.get("logTail"):
        run = "its last lines are shown by `towpath describe run`, all of them by `towpath logs`"
        yield Text(f"  {run}")


def _miss(one: Explained) -> Iterator[Text]:
    run, changed = one.miss.get("run"), one.miss.get("components") or ()
    against = f" (compared with run {run})" if run else ""
    parts = f": {', '.join(changed)}" if changed else ""
    reason = str(one.miss.get("reason"))
    yield Text(f"  it was run: {printable(reason + parts + against)}")
    if one.miss.get("message"):
        yield Text(f"    {printable(str(one.miss['message']))}")
    elif one.miss_meaning and not changed:
        yield Text(f"    {one.miss_meaning}")
    for difference in one.differences:
        yield Text(
            f"    {printable(difference.what)}: was {printable(difference.before)}, is {printable(difference.now)}"
        )
    if changed and not one.differences:
        yield Text("    what the earlier run had is not there any more: the run or its plan is gone")


def _reason(reason: str, meaning: str, message: str) -> Iterator[Text]:
    if reason:
        yield Text(f"  {printable(reason)}: {meaning}" if meaning else f"  {printable(reason)}")
    if message:
        yield Text(f"    {printable(message)}")


def _document(one: Explained) -> dict[str, Any]:
    told = {
        "name": one.step.name,
        "state": one.step.state,
        "reason": one.reason,
        "meaning": one.meaning,
        "message": one.message,
        "reusedFrom": one.step.status.get("reusedFrom"),
        "reuseMiss": dict(one.miss),
        "differences": [
            {"component": two.component, "what": two.what, "before": two.before, "now": two.now}
            for two in one.differences
        ],
    }
    return {name: value for name, value in told.items() if value}
