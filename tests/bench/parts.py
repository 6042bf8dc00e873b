"""A step's time split into its parts, from real runs: what a watcher of its Jobs and pods sees, to the millisecond.

The times in pods' statuses are whole seconds; so each change is timed when it arrives, which is when the operator hears
of it. `publish` waits beside the command, so both ends are of one pod.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from subprocess import Popen
from threading import Thread
from typing import Any, NamedTuple

from bench.steps import CHAIN, chain_steps
from e2e.tenant import Tenant
from towpath.flow import names

ROUNDS = 3
PARTS = {
    "schedule": "its Job is there → stage-in runs (pod made, bound, sandbox set up)",
    "stage-in": "→ stage-in has ended",
    "run": "→ the command has ended",
    "publish": "→ publish has ended",
    "hand-off": "→ the next step's Job is there, or the run's completionTime",
}


class Change(NamedTuple):
    """A Job, or a pod with its status, as a watcher saw it, and when."""

    seconds: float
    labels: dict[str, str]
    pod: dict[str, Any] | None


def report(tenant: Tenant) -> list[str]:
    """The parts' medians over all steps of some chains, a line each."""
    split = [parts for _ in range(ROUNDS) for parts in _chain(tenant)]
    lines = [
        f"  {name:9} {statistics.median(parts[name] for parts in split):5.2f} s  {what}"
        for name, what in PARTS.items()
    ]
    whole = statistics.median(sum(parts.values()) for parts in split)
    return [
        f"a step of a chain: {whole:.2f} s (medians of {len(split)} steps, as a watcher sees them)",
        *lines,
    ]


def _chain(tenant: Tenant) -> list[dict[str, float]]:
    """The parts of each step of one run."""
    changes: list[Change] = []
    with _watched(tenant, changes):
        run = tenant.start_steps(*chain_steps())
        tenant.finish(run, 120)
        ended = time.monotonic()
    of_run = sorted(
        (one for one in changes if one.labels[names.RUN_LABEL] == run), key=lambda one: one.seconds
    )
    steps = [[one for one in of_run if one.labels[names.STEP_LABEL] == f"s{n}"] for n in range(1, CHAIN + 1)]
    ends = [*(seen[0].seconds for seen in steps[1:]), ended]
    return [_parts(seen, end) for seen, end in zip(steps, ends, strict=True)]


def _parts(seen: list[Change], end: float) -> dict[str, float]:
    """The parts of a step from what was seen of its Job and pod until the next one began."""
    moments = [
        next(change.seconds for change in seen if change.pod is None),
        _first(seen, _has_begun("initContainerStatuses", "stage-in")),
        _first(seen, _has_ended("initContainerStatuses", "stage-in")),
        _first(seen, _has_ended("containerStatuses", "step")),
        _first(seen, _has_ended("containerStatuses", "publish")),
        end,
    ]
    return {name: later - earlier for name, (earlier, later) in zip(PARTS, pairwise(moments), strict=True)}


def _first(seen: list[Change], is_so: Callable[[dict[str, Any]], bool]) -> float:
    return next(change.seconds for change in seen if change.pod is not None and is_so(change.pod))


def _has_begun(kind: str, name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda pod: not _state(pod, kind, name).keys().isdisjoint(("running", "terminated"))


def _has_ended(kind: str, name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda pod: "terminated" in _state(pod, kind, name)


def _state(pod: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """The state of a container, empty before it is known."""
    states = {status["name"]: status["state"] for status in pod.get(kind, ())}
    found: dict[str, Any] = states.get(name, {})
    return found


@contextmanager
def _watched(tenant: Tenant, changes: list[Change]) -> Iterator[None]:
    """Note every change of the Jobs and pods of steps, until the block ends."""
    with ExitStack() as watches:
        for kind, printed in (("jobs", "null"), ("pods", "{.status}")):
            selector = f"{names.COMPONENT_LABEL}={names.STEP_COMPONENT}"
            words = ["-n", tenant.namespace, "get", kind, "--watch", "--selector", selector]
            watching = tenant.tools.kubectl.watch(
                *words, f'--output=jsonpath=[{{.metadata.labels}},{printed}]{{"\\n"}}'
            )
            watches.enter_context(watching)
            watches.callback(watching.kill)
            Thread(target=_note, args=(watching, changes), daemon=True).start()
        yield


def _note(watching: Popen[str], changes: list[Change]) -> None:
    assert watching.stdout is not None
    for line in watching.stdout:
        changes.append(Change(time.monotonic(), *json.loads(line)))
