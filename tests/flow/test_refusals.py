"""A Job that the API server refuses is a reason of whatever waits for it, not a silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from flow.sightings import LIMITS, sources
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.contents import Content, InventoryRef
from towpath.flow.decision import AttemptOrder, Decision
from towpath.flow.mover_orders import CountSurvey, Export, FindResult, Verification
from towpath.flow.planned import PlannedExport
from towpath.flow.recorded import PublishedOutput, RecordedExport, RecordedRun, RecordedStep, StepState
from towpath.flow.refusals import waits_for_admission, with_refusals
from towpath.flow.resolve import resolve
from towpath.flow.sources import Waiting

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUOTA = 'jobs.batch "x" is forbidden: exceeded quota: strict, requested: count/jobs.batch=1'
POLICY = 'admission webhook "policy" denied the request: no movers on Sundays'
CONTENT = Content(InventoryRef("default", "p", "sha256:" + "1" * 64), 1, 1, 4096, directory=True)


def decision(*steps: RecordedStep, **orders: Any) -> Decision:
    return Decision(
        RecordedRun(steps, "sha256:p", RunReason.RUNNING, "0 of 1 steps succeeded", NOW), **orders
    )


def test_the_step_says_what_the_api_server_said() -> None:
    waiting = RecordedStep("prep", StepState.WAITING, StepReason.STARTING)
    told = with_refusals(decision(waiting, create=(AttemptOrder("prep", 1),)), {"prep": QUOTA}, {}).steps[0]
    assert told.reason is StepReason.QUOTA
    assert told.message is not None
    assert "exceeded quota: strict" in told.message
    assert told.state is StepState.WAITING


def test_other_steps_ended_ones_and_those_not_to_be_started_stay_as_they_are() -> None:
    ended = RecordedStep("prep", StepState.FAILED, StepReason.EXIT_CODE)
    other = RecordedStep("train", StepState.RUNNING, StepReason.RUNNING)
    before = decision(ended, other, create=(AttemptOrder("prep", 1),))
    assert with_refusals(before, {"prep": QUOTA, "train": QUOTA}, {}) == before.recorded


def test_an_export_says_why_its_job_is_refused_and_its_step_stays_succeeded() -> None:
    output = PublishedOutput("model", CONTENT, 1.0, export=RecordedExport())
    step = RecordedStep("train", StepState.SUCCEEDED, outputs=(output, replace(output, name="log")))
    order = Export("train", "model", 1, CONTENT, PlannedExport("default", "a/b"))
    told = with_refusals(decision(step, export=(order,)), {}, {order.ask: POLICY}).steps[0]
    exports = [one.export for one in told.outputs]
    assert exports == [
        RecordedExport(reason="PodRefused", message=f"the Job is refused: {POLICY}"),
        RecordedExport(),
    ]
    assert replace(told, outputs=step.outputs) == step


@pytest.mark.parametrize(
    ("reason", "order"),
    [
        (StepReason.FINDING_RESULT, {"find": (FindResult("prep", 1, 1),)}),
        (StepReason.VERIFYING, {"verify": (Verification("prep/1/1", (CONTENT,), ()),)}),
    ],
)
def test_who_waits_for_a_result_or_for_what_is_verified_says_why_nobody_looks(
    reason: StepReason, order: dict[str, Any]
) -> None:
    step, other = RecordedStep("prep", StepState.RUNNING, reason), RecordedStep("train")
    told = with_refusals(decision(step, other, **order), {}, {"prep/1/1": QUOTA}).steps
    assert (told[0].reason, told[0].state) == (StepReason.QUOTA, StepState.RUNNING)
    assert told[1] == other


def test_a_run_without_a_plan_says_why_nobody_finds_out_what_it_must_know() -> None:
    sample = {"sample": {"percent": 50, "seed": 1}}
    step = {
        "name": "prep",
        "image": "i",
        "command": ["p"],
        "inputs": [{"name": "iris", "transforms": [sample]}],
    }
    read = sources(step)
    waiting = resolve(read, NOW, LIMITS)
    assert isinstance(waiting, Waiting)
    [survey] = waiting.surveys
    assert isinstance(survey, CountSurvey)
    told = waits_for_admission(waiting, {survey.ask: QUOTA, "other": POLICY})
    assert told == replace(waiting, message=f"{waiting.message}: the Job is refused: {QUOTA}")
    assert waits_for_admission(waiting, {"other": POLICY}) == waiting
