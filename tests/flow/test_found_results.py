"""An attempt that succeeded while nobody watched, and whose pod is gone: its result is looked for, not made again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    a_job,
    a_pod,
    begun,
    container,
    failure_report,
    later,
    planned,
    publish_report,
    seen,
)
from towpath.flow.decide import decide
from towpath.flow.decision import Decision
from towpath.flow.observed import ObservedMover
from towpath.flow.recorded import RecordedStep, StepState
from towpath_mover.exits import Exit

PLAN = planned(
    builders.make_step("prep", outputs=[{"name": "clean"}, {"name": "extra", "optional": True}]),
    builders.make_step("use", inputs=[{"name": "clean", "from": {"step": "prep", "output": "clean"}}]),
)


def finder(number: int, code: int | None = None, message: str = "", **fields: Any) -> ObservedMover:
    pod = a_pod(container("find-result", code, message=message))
    mover = ObservedMover(f"find-{number}", f"prep/1/{number}", later(20), pod, has_ended=code is not None)
    return replace(mover, **fields)


def look(*finders: ObservedMover, seconds: float = 30) -> Decision:
    job = a_job(PLAN, "prep", complete=True, finders=finders)
    return decide(PLAN, begun(PLAN), seen(job), later(seconds), LIMITS)


def prep(decision: Decision) -> RecordedStep:
    return decision.recorded.steps[0]


def test_the_result_is_looked_for_before_anything_is_said_of_the_attempt() -> None:
    decision = look()

    assert [order.ask for order in decision.find] == ["prep/1/1"]
    assert decision.create == ()
    assert (prep(decision).state, prep(decision).reason) == (StepState.RUNNING, "FindingResult")
    assert look(finder(1)).find == ()


def test_what_is_found_is_accepted_as_if_the_pod_had_said_it() -> None:
    decision = look(finder(1, 0, publish_report(PLAN.step("prep"))))

    step = prep(decision)
    assert (step.state, step.attempt, step.failures.disruption) == (StepState.SUCCEEDED, 1, 0)
    assert [output.name for output in step.outputs] == ["clean", "extra"]
    assert [order.step for order in decision.create] == ["use"]


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        (Exit.DATA_CHANGED, failure_report("OutputChanged", "it has 0 results"), "it has 0 results"),
        (0, "no report", "is not its result"),
        (0, publish_report(PLAN.step("prep"), attempt=2), "not what it owes"),
        (0, publish_report(PLAN.step("prep"), outputs=[]), "not what it owes"),
    ],
    ids=["none", "no report", "another attempt's", "of nothing"],
)
def test_an_attempt_whose_result_is_not_there_was_disrupted(code: int, message: str, words: str) -> None:
    step = prep(look(finder(1, code, message)))

    assert step.failures.disruption == 1
    assert step.message is not None
    assert words in step.message


def test_a_store_that_is_away_is_asked_again_after_growing_pauses_and_in_the_end_the_mover_is_to_blame() -> (
    None
):
    refused = failure_report("StoreUnavailable")
    first = finder(1, Exit.TRY_AGAIN, refused)
    pause = LIMITS.first_pause_seconds

    assert look(first, seconds=20 + pause - 1).find == ()
    assert look(first, seconds=20 + pause - 1).check_after_seconds == 1
    assert [one.number for one in look(first, seconds=20 + pause).find] == [2]
    again = [finder(number, Exit.TRY_AGAIN, refused) for number in range(1, LIMITS.mover_failures + 2)]
    assert prep(look(*again, seconds=10_000)).failures.mover == 1


def test_a_finder_without_a_pod_is_asked_about_and_waits_for_a_quota() -> None:
    words = 'pods "find-1" is forbidden: exceeded quota: strict'
    decision = look(finder(1, pod=None, refusal=words), seconds=100_000)

    step = prep(decision)
    assert decision.ask_admission == ("find-1",)
    assert (step.state, step.reason, decision.find) == (StepState.RUNNING, "FindingResult", ())
    assert step.message is not None
    assert step.message.endswith(words)


def test_who_looks_for_what_nobody_waits_for_is_stopped() -> None:
    job = a_job(PLAN, "prep", complete=True, finders=(finder(1),))
    decision = decide(PLAN, begun(PLAN), seen(job, cancel_requested=True), later(30), LIMITS)

    assert decision.delete == ("find-1",)
