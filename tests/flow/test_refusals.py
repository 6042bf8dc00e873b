"""A Job that the API server refuses is a reason of its step, not a silence."""

from __future__ import annotations

from datetime import UTC, datetime

from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.recorded import RecordedRun, RecordedStep, StepState
from towpath.flow.refusals import with_refusals

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUOTA = 'jobs.batch "x" is forbidden: exceeded quota: strict, requested: count/jobs.batch=1'


def record(*steps: RecordedStep) -> RecordedRun:
    return RecordedRun(steps, "sha256:p", RunReason.RUNNING, "0 of 1 steps succeeded", NOW)


def test_the_step_says_what_the_api_server_said() -> None:
    waiting = RecordedStep("prep", StepState.WAITING, StepReason.STARTING)
    told = with_refusals(record(waiting), {"prep": QUOTA}).steps[0]
    assert told.reason is StepReason.QUOTA
    assert told.message is not None
    assert "exceeded quota: strict" in told.message
    assert told.state is StepState.WAITING


def test_other_steps_and_ended_ones_stay_as_they_are() -> None:
    ended = RecordedStep("prep", StepState.FAILED, StepReason.EXIT_CODE)
    other = RecordedStep("train", StepState.RUNNING, StepReason.RUNNING)
    before = record(ended, other)
    assert with_refusals(before, {"prep": QUOTA}) == before
