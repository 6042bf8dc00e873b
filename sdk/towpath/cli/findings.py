"""A workspace's objects → what is in order and what is not, each with what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from towpath.backend import Kind, Manifest
from towpath.cli.columns import condition_of, why_not_ready
from towpath.cli.sizes import age, moment
from towpath.flow import names

# An operator that is at work has looked at a new object long before.
UNSEEN_SECONDS = 60.0
Objects = Mapping[Kind, Sequence[Manifest]]


class Verdict(StrEnum):
    """How bad it is."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    hint: str = ""


def findings(objects: Objects, now: datetime) -> list[Finding]:
    """All that can be said of these objects."""
    return [
        *_operator(objects, now),
        *_default(objects[Kind.DATASTORE]),
        *(_ready("Datastore", one) for one in objects[Kind.DATASTORE]),
        *(_ready("Dataset", one) for one in objects[Kind.DATASET]),
        *(_ready("Pipeline", one) for one in objects[Kind.PIPELINE]),
        *(found for run in objects[Kind.PIPELINE_RUN] for found in _run(run, now)),
        *_alike(objects[Kind.DATASET]),
    ]


def _operator(objects: Objects, now: datetime) -> Iterator[Finding]:
    everything = [one for kind in objects for one in objects[kind] if kind is not Kind.DATASET_VERSION]
    unseen = [
        one for one in everything if not (one.get("status") or {}) and _seconds_old(one, now) > UNSEEN_SECONDS
    ]
    if unseen:
        some = ", ".join(f"{one['kind']} {one['metadata']['name']}" for one in unseen[:3])
        yield Finding(
            Verdict.BAD,
            f"Nobody has looked at {len(unseen)} objects, such as {some}",
            "No operator is at work in this namespace: it is not running, or the namespace is not among the chart's "
            "watchNamespaces (`helm get values RELEASE`, `kubectl get pods -A -l app.kubernetes.io/name=towpath`).",
        )
    elif everything:
        yield Finding(Verdict.GOOD, f"{len(everything)} objects, all looked at")


def _default(datastores: Iterable[Manifest]) -> Iterator[Finding]:
    if not any(one["metadata"]["name"] == names.DEFAULT_DATASTORE for one in datastores):
        yield Finding(
            Verdict.WARNING,
            "There is no Datastore named default",
            "Outputs and sources that name no datastore need it: `towpath add datastore default ...`.",
        )


def _ready(kind: str, thing: Manifest) -> Finding:
    name, why = thing["metadata"]["name"], why_not_ready(thing)
    if not why:
        return Finding(Verdict.GOOD, f"{kind} {name} is Ready")
    if condition_of(thing, "Ready").get("reason") == "NoVersion":
        return Finding(Verdict.GOOD, f"{kind} {name} has no version yet")
    again = f" Then: towpath refresh {kind.lower()} {name}" if kind != "Pipeline" else ""
    return Finding(Verdict.BAD, f"{kind} {name} is not Ready: {why}", f"Do what it says.{again}")


def _run(run: Manifest, now: datetime) -> Iterator[Finding]:
    name, status = run["metadata"]["name"], run.get("status") or {}
    if status.get("state") == "Waiting":
        since = age(status.get("startTime"), now)
        yield Finding(
            Verdict.WARNING,
            f"Run {name} waits since {since}: {status.get('message')}",
            f"towpath cancel {name} stops it; it goes on by itself once that is there.",
        )
    waiting = [step for step in status.get("steps") or () if _is_stuck(step)]
    for step in waiting:
        yield Finding(
            Verdict.WARNING,
            f"Step {step['name']} of run {name} waits ({step.get('reason')}): {step.get('message')}",
            f"towpath why {name}/{step['name']} says what that means.",
        )


def _is_stuck(step: Mapping[str, Any]) -> bool:
    passing = {
        "Starting",
        "StagingIn",
        "Publishing",
        "VerifyingReuse",
        "WaitingForSteps",
        "Retrying",
        "Merging",
    }
    return step.get("state") == "Waiting" and step.get("reason") not in passing


def _alike(datasets: Iterable[Manifest]) -> Iterator[Finding]:
    for one in datasets:
        given = (one["metadata"].get("annotations") or {}).get(names.GIVEN_NAME_ANNOTATION)
        name = one["metadata"]["name"]
        if given and names.object_name(given) != name:
            yield Finding(
                Verdict.WARNING,
                f"Dataset {name} says that it was given the name {given}, which is another object's",
                f"kubectl annotate datasets.towpath.dev {name} {names.GIVEN_NAME_ANNOTATION}-",
            )


def _seconds_old(one: Manifest, now: datetime) -> float:
    born = moment(one["metadata"].get("creationTimestamp"))
    return (now - born).total_seconds() if born else 0.0
