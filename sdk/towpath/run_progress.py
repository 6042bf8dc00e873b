"""A run's status, before and now → the lines that tell what happened; and what went wrong, in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from towpath.api.runstatus import RunState, StepState
from towpath.flow.status import size_for_people

Status = Mapping[str, Any]

ENDED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
STEP_ENDED = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED, StepState.CANCELLED})
# Of a wide run whose steps all fail, more would say nothing new.
_MOST_FAILURES = 3


def has_ended(status: Status) -> bool:
    """Whether nothing more will happen to the run."""
    return "completionTime" in status


def new_lines(before: Status, now: Status) -> list[str]:
    """What to tell of the change: a line for each step that is in another state, and one for the run."""
    known = {step["name"]: step for step in steps_of(before)}
    lines = [
        step_line(step)
        for step in steps_of(now)
        if _told_of(step) != _told_of(known.get(step["name"], {})) and step.get("state") != StepState.PENDING
    ]
    if _told_of(now) != _told_of(before) and not steps_of(now):
        lines.append(f"{now.get('state', RunState.WAITING)}{_message(now)}")
    return lines


def step_line(step: Status) -> str:
    """Such as `train: Succeeded, 2 files, 3.8 kB`, or `train: Waiting (Unschedulable): 0/1 nodes …`."""
    reason = f" ({step['reason']})" if step.get("reason") and step["state"] != StepState.SUCCEEDED else ""
    again = f", attempt {step['attempt']}" if step.get("attempt", 0) > 1 else ""
    return f"{step['name']}: {step['state']}{reason}{again}{_published(step)}{_message(step)}"


def steps_of(status: Status) -> list[dict[str, Any]]:
    """The steps of a run's status, in the order of the plan."""
    return list(status.get("steps") or ())


def failed_steps(status: Status) -> list[dict[str, Any]]:
    """The steps that failed, at most a few, in the order of the plan."""
    failed = [step for step in steps_of(status) if step.get("state") == StepState.FAILED]
    return failed[:_MOST_FAILURES]


def failure_text(run: str, status: Status, tails: Mapping[str, Iterable[str]]) -> str:
    """What went wrong: the run's message, and of each failed step its own and the last lines of its log."""
    text = f"Run {run} ended {status.get('state', RunState.FAILED)}{_message(status)}"
    for step in failed_steps(status):
        text += f"\n{step_line(step)}"
        text += "".join(f"\n    {line}" for line in tails.get(step["name"], ()))
    return text


def _told_of(thing: Status) -> tuple[Any, ...]:
    # A message alone, such as how long the scheduler has been trying, is no news.
    return thing.get("state"), thing.get("reason"), thing.get("attempt")


def _published(step: Status) -> str:
    outputs = step.get("outputs") or ()
    if step["state"] != StepState.SUCCEEDED or not outputs:
        return ""
    files, size = (sum(output[field] for output in outputs) for field in ("files", "bytes"))
    reused = f", reused from {step['reusedFrom']['run']}" if step.get("reusedFrom") else ""
    return f", {files} file{'' if files == 1 else 's'}, {size_for_people(size)}{reused}"


def _message(thing: Status) -> str:
    message = thing.get("message")
    return f": {message}" if message and thing.get("state") != RunState.SUCCEEDED else ""
