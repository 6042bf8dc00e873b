"""A run's status: written from its record, read back as it was, as the API's own model takes it, of bounded size."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    RUN_UID,
    a_job,
    begun,
    failure_report,
    later,
    planned,
    pod_of,
    seen,
    succeeded,
)
from towpath.api.runstatus import PipelineRunStatus
from towpath.flow.conditions import RunReason, StepReason, brief
from towpath.flow.decide import decide
from towpath.flow.documents import canonical
from towpath.flow.planned import Plan
from towpath.flow.recorded import FailureCounts, RecordedRun, RecordedStep, StepState
from towpath.flow.restored_status import read_status
from towpath.flow.sources import Refused, Waiting
from towpath.flow.status import LIMIT_BYTES, size_for_people, write_status, write_unplanned

RUN: dict[str, Any] = {"metadata": {"name": "iris-1", "uid": RUN_UID, "generation": 2}, "spec": {}}
REGISTERED = [{"name": "data", "register": {"name": "model"}}]


def a_plan() -> Plan:
    """Two steps, one after the other."""
    return planned(*builders.make_chain("prep", "train"))


def written(recorded: RecordedRun, run: dict[str, Any] = RUN) -> dict[str, Any]:
    """The status, having been JSON and the API's model on its way."""
    status: dict[str, Any] = json.loads(json.dumps(write_status(run, recorded, later(30))))
    PipelineRunStatus.model_validate(status)
    return status


def records() -> list[RecordedRun]:
    """Records of a run's whole life, with every kind of end."""
    plan = a_plan()
    first = begun(plan)
    failed = a_job(
        plan,
        "prep",
        pod=pod_of(plan, "prep", step={"exit_code": 1, "message": "no"}, publish={"exit_code": 45}),
    )
    refused = {"stage_in": {"exit_code": 44, "message": failure_report("CredentialsRefused")}}
    held = a_job(plan, "prep", pod=pod_of(plan, "prep", **refused))  # type: ignore[arg-type]
    found = [
        decide(plan, first, seen(job), later(12), LIMITS).recorded
        for job in (succeeded(plan, "prep"), failed, held)
    ]
    found.append(decide(plan, found[0], seen(succeeded(plan, "train")), later(24), LIMITS).recorded)
    found.append(decide(plan, first, seen(cancel_requested=True), later(5), LIMITS).recorded)
    return [first, *found]


def test_failures_are_counted_on_after_they_were_written() -> None:
    first = records()[0]
    counts = FailureCounts(user=1, disruption=2, mover=3)
    recorded = replace(first, steps=(replace(first.steps[0], failures=counts), *first.steps[1:]))

    assert read_status(written(recorded)) == recorded


@pytest.mark.parametrize("index", range(6))
def test_a_record_is_read_back_as_it_was_written(index: int) -> None:
    recorded = records()[index]

    assert read_status(written(recorded)) == recorded


def test_a_status_says_state_progress_and_data() -> None:
    status = written(records()[1])

    assert status["state"] == "Running"
    assert status["progress"] == "1/2"
    assert (status["dataIn"], status["dataOut"]) == ("3.9 kB", "100 B")
    assert status["plan"] == "iris-1-11111111-plan"
    assert status["conditions"][0]["status"] == "Unknown"
    assert "completionTime" not in status


def test_a_finished_run_has_its_completion_time_and_condition() -> None:
    status = written(records()[4])

    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Succeeded", "True", "Succeeded")
    assert condition["observedGeneration"] == 2
    assert (status["state"], status["completionTime"]) == ("Succeeded", "2026-06-01T12:00:24Z")


def test_a_failed_run_says_why_in_one_line_and_keeps_the_log() -> None:
    status = written(records()[2])

    assert status["conditions"][0]["status"] == "False"
    assert status["message"] == "step prep failed: exit code 1; 1 skipped"
    assert status["steps"][0]["logTail"] == "no"


def test_the_transition_time_moves_only_with_the_status() -> None:
    before = RUN | {"status": written(records()[0])}
    after = write_status(before, records()[1], later(500))
    ended = write_status(RUN | {"status": after}, records()[4], later(900))

    assert after["conditions"][0]["lastTransitionTime"] == "2026-06-01T12:00:30Z"
    assert ended["conditions"][0]["lastTransitionTime"] == "2026-06-01T12:15:00Z"


def test_a_run_without_a_plan_says_what_it_waits_for_or_why_it_is_refused() -> None:
    waiting = write_unplanned(
        RUN, Waiting(RunReason.WAITING, "Datastore x is not Ready.", 30), NOON, later(5)
    )
    refused = write_unplanned(RUN, Refused(RunReason.NOT_FOUND, "Dataset x does not exist."), NOON, later(40))

    assert (waiting["state"], waiting["conditions"][0]["status"]) == ("Waiting", "Unknown")
    assert "completionTime" not in waiting
    assert (refused["state"], refused["conditions"][0]["status"]) == ("Failed", "False")
    assert refused["completionTime"] == "2026-06-01T12:00:40Z"
    assert read_status(waiting) is None
    for status in (waiting, refused):
        PipelineRunStatus.model_validate(status)


def test_more_notes_than_the_schema_takes_are_said_to_stand_in_the_plan() -> None:
    [step, *others] = records()[0].steps
    noted = replace(records()[0], steps=(replace(step, notes=("n" * 300,) * 20), *others))

    status = written(noted)

    PipelineRunStatus.model_validate(status)
    notes = status["steps"][0]["notes"]
    assert (len(notes), len(notes[0]), notes[-1]) == (16, 256, "the plan has more notes than fit here")


def large(log: str, metrics: int) -> RecordedRun:
    """A run of 1,000 failed steps that say a lot."""
    step = RecordedStep(
        name="x",
        state=StepState.FAILED,
        reason=StepReason.EXIT_CODE,
        message="m" * 256,
        attempt=1,
        failures=FailureCounts(user=1),
        start_time=NOON,
        completion_time=NOON + timedelta(seconds=1),
        exit_code=1,
        log_tail=log,
        metrics={f"metric-{index}": 0.123456789 for index in range(metrics)},
    )
    steps = tuple(replace(step, name=f"step-{index}") for index in range(1000))
    return RecordedRun(steps, "sha256:" + "a" * 64, RunReason.STEP_FAILED, "m", NOON)


def test_what_does_not_fit_goes_first_and_the_status_says_so() -> None:
    logs = written(large("x" * 2000, 0))
    both = written(large("x" * 2000, 32))

    assert sum("logTail" in step for step in logs["steps"]) == 10
    assert logs["leftOut"] == "log tails of all but the first 10 failed steps"
    assert "metrics" in both["leftOut"]
    assert not any("metrics" in step for step in both["steps"])
    for status in (logs, both):
        assert len(canonical(status)) <= LIMIT_BYTES


def test_a_thousand_succeeded_steps_fit() -> None:
    plan = planned(builders.make_step("s", inputs=[{"name": "iris"}], outputs=[{"name": "data"}]))
    (step,) = decide(plan, begun(plan), seen(succeeded(plan, "s")), later(12), LIMITS).recorded.steps
    steps = tuple(replace(step, name=f"step-{index}", metrics={}) for index in range(1000))
    recorded = RecordedRun(steps, "sha256:" + "a" * 64, RunReason.SUCCEEDED, "m", NOON, later(1))

    status = write_status(RUN, recorded, NOON)

    assert "metrics" in status["leftOut"]
    assert len(canonical(status)) <= LIMIT_BYTES
    restored = read_status(status)
    assert restored is not None
    assert restored.steps[999].outputs == steps[999].outputs


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (3858, "3.9 kB"), (4 * 2**30, "4.3 GB"), (10**18, "1000.0 PB")],
)
def test_sizes_are_given_in_the_unit_that_people_read(count: int, text: str) -> None:
    assert size_for_people(count) == text


def test_a_message_is_one_line_of_bounded_length() -> None:
    assert brief("a\nb\t c\x1b[0m") == "a b c [0m"
    assert len(brief("x" * 1000)) == 256
