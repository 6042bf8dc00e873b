"""Who has done, or is doing, which work: steps by their fingerprint, kept beside the store of runs as events come in.

An index, not a copy: it holds names and times, and what a step published is read from its run when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from towpath.flow import names
from towpath_operator.cluster.resources import PIPELINE_RUNS, Key
from towpath_operator.cluster.store import Store

Json = dict[str, Any]

_FINAL = ("Succeeded", "Failed", "Skipped", "Cancelled")


class StepOf(NamedTuple):
    """A step of a run, by their names."""

    run: str
    step: str


class Work(NamedTuple):
    """What identifies work in a namespace: a fingerprint, or a pipeline and the name of a step."""

    namespace: str
    of: str | tuple[str, str]


class _Fact(NamedTuple):
    """A step has done a work, or is at it (`ended_at` is None)."""

    work: Work
    step: StepOf
    uid: str
    ended_at: str | None


class _Newest:
    """Steps and when they ended; the newest of them is known without looking at all."""

    __slots__ = ("_newest", "_times")

    def __init__(self) -> None:
        self._times: dict[StepOf, str] = {}
        self._newest: StepOf | None = None

    def add(self, step: StepOf, time: str) -> None:
        self._times[step] = time
        if self._newest is None or time >= self._times[self._newest]:
            self._newest = step

    def remove(self, step: StepOf) -> bool:
        """Forget a step; whether none is left."""
        self._times.pop(step, None)
        if step == self._newest:
            self._newest = max(self._times, key=lambda one: self._times[one], default=None)
        return not self._times

    @property
    def newest(self) -> StepOf | None:
        return self._newest


class WorkIndex:
    """Follows the runs and the Jobs of their steps; `wake` is told of runs that waited for what has changed."""

    def __init__(self, runs: Store, wake: Callable[[Key], None]) -> None:
        self._runs, self._wake = runs, wake
        self._done: dict[Work, _Newest] = {}
        self._running: dict[Work, dict[str, str]] = {}
        self._jobs: dict[Work, dict[str, Json]] = {}
        self._claims: dict[Work, tuple[str, str]] = {}
        self._waiting: dict[Work, set[Key]] = {}
        self._known: dict[Key, tuple[_Fact, ...]] = {}

    def run_changed(self, run: Json) -> None:
        """Take in what a run says of its steps, or that it is gone."""
        key = PIPELINE_RUNS.key(run)
        is_there = self._runs.get(*key[1:]) is not None and "deletionTimestamp" not in run["metadata"]
        before, after = self._known.pop(key, ()), tuple(_facts(run)) if is_there else ()
        for fact in set(before).difference(after):
            self._forget(fact)
        for fact in set(after).difference(before) if before else after:
            self._learn(fact)
        if after:
            self._known[key] = after

    def job_changed(self, job: Json, is_there: bool) -> None:
        """Take in which work a step's Job is for."""
        fingerprint = job["metadata"]["annotations"].get(names.FINGERPRINT_ANNOTATION)
        if not fingerprint:
            return
        name, work = job["metadata"]["name"], Work(job["metadata"]["namespace"], fingerprint)
        if is_there:
            self._jobs.setdefault(work, {})[name] = job
        elif self._jobs.get(work, {}).pop(name, None) and not self._jobs[work]:
            del self._jobs[work]
            self._tell(work)

    def done(self, work: Work) -> StepOf | None:
        """The step that did this work last, of those whose run exists."""
        found = self._done.get(work)
        return found.newest if found else None

    def computing(self, work: Work, except_uid: str) -> str | None:
        """The name of another run that is doing this work."""
        for uid, run in self._doing(work):
            if uid != except_uid:
                return run
        return None

    def claim(self, work: Work, uid: str, run: str) -> None:
        """A run is about to make a Job for this work: until that is seen, nobody else may."""
        self._claims[work] = (uid, run)

    def release(self, work: Work, uid: str) -> None:
        """The Job is made, or will not be."""
        if self._claims.get(work, ("", ""))[0] == uid:
            del self._claims[work]
            self._tell(work)

    def wait(self, work: Work, run: Key) -> None:
        """A run wants to look again when something changes about this work."""
        self._waiting.setdefault(work, set()).add(run)

    def _learn(self, fact: _Fact) -> None:
        if fact.ended_at is None:
            self._running.setdefault(fact.work, {})[fact.uid] = fact.step.run
        else:
            self._done.setdefault(fact.work, _Newest()).add(fact.step, fact.ended_at)
            self._tell(fact.work)

    def _forget(self, fact: _Fact) -> None:
        if fact.ended_at is not None:
            if fact.work in self._done and self._done[fact.work].remove(fact.step):
                del self._done[fact.work]
        elif self._running.get(fact.work, {}).pop(fact.uid, None):
            if not self._running[fact.work]:
                del self._running[fact.work]
            self._tell(fact.work)

    def _doing(self, work: Work) -> Iterator[tuple[str, str]]:
        if work in self._claims:
            yield self._claims[work]
        yield from self._running.get(work, {}).items()
        for job in self._jobs.get(work, {}).values():
            run = self._run_of(job)
            if run is not None and not _is_final(run, job):
                yield run["metadata"]["uid"], run["metadata"]["name"]

    def _run_of(self, job: Json) -> Json | None:
        owners = job["metadata"].get("ownerReferences") or ({"name": "", "uid": ""},)
        run = self._runs.get(job["metadata"]["namespace"], owners[0]["name"])
        return run if run and run["metadata"]["uid"] == owners[0]["uid"] else None

    def _tell(self, work: Work) -> None:
        for key in self._waiting.pop(work, ()):
            self._wake(key)


def _facts(run: Json) -> Iterator[_Fact]:
    meta = run["metadata"]
    for step in (run.get("status") or {}).get("steps", ()):
        if "fingerprint" not in step:
            continue
        of, work = StepOf(meta["name"], step["name"]), Work(meta["namespace"], step["fingerprint"])
        if step["state"] == "Succeeded":
            ended_at = step.get("completionTime", "")
            yield _Fact(work, of, meta["uid"], ended_at)
            place = Work(meta["namespace"], (pipeline_of(run), step["name"]))
            yield _Fact(place, of, meta["uid"], ended_at)
        elif step["state"] not in _FINAL and step.get("attempt"):
            yield _Fact(work, of, meta["uid"], None)


def pipeline_of(run: Json) -> str:
    """What tells pipelines apart for steps of one name; runs with a pipeline of their own share the empty name."""
    return str((run["spec"].get("pipelineRef") or {}).get("name", ""))


def _is_final(run: Json, job: Json) -> bool:
    """Whether the step that a Job is of has ended by its run's own word."""
    status: Mapping[str, Any] = run.get("status") or {}
    name = job["metadata"]["annotations"].get(names.STEP_NAME_ANNOTATION)
    state = next((step["state"] for step in status.get("steps", ()) if step["name"] == name), "")
    return bool(status.get("completionTime")) or state in _FINAL
