"""Waiting for a run or a step: what happens is told as it does; a timeout is an error, and Ctrl-C ends no run."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from towpath.backend import Backend, Container, Kind, Manifest
from towpath.errors import ActivityFailedException, NotFoundError, TowpathError, WaitTimeoutError
from towpath.run_progress import Status, failed_steps, failure_text, new_lines

# Azure ML's "no limit" is the largest integer.
_NO_LIMIT = 10**9
_LAST_LINES = 20


class Wait(NamedTuple):
    """How long to wait, None for as long as it takes, and whether to tell what happens on standard error."""

    timeout_seconds: float | None = None
    show_output: bool = True


def wait_for(backend: Backend, run: str, is_over: Callable[[Status], bool], wait: Wait) -> Manifest:
    """Return the run as soon as its status is over; WaitTimeoutError when the time is."""
    before: Status = {}
    limit = wait.timeout_seconds if (wait.timeout_seconds or 0) < _NO_LIMIT else None
    try:
        for found in backend.watch(Kind.PIPELINE_RUN, run, limit):
            status = found.get("status") or {}
            if wait.show_output:
                _tell(run, new_lines(before, status))
            if is_over(status):
                return found
            before = status
    except KeyboardInterrupt:
        _tell(run, ["you no longer wait for it, and it goes on; end it with cancel()"])
        raise
    raise _not_over(backend, run, before, limit)


def failure_of(backend: Backend, run: Manifest) -> ActivityFailedException:
    """What a run that did not succeed ended with, and the last lines of its failed steps' logs."""
    status = run["status"]
    tails = {step["name"]: _last_lines(backend, run, step) for step in failed_steps(status)}
    return ActivityFailedException(failure_text(run["metadata"]["name"], status, tails))


def _not_over(backend: Backend, run: str, status: Status, limit: float | None) -> Exception:
    if backend.get(Kind.PIPELINE_RUN, run) is None:
        return NotFoundError(f"Run {run} was deleted while you waited for it.")
    state = status.get("state") or "Waiting"
    after = f" after {limit:g} s" if limit is not None else ""
    return WaitTimeoutError(f"Run {run} is {state}{after}, and goes on: wait again, or end it with cancel().")


def _last_lines(backend: Backend, run: Manifest, step: Mapping[str, Any]) -> Iterable[str]:
    """The end of a failed step's log: from the status, else from the pod, if that is still there."""
    if step.get("logTail"):
        return str(step["logTail"]).splitlines()[-_LAST_LINES:]
    try:
        lines = backend.logs(run, step["name"], Container.STEP)
        return deque((line.text for line in lines), maxlen=_LAST_LINES)
    except TowpathError as error:
        # That the run failed is the news, not that its log cannot be read.
        return [f"(its log cannot be read: {error})"]


def _tell(run: str, lines: Iterable[str]) -> None:
    for line in lines:
        print(f"{run}: {line}", file=sys.stderr, flush=True)  # noqa: T201 - it was asked for
