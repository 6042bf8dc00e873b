"""What people are told of a run: its end, steps that failed, and waiting that somebody may have to end; no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import builders
from flow.earlier_work import content_of
from flow.sightings import begun, later, planned
from towpath.flow import occurrences
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.occurrences import MOST_AT_ONCE, Occurrence, changes
from towpath.flow.recorded import (
    ExportState,
    PublishedOutput,
    RecordedExport,
    RecordedRun,
    RecordedStep,
    StepState,
)
from towpath.flow.sources import Refused, Waiting

RUN = begun(planned(builders.make_step("prep"), builders.make_step("train")))


def with_step(run: RecordedRun, **fields: Any) -> RecordedRun:
    first, *rest = run.steps
    return replace(run, steps=(replace(first, **fields), *rest))


def test_a_run_that_goes_well_tells_its_plan_and_its_end_alone() -> None:
    running = with_step(RUN, state=StepState.RUNNING, reason=StepReason.RUNNING, attempt=1)
    staging = with_step(running, reason=StepReason.STAGING_IN)
    done = with_step(running, state=StepState.SUCCEEDED, reason=StepReason.SUCCEEDED)
    ended = replace(done, reason=RunReason.SUCCEEDED, message="2 of 2", completion_time=later(9))

    assert occurrences.planned(RUN) == Occurrence("Planned", "steps: 2")
    assert [changes(*pair) for pair in ((RUN, staging), (staging, running), (running, done))] == [()] * 3
    assert changes(done, ended) == (Occurrence("Succeeded", "2 of 2"),)
    assert changes(ended, ended) == ()


def test_a_failed_step_and_its_next_attempt_are_told_once() -> None:
    again = with_step(
        RUN, state=StepState.WAITING, reason=StepReason.RETRYING, message="attempt 1 failed: exit code 1"
    )
    failed = with_step(again, state=StepState.FAILED, reason=StepReason.EXIT_CODE, message="exit code 1")
    ended = replace(
        failed, reason=RunReason.STEP_FAILED, message="step prep failed", completion_time=later(9)
    )

    assert changes(RUN, again) == (Occurrence("Retrying", "step prep: attempt 1 failed: exit code 1", True),)
    assert changes(again, with_step(again, message="in other words")) == ()
    assert changes(again, ended) == (
        Occurrence("ExitCode", "step prep: exit code 1", True),
        Occurrence("StepFailed", "step prep failed", True),
    )


def test_waiting_is_told_where_somebody_may_have_to_do_something() -> None:
    def waits(reason: StepReason) -> tuple[Occurrence, ...]:
        return changes(RUN, with_step(RUN, state=StepState.WAITING, reason=reason, message="because"))

    assert waits(StepReason.IMAGE) == (Occurrence("ImageNotPulled", "step prep: because", True),)
    assert [waits(reason) for reason in (StepReason.STARTING, StepReason.SUSPENDED, StepReason.MERGING)] == [
        ()
    ] * 3


def test_a_cancelled_run_is_no_warning() -> None:
    ended = replace(RUN, reason=RunReason.CANCELLED, message="cancelled", completion_time=later(9))

    assert changes(RUN, ended) == (Occurrence("Cancelled", "cancelled"),)


def test_of_many_steps_that_fail_at_once_some_are_told() -> None:
    before = tuple(RecordedStep(f"s{number}") for number in range(100))
    failed = tuple(replace(step, state=StepState.FAILED, reason=StepReason.EXIT_CODE) for step in before)

    assert len(changes(replace(RUN, steps=before), replace(RUN, steps=failed))) == MOST_AT_ONCE


def test_a_run_without_a_plan_tells_why() -> None:
    waits = occurrences.unplanned(Waiting(RunReason.WAITING, "Datastore default is not Ready", 1.0))
    refused = occurrences.unplanned(Refused(RunReason.NOT_FOUND, "There is no Pipeline iris"))

    assert waits == Occurrence("Waiting", "Datastore default is not Ready")
    assert refused == Occurrence("NotFound", "There is no Pipeline iris", True)


def test_of_an_export_its_end_is_told_and_what_holds_it_up_once() -> None:
    def recorded(**export: Any) -> RecordedRun:
        output = PublishedOutput(
            "model", content_of("model", "old/prep"), 1.0, export=RecordedExport(**export)
        )
        return with_step(RUN, state=StepState.SUCCEEDED, outputs=(output,))

    going = recorded()
    away = recorded(attempt=2, failures=1, reason="StoreUnavailable", message="503 from s3")
    failed = recorded(state=ExportState.FAILED, reason="ExportTaken", message="a/b is there")

    assert changes(RUN, going) == changes(away, recorded(attempt=2)) == ()
    assert changes(going, away) == (
        Occurrence("StoreUnavailable", "step prep, output model: 503 from s3", True),
    )
    assert changes(away, replace_message(away, "503 again")) == ()
    assert changes(going, failed) == (
        Occurrence(
            "ExportFailed", "step prep, output model was not exported: ExportTaken: a/b is there", True
        ),
    )
    exported = recorded(state=ExportState.EXPORTED, seconds=2.0)
    assert changes(away, exported) == (Occurrence("Exported", "step prep, output model: the copy is there"),)
    assert changes(going, recorded(state=ExportState.CANCELLED, reason="Cancelled")) == ()


def replace_message(run: RecordedRun, message: str) -> RecordedRun:
    [output] = run.steps[0].outputs
    assert output.export is not None
    export = replace(output.export, message=message)
    return with_step(run, outputs=(replace(output, export=export),))
