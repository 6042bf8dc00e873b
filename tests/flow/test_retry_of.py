"""`retryOf` in flow: whose plan is taken up, in which folders, what is kept of it, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.earlier_work import finished, of, step, verifier
from flow.sightings import INSTALLATION, LIMITS, NOON, a_datastore, begun, later, planned
from towpath.api.pipelinerun import PipelineRun
from towpath.flow.conditions import MissReason, RunReason, StepReason
from towpath.flow.decide import decide
from towpath.flow.decision import Decision
from towpath.flow.documents import write
from towpath.flow.observed import Observed
from towpath.flow.planned import EarlierStep, Plan, RunIdentity
from towpath.flow.recorded import Miss, RecordedRun, StepState
from towpath.flow.restore import restore
from towpath.flow.retry_of import plan_again
from towpath.flow.sources import Known, Refused, Retried, Sources, Waiting
from towpath.flow.verification import mark

TAGGED = "python:3.12"
BEFORE = planned(
    step("a", image=TAGGED, reuse="Never"),
    step(
        "b",
        image=TAGGED,
        inputs=[{"name": "data", "from": {"step": "a"}}],
        outputs=[{"name": "data", "register": {"name": "data"}}],
    ),
)
UID = "77777777-2222-3333-4444-555555555555"


def a_retry(**spec: Any) -> PipelineRun:
    body = builders.make_object("PipelineRun", "again", {"retryOf": {"name": "iris-1"}} | spec)
    return PipelineRun.parse(body | {"metadata": body["metadata"] | {"uid": UID, "generation": 1}})


def sources(retried: Retried | None, **fields: Any) -> Sources:
    read = Sources(
        run=a_retry(),
        pipeline=None,
        installation=replace(INSTALLATION, mover_image="towpath:new"),
        first_seen_at=NOON,
        datastores={"default": a_datastore()},
        known=Known(runs=("iris-1", "iris-2")),
        retried=retried,
    )
    return replace(read, **fields)


ENDED = Retried(BEFORE.run, has_ended=True, plan=BEFORE)


def again(**fields: Any) -> Plan:
    plan = plan_again(sources(ENDED, **fields), NOON, LIMITS)
    assert isinstance(plan, Plan), plan
    return plan


def test_it_is_the_same_plan_in_folders_of_its_own() -> None:
    plan = again()

    assert plan.run == RunIdentity("again", UID, "team-a")
    assert (plan.mover_image, plan.retry_of) == ("towpath:new", BEFORE.run)
    assert plan.step("a").result_prefix == "team-a/runs/again-77777777/a/"
    assert plan.step("b").outputs[0].prefix == "team-a/datasets/data/again-77777777/b/"
    for mine, before in zip(plan.steps, BEFORE.steps, strict=True):
        assert (mine.contract, mine.inputs, mine.command) == (before.contract, before.inputs, before.command)
        assert mine.digest != before.digest


def test_it_is_read_back_from_its_documents() -> None:
    plan = again()

    assert restore(write(plan)) == plan


def test_a_datastore_is_entered_as_it_is_now() -> None:
    renamed = a_datastore(s3=builders.make_s3(credentialsSecretRef={"name": "rotated"}))

    plan = again(datastores={"default": renamed})

    assert plan.datastores[0].credentials_secret == "rotated"


def test_what_has_been_exported_is_not_exported_again() -> None:
    exported = planned(step("a", outputs=[{"name": "data", "export": {"path": "out/{run-id}"}}]))
    places = []
    for done in (frozenset(), frozenset({("a", "data")})):
        plan = plan_again(sources(replace(ENDED, plan=exported, exported=done)), NOON, LIMITS)
        assert isinstance(plan, Plan)
        places.append(plan.step("a").outputs[0].export)

    assert (places[0] is not None, places[1]) == (True, None)


def test_the_runs_own_spec_says_how_long_and_how_far() -> None:
    plan = again(run=a_retry(timeoutSeconds=60, continueOnStepFailure=True, reuse=False))

    assert (plan.timeout_seconds, plan.continue_on_step_failure) == (60, True)
    assert {one.reuse.value for one in plan.steps} == {"Never"}


@pytest.mark.parametrize(
    ("retried", "reason", "words"),
    [
        (Retried(BEFORE.run, has_ended=False), RunReason.NOT_FINISHED, "iris-1 (retryOf) has not ended"),
        (
            Retried(BEFORE.run, has_ended=True, lost="it ended before it had a plan (No params)."),
            RunReason.PLAN_LOST,
            "it ended before it had a plan (No params)",
        ),
    ],
)
def test_a_run_that_cannot_be_taken_up_is_refused_by_its_reason(
    retried: Retried, reason: RunReason, words: str
) -> None:
    outcome = plan_again(sources(retried), NOON, LIMITS)

    assert isinstance(outcome, Refused)
    assert outcome.reason == reason
    assert words in outcome.message


def test_a_run_that_is_not_there_is_waited_for_a_little_and_near_names_are_listed() -> None:
    waiting = plan_again(sources(None), NOON, LIMITS)
    refused = plan_again(sources(None), later(31), LIMITS)

    assert isinstance(waiting, Waiting)
    assert isinstance(refused, Refused)
    assert refused.reason == RunReason.NOT_FOUND
    assert "iris-2" in refused.message


def kept_of(plan: Plan, *names: str) -> dict[str, EarlierStep]:
    """What the retried run has published, by step."""
    found = {one.origin.step: one for one in finished(plan, *names, run="iris-1").values()}
    return {
        name: replace(one, outputs={"data": _registered(one)}) if name == "b" else one
        for name, one in found.items()
    }


def _registered(one: EarlierStep) -> Any:
    content = one.outputs["data"]
    path = content.inventory.path.replace("/runs/", "/datasets/data/")
    return replace(content, inventory=replace(content.inventory, path=path))


def look(plan: Plan, recorded: RecordedRun, **observed: Any) -> Decision:
    return decide(plan, recorded, replace(Observed(), **observed), NOON, LIMITS)


def test_what_had_succeeded_is_kept_whatever_its_tag_once_it_is_verified() -> None:
    plan = again()
    kept = kept_of(plan, "a")
    announced = look(plan, begun(plan), kept=kept)
    [order] = look(plan, announced.recorded, kept=kept).verify

    decision = look(plan, announced.recorded, kept=kept, verifiers=(verifier(order),))

    assert of(decision, "a").state is StepState.SUCCEEDED
    assert of(decision, "a").reused_from is not None
    assert [one.step for one in decision.create] == ["b"]


def test_what_was_kept_and_is_gone_is_computed_again_and_what_follows_with_it() -> None:
    plan = again()
    kept = kept_of(plan, "a", "b")
    announced = look(plan, begun(plan), kept=kept)
    [order] = look(plan, announced.recorded, kept=kept).verify
    gone = verifier(order, gone=(mark(kept["a"].outputs["data"]),))

    decision = look(plan, announced.recorded, kept=kept, verifiers=(gone,))

    [created] = decision.create
    assert created.step == "a"
    assert created.miss == Miss(MissReason.OUTPUT_GONE, run="iris-1", message="it is gone")
    assert of(decision, "b").reason == StepReason.UPSTREAM


def test_a_whole_run_that_had_succeeded_is_kept_by_one_mover() -> None:
    plan = again()
    kept = kept_of(plan, "a", "b")
    announced = look(plan, begun(plan), kept=kept)
    [order] = look(plan, announced.recorded, kept=kept).verify

    decision = look(plan, announced.recorded, kept=kept, verifiers=(verifier(order),))

    assert [one.state for one in decision.recorded.steps] == [StepState.SUCCEEDED] * 2
    assert [one.step for one in decision.register] == ["b"]
