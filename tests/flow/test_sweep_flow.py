"""When a Datastore is swept, and what its status says of that."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import builders
from flow import sightings
from flow.sightings import LIMITS, NOON, a_pod, a_version, container, failure_report, later
from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore, DatastoreStatus
from towpath.flow import names
from towpath.flow.observed import ObservedMover
from towpath.flow.sweep_flow import SweepDecision, SweepSources, decide_sweep
from towpath.flow.verdicts import Moment

DAY = 86_400
REPORT = json.dumps({"formatVersion": 1, "attempts": 1, "objects": 3, "bytes": 42, "young": 2})


def a_dataset(name: str = "model", last: int = 3, **spec: Any) -> Dataset:
    """A Dataset whose versions come from runs, and whose deleted versions take their data along."""
    body = builders.make_dataset(name, **({"sources": [], "deletionPolicy": "Delete"} | spec))
    return Dataset.parse(sightings.ready(body, lastVersion=last))


def version(number: int, attempt: str = "1-pod", dataset: str = "model") -> DatasetVersion:
    """A version that step `train` of run `r<number>` wrote."""
    path = f"team-a/datasets/{dataset}/r{number}-0a1b2c3d/train/{attempt}/out/inventory.jsonl.gz"
    return a_version(dataset, number, inventory=builders.make_inventory_ref(path=path))


def sources(*numbers: int, **fields: Any) -> SweepSources:
    """The datastore `default` with a Dataset of which these versions exist."""
    there = SweepSources(a_datastore(), (a_dataset(),), tuple(version(one) for one in numbers))
    return replace(there, **fields)


def decided(given: SweepSources, seconds: float = 0) -> SweepDecision:
    return decide_sweep(given, Moment(later(seconds), LIMITS))


def ended(given: SweepSources, code: int = 0, text: str | None = REPORT, seconds: float = 0) -> SweepDecision:
    """What is decided when the sweep that is due has ended so."""
    ask = decided(given, seconds).ask
    assert ask is not None
    mover = ObservedMover("job", ask, later(seconds), a_pod(container("sweep", code, message=text)))
    return decided(replace(given, sweeps=(mover,)), seconds)


def report(**fields: Any) -> str:
    return json.dumps({"formatVersion": 1, "attempts": 1, "objects": 3, "bytes": 42} | fields)


def asking(value: str, given: SweepSources) -> SweepSources:
    """The same with the annotation by which people ask for a sweep."""
    meta = given.datastore.metadata.model_copy(update={"annotations": {names.SWEEP_ANNOTATION: value}})
    return replace(given, datastore=given.datastore.model_copy(update={"metadata": meta}))


def a_finished_run(name: str = "done", seconds_ago: float = 0, **status: Any) -> dict[str, Any]:
    """A run that ended so long before noon."""
    body = builders.make_run(name)
    end = later(-seconds_ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    return body | {
        "metadata": body["metadata"] | {"uid": sightings.RUN_UID},
        "status": {"completionTime": end} | status,
    }


def a_datastore(**spec: Any) -> Datastore:
    """The datastore `default`, made at noon."""
    body = sightings.ready(builders.make_datastore(**spec))
    return Datastore.parse(
        body | {"metadata": body["metadata"] | {"creationTimestamp": "2026-06-01T12:00:00Z"}}
    )


def swept(given: SweepSources, code: int = 0, text: str | None = REPORT, seconds: float = 0) -> SweepSources:
    """The same after the sweep that is due has ended so."""
    status = ended(given, code, text, seconds).status
    assert status is not None
    store = given.datastore.model_copy(update={"status": DatastoreStatus.model_validate(status)})
    return replace(given, datastore=store, sweeps=())


def test_a_sweep_begins_when_a_version_is_gone_whose_dataset_says_delete() -> None:
    assert decided(sources(1, 3)).ask is not None
    assert decided(sources(1, 2, 3)).ask is None


@pytest.mark.parametrize(
    "fields",
    [
        {"datasets": (a_dataset(deletionPolicy="Retain"),)},
        {"datasets": (a_dataset(sources=[{"path": "x"}]),)},
        {"datastore": a_datastore(readOnly=True)},
        {"datastore": Datastore.parse(sightings.ready(builders.make_datastore(), status="False"))},
    ],
    ids=["retain", "sources in place", "read-only", "not ready"],
)
def test_no_sweep_begins_at_once_where_data_stays_or_cannot_be_deleted(fields: dict[str, Any]) -> None:
    assert decided(sources(1, **fields)).ask is None


@pytest.mark.parametrize("fields", [{"datastore": a_datastore(readOnly=True)}, {"runs": (), "versions": ()}])
def test_a_datastore_that_is_read_only_or_where_nothing_is_is_never_swept(fields: dict[str, Any]) -> None:
    given = replace(SweepSources(a_datastore(), runs=(a_finished_run(),)), **fields)

    assert decided(given, 10 * DAY).ask is None


def test_what_ended_is_swept_a_day_after_the_datastore_was_made_or_swept_and_once() -> None:
    given = SweepSources(a_datastore(), runs=(a_finished_run(),))
    assert decided(given, DAY - 1) == SweepDecision(check_after_seconds=1)

    done = swept(given, text=report(), seconds=DAY)

    assert decided(done, 20 * DAY).ask is None
    more = replace(done, runs=(*done.runs, a_finished_run("another")))
    assert decided(more, 2 * DAY - 1) == SweepDecision(check_after_seconds=1)
    assert decided(more, 2 * DAY).ask is not None
    assert decided(replace(done, runs=()), 2 * DAY).ask is not None


def test_a_gap_in_the_numbers_of_versions_costs_one_sweep_and_not_one_a_day() -> None:
    done = swept(sources(1, 3), text=report())

    assert decided(done, 365 * DAY).ask is None
    assert decided(replace(done, versions=(version(3),)), 1).ask is not None


def test_what_was_too_young_is_looked_at_again_a_day_later() -> None:
    done = swept(sources(1, 3))

    assert done.datastore.status.swept == (
        "Deleted 1 attempts of steps: 3 objects, 42 bytes. 2 more are too young."
    )
    assert decided(done, DAY - 1) == SweepDecision(check_after_seconds=1)
    assert decided(done, DAY).ask is not None


def test_a_sweep_whose_time_was_up_goes_on_after_ten_minutes() -> None:
    done = swept(sources(1, 3), text=report(left=True))

    assert (done.datastore.status.swept or "").endswith("Its time was up; it goes on later.")
    assert decided(done, 599) == SweepDecision(check_after_seconds=1)
    assert decided(done, 600).ask is not None


def test_whoever_asks_by_the_annotation_gets_one_sweep() -> None:
    given = asking("now", sources(1, 2, 3))
    decision = decided(given)
    assert (decision.ask is not None, decision.requested) == (True, "now")

    done = swept(given, text=report(requested="now"))

    assert done.datastore.status.sweep_requested == "now"
    assert decided(done, 1).ask is None
    assert decided(asking("again", done), 1).requested == "again"


def test_a_question_what_would_go_is_answered_and_leaves_due_what_was_due() -> None:
    text = report(dryRun=True, requested="dry-run-1", uploads=2, names=["team-a/runs/r/s/1-p/"])
    given = asking("dry-run-1", SweepSources(a_datastore(), runs=(a_finished_run(),)))

    answered = swept(given, text=text, seconds=10)

    assert answered.datastore.status.swept == (
        "Would delete 1 attempts of steps: 3 objects, 42 bytes. 2 uploads that were never completed would be "
        "aborted. Such as team-a/runs/r/s/1-p/."
    )
    assert answered.datastore.status.swept_at is None
    assert decided(answered, DAY - 1) == SweepDecision(check_after_seconds=1)
    assert decided(answered, DAY).ask is not None


def test_runs_past_their_retention_are_recorded_in_the_default_datastore_before_they_go() -> None:
    run = a_finished_run(seconds_ago=61, keepSeconds=60)
    given = SweepSources(a_datastore(), runs=(run,))
    assert decided(given).ask is not None
    assert decided(replace(given, runs=(a_finished_run(seconds_ago=59, keepSeconds=60),))).ask is None
    elsewhere = Datastore.parse(sightings.ready(builders.make_datastore("other")))
    assert decided(replace(given, datastore=elsewhere)).ask is None

    assert ended(given, text=report(records=1)).recorded == "job"
    assert ended(given, text=report()).recorded is None
    assert ended(given, 40, failure_report("StoreUnavailable", "503")).recorded is None

    done = swept(given, text=report(records=1))
    assert decided(done, 59) == SweepDecision(check_after_seconds=1)
    assert decided(done, 60).ask is not None


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        (40, failure_report("StoreUnavailable", "503"), "Not swept: StoreUnavailable: 503"),
        (1, None, "Not swept: the mover ended with exit code 1 and left no report that it owes"),
        (0, "garbage", "Not swept: the report cannot be read: the report is not JSON"),
    ],
)
def test_a_sweep_that_failed_says_why_and_is_repeated_after_ten_minutes(
    code: int, text: str | None, words: str
) -> None:
    failed = swept(sources(1, 3), code, text)

    assert failed.datastore.status.swept == words
    assert decided(failed, 599) == SweepDecision(check_after_seconds=1)
    assert decided(failed, 600).ask is not None


def test_who_asks_while_a_failed_sweep_is_paused_gets_another_at_once_and_its_failure_answers_him() -> None:
    failed = swept(sources(1, 3), 40, failure_report("StoreUnavailable", "503"))

    asked = asking("now", failed)
    again = swept(asked, 40, failure_report("StoreUnavailable", "503 again"), seconds=1)

    assert decided(asked, 1).requested == "now"
    status = again.datastore.status
    assert (status.sweep_requested, status.swept) == ("now", "Not swept: StoreUnavailable: 503 again")
    assert decided(again, 2).ask is None
    assert decided(again, 602).requested is None


def test_a_failed_sweep_answers_nobody_who_asked_after_it_began() -> None:
    given = sources(1, 3)
    ask = decided(given).ask
    assert ask is not None
    pod = a_pod(container("sweep", 40, message=failure_report("StoreUnavailable", "503")))

    status = decided(asking("now", replace(given, sweeps=(ObservedMover("job", ask, NOON, pod),)))).status

    assert status is not None
    assert (status["swept"], status.get("sweepRequested")) == ("Not swept: StoreUnavailable: 503", None)


def test_a_refused_job_answers_who_asked() -> None:
    due = asking("now", sources(3))
    ask = decided(due).ask
    assert ask is not None

    status = decided(replace(due, refused={ask: "exceeded quota: strict"})).status

    assert status is not None
    assert status["sweepRequested"] == "now"


def test_what_goes_while_a_sweep_lasts_does_not_end_it() -> None:
    ask = decided(sources(1, 3)).ask
    assert ask is not None
    lasting = ObservedMover("job", ask, NOON, a_pod(container("sweep")))

    meanwhile = decided(sources(3, sweeps=(lasting,)))

    assert (meanwhile.ask, meanwhile.delete, meanwhile.status) == (None, (), None)
    done = swept(sources(1, 3))
    assert decided(replace(done, versions=(version(3),))).ask is not None


def test_a_number_that_a_run_may_just_be_using_is_not_gone() -> None:
    going = a_finished_run() | {"status": {}}
    making = sources(1, 2, runs=(going,))
    assert decided(making).ask is None
    assert decided(replace(making, runs=(a_finished_run(),))).ask is not None
    assert decided(sources(1, 3, runs=(going,))).ask is not None


def test_a_sweep_whose_job_is_refused_is_said_and_tried_again_later() -> None:
    due = sources(3)
    ask = decided(due).ask
    assert ask is not None

    refused = decided(replace(due, refused={ask: "exceeded quota: strict"}))

    assert refused.ask is None
    assert refused.status is not None
    assert refused.status["swept"] == "Not swept: the Job is refused: exceeded quota: strict"
    later_on = DatastoreStatus.model_validate(refused.status)
    again = replace(due, datastore=due.datastore.model_copy(update={"status": later_on}))
    assert decided(again, 599).ask is None
    assert decided(again, 601).ask not in (None, ask)
