"""The index of work: who did it last, who is at it, and who is woken when that changes; it forgets what is gone."""

from __future__ import annotations

from typing import Any

import pytest

from builders import make_run
from towpath.flow import names
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.resources import Key
from towpath_operator.cluster.work import StepOf, Work

Json = dict[str, Any]

PRINT = "sha256:" + "a" * 64
WORK = Work("team-a", PRINT)
WAITING = Key("PipelineRun", "team-a", "waiting")


class Seen:
    """A cache, and the runs and Jobs that were put into it."""

    def __init__(self) -> None:
        self.queue = KeyedQueue()
        self.cache = Cache(self.queue)
        self.work = self.cache.work
        self._version = 0

    def run(self, name: str, *steps: Json, **status: Any) -> Json:
        body = make_run(name)
        self._version += 1
        body["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": str(self._version)}
        item = body | {"status": {"steps": list(steps), **status}}
        self.cache.runs.put(item)
        return item

    def job(self, run: str, step: str = "prep") -> Json:
        self._version += 1
        annotations = {names.FINGERPRINT_ANNOTATION: PRINT, names.STEP_NAME_ANNOTATION: step}
        owner = {"kind": "PipelineRun", "name": run, "uid": f"uid-{run}"}
        meta: Json = {
            "name": f"{run}-{step}",
            "namespace": "team-a",
            "uid": f"job-{run}",
            "annotations": annotations,
        }
        meta |= {"labels": {}, "ownerReferences": [owner], "resourceVersion": str(self._version)}
        item = {"metadata": meta, "spec": {}, "status": {}}
        self.cache.jobs.put(item)
        return item

    def is_woken(self) -> bool:
        """Whether the waiting run is marked, and for nothing else."""
        return WAITING in self.queue._waiting


@pytest.fixture
def seen() -> Seen:
    return Seen()


def done(time: str = "2026-06-01T12:00:00Z", name: str = "prep") -> Json:
    return {"name": name, "state": "Succeeded", "fingerprint": PRINT, "completionTime": time}


def going(state: str = "Running", attempt: int = 1) -> Json:
    return {"name": "prep", "state": state, "fingerprint": PRINT, "attempt": attempt}


def test_the_last_that_did_a_work_is_found_whatever_the_order_of_events(seen: Seen) -> None:
    seen.run("second", done("2026-06-01T13:00:00Z"))
    seen.run("first", done("2026-06-01T12:00:00Z"))

    assert seen.work.done(WORK) == StepOf("second", "prep")


def test_the_one_before_is_found_when_the_last_is_deleted(seen: Seen) -> None:
    seen.run("first", done("2026-06-01T12:00:00Z"))
    second = seen.run("second", done("2026-06-01T13:00:00Z"))

    seen.cache.runs.remove(second)

    assert seen.work.done(WORK) == StepOf("first", "prep")


def test_a_run_that_is_being_deleted_has_done_nothing(seen: Seen) -> None:
    item = seen.run("only", done())
    meta = item["metadata"] | {"deletionTimestamp": "2026-06-01T14:00:00Z", "resourceVersion": "99"}

    seen.cache.runs.put(item | {"metadata": meta})

    assert seen.work.done(WORK) is None


def test_nothing_is_left_of_runs_that_are_gone(seen: Seen) -> None:
    items = [seen.run(f"r{number}", done(), going()) for number in range(3)]

    for item in items:
        seen.cache.runs.remove(item)

    assert (seen.work._done, seen.work._running, seen.work._known) == ({}, {}, {})


def test_a_step_is_found_by_its_pipeline_and_its_name(seen: Seen) -> None:
    seen.run("first", done())

    assert seen.work.done(Work("team-a", ("iris", "prep"))) == StepOf("first", "prep")
    assert seen.work.done(Work("team-a", ("other", "prep"))) is None
    assert seen.work.done(Work("team-b", ("iris", "prep"))) is None


@pytest.mark.parametrize(("state", "attempt"), [("Running", 1), ("Waiting", 2)])
def test_a_step_that_has_begun_is_at_it_until_it_ends(seen: Seen, state: str, attempt: int) -> None:
    seen.run("other", going(state, attempt))
    assert seen.work.computing(WORK, "uid-mine") == "other"
    assert seen.work.computing(WORK, "uid-other") is None
    seen.work.wait(WORK, WAITING)

    seen.run("other", going("Failed"))

    assert seen.work.computing(WORK, "uid-mine") is None
    assert seen.is_woken()


def test_a_job_is_at_it_before_any_status_says_so(seen: Seen) -> None:
    """As an operator finds it that comes after one which was killed."""
    seen.run("other", {"name": "prep", "state": "Pending"})
    job = seen.job("other")
    assert seen.work.computing(WORK, "uid-mine") == "other"
    seen.work.wait(WORK, WAITING)

    seen.cache.jobs.remove(job)

    assert seen.work.computing(WORK, "uid-mine") is None
    assert seen.is_woken()


def test_a_job_counts_no_more_when_its_step_has_ended_or_its_run_is_gone(seen: Seen) -> None:
    seen.job("other")
    assert seen.work.computing(WORK, "uid-mine") is None

    seen.run("other", going("Failed"))

    assert seen.work.computing(WORK, "uid-mine") is None


def test_a_claim_holds_until_it_is_released_by_its_own_run(seen: Seen) -> None:
    seen.work.claim(WORK, "uid-other", "other")
    seen.work.wait(WORK, WAITING)

    seen.work.release(WORK, "uid-mine")
    assert (seen.work.computing(WORK, "uid-mine"), seen.is_woken()) == ("other", False)

    seen.work.release(WORK, "uid-other")
    assert (seen.work.computing(WORK, "uid-mine"), seen.is_woken()) == (None, True)


def test_whoever_waits_is_woken_when_the_work_is_done(seen: Seen) -> None:
    seen.run("other", going())
    seen.work.wait(WORK, WAITING)

    seen.run("other", done())

    assert seen.is_woken()
    assert seen.work.done(WORK) == StepOf("other", "prep")
