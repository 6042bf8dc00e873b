"""Reuse in flow: what is taken, only when it is verified; what is waited for; and why a step is run after all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from flow.earlier_work import CHAIN, after, content_of, finished, of, step, verifier
from flow.sightings import (
    LIMITS,
    NOON,
    a_job,
    a_run,
    begun,
    failure_report,
    later,
    planned,
    pod_of,
    publish_entry,
    publish_report,
    succeeded,
)
from towpath.flow import store_keys, verification
from towpath.flow.conditions import MissReason, StepReason
from towpath.flow.decide import decide
from towpath.flow.decision import Decision
from towpath.flow.fingerprint import components, fingerprint
from towpath.flow.observed import NearestStep, Observed, ObservedMover
from towpath.flow.planned import EarlierStep, Origin, Plan
from towpath.flow.recorded import Miss, PublishedOutput, RecordedRun, RecordedStep, StepState
from towpath.flow.restored_status import read_status
from towpath.flow.status import write_status
from towpath.flow.sweep_references import folders_wanted_by, named_by
from towpath.flow.upstream import contents_of


def look(plan: Plan, recorded: RecordedRun, seconds: float = 0, **observed: Any) -> Decision:
    return decide(plan, recorded, replace(Observed(), **observed), later(seconds), LIMITS)


def announced(plan: Plan, known: Mapping[str, EarlierStep]) -> RecordedRun:
    """The record once it says what its steps would take; nothing is done before that is written."""
    decision = look(plan, begun(plan), finished=known)
    assert (decision.results_changed, decision.verify, decision.create) == (True, (), ())
    assert decision.check_after_seconds == 0
    return decision.recorded


def test_a_run_of_hits_costs_one_mover_and_no_job() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")

    asked = look(plan, announced(plan, known), finished=known)

    [order] = asked.verify
    assert [content.inventory.path.split("/")[3] for content in order.outputs] == ["a", "b", "c"]
    assert (asked.create, of(asked, "a").reason) == ((), StepReason.VERIFYING)
    assert [one.state for one in asked.recorded.steps] == [StepState.WAITING] + [StepState.PENDING] * 2

    taken = look(plan, asked.recorded, finished=known, verifiers=(verifier(order),))

    assert (taken.verify, taken.create, taken.results_changed) == ((), (), True)
    assert [one.state for one in taken.recorded.steps] == [StepState.SUCCEEDED] * 3
    assert of(taken, "b").reused_from == Origin("old", "uid-old", "b")
    assert (of(taken, "b").attempt, of(taken, "b").metrics) == (0, {"loss": 0.5})
    assert taken.recorded.completion_time is not None


def test_nothing_is_asked_again_while_a_mover_looks() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify
    going = verifier(order, exit_code=None)

    waiting = look(plan, recorded, finished=known, verifiers=(going,))

    assert (waiting.verify, waiting.create, waiting.delete) == ((), (), ())
    assert of(waiting, "a").reason == StepReason.VERIFYING


def test_an_output_that_is_gone_is_computed_again_and_what_follows_waits_for_it() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify
    ended = verifier(order, gone=(verification.mark(order.outputs[0]),))

    decision = look(plan, recorded, finished=known, verifiers=(ended,))

    [created] = decision.create
    assert created.step == "a"
    assert created.miss == Miss(MissReason.OUTPUT_GONE, run="old", message="it is gone")
    assert [of(decision, name).state for name in "bc"] == [StepState.PENDING] * 2


def test_the_same_bytes_again_keep_what_follows_valid() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify
    ended = verifier(order, gone=(verification.mark(order.outputs[0]),))
    again = pod_of(plan, "a", publish={"message": republished(plan, known)})
    job = a_job(plan, "a", pod=again)

    ended_well = look(plan, recorded, finished=known, verifiers=(ended,), attempts=(job,))
    decision = look(plan, ended_well.recorded, finished=known, verifiers=(ended,), attempts=(job,))

    states = [(one.state, one.reused_from is not None) for one in decision.recorded.steps]
    assert states == [(StepState.SUCCEEDED, False), (StepState.SUCCEEDED, True), (StepState.SUCCEEDED, True)]


def republished(plan: Plan, known: Mapping[str, EarlierStep]) -> str:
    earlier = next(one for one in known.values() if one.origin.step == "a")
    entry = publish_entry(plan.step("a"), "data") | {"directory": True}
    del entry["file"]
    entry["inventory"] = entry["inventory"] | {"digest": earlier.outputs["data"].inventory.digest}
    return publish_report(plan.step("a"), outputs=[entry])


def test_other_bytes_make_what_follows_another_work() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "b", "c")

    decision = look(plan, begun(plan), finished=known, attempts=(succeeded(plan, "a"),))

    assert [one.step for one in decision.create] == ["b"]
    assert decision.verify == ()


@pytest.mark.parametrize(
    ("fields", "run", "reason"),
    [
        ({"image": "python:3.12"}, {}, MissReason.NOT_PINNED),
        ({"outputs": []}, {}, MissReason.NO_OUTPUTS),
        ({}, {}, MissReason.NOTHING_EARLIER),
        ({"reuse": "Never"}, {}, None),
        ({}, {"reuse": False}, None),
    ],
)
def test_a_step_says_why_it_is_run(
    fields: dict[str, Any], run: dict[str, Any], reason: MissReason | None
) -> None:
    plan = planned(step("a", **fields), run=a_run(**run))

    [created] = look(plan, begun(plan)).create

    assert (created.miss.reason if created.miss else None) == reason
    assert created.fingerprint is not None


@pytest.mark.parametrize(
    ("fields", "run"),
    [({"image": "python:3.12"}, {}), ({"outputs": []}, {}), ({"reuse": "Never"}, {}), ({}, {"reuse": False})],
)
def test_what_is_not_to_be_taken_is_not_looked_up(fields: dict[str, Any], run: dict[str, Any]) -> None:
    plan = planned(step("a", **fields), run=a_run(**run))

    decision = look(plan, begun(plan), finished=finished(plan, "a"))

    assert [one.step for one in decision.create] == ["a"]
    assert decision.verify == ()


def test_a_miss_names_the_components_that_differ_from_the_nearest_step() -> None:
    before, plan = (
        planned(step("a")),
        planned(step("a", command=["other"], env=[{"name": "X", "value": "1"}])),
    )
    nearest = {"a": NearestStep("old", components(before.steps[0], {}))}

    [created] = look(plan, begun(plan), nearest=nearest).create

    assert created.miss == Miss(MissReason.CHANGED, ("command", "env"), "old")


def test_why_a_step_was_run_stays_in_its_record() -> None:
    plan = planned(step("a"))
    miss = Miss(MissReason.CHANGED, ("params",), "old")
    job = a_job(plan, "a", fingerprint="sha256:" + "a" * 64, miss=miss)

    running = look(plan, begun(plan), attempts=(job,))
    ended = look(plan, running.recorded, attempts=(succeeded(plan, "a"),))

    assert (of(running, "a").miss, of(running, "a").fingerprint) == (miss, "sha256:" + "a" * 64)
    assert (of(ended, "a").state, of(ended, "a").miss) == (StepState.SUCCEEDED, miss)


def test_an_equal_step_of_another_run_is_waited_for_and_taken_when_it_has_succeeded() -> None:
    plan = planned(step("a"))
    [mine] = finished(plan, "a")

    waiting = look(plan, begun(plan), computing={mine: "other"})

    assert (waiting.create, waiting.waits_for) == ((), frozenset({mine}))
    assert (of(waiting, "a").state, of(waiting, "a").reason) == (StepState.WAITING, StepReason.ELSEWHERE)
    assert of(waiting, "a").message == "run other computes an equal step"
    asked = look(plan, waiting.recorded, finished=finished(plan, "a", run="other"))
    assert of(asked, "a").reason == StepReason.VERIFYING


def test_a_step_is_run_when_the_equal_one_has_failed() -> None:
    plan = planned(step("a"))
    [mine] = finished(plan, "a")
    waiting = look(plan, begun(plan), computing={mine: "other"})

    decision = look(plan, waiting.recorded)

    assert [one.step for one in decision.create] == ["a"]


def test_a_step_that_has_begun_waits_for_nobody() -> None:
    plan = planned(step("a", retries=1))
    known = finished(plan, "a")
    [mine] = known
    broken = a_job(plan, "a", pod=pod_of(plan, "a", step={"exit_code": 1}, publish={"exit_code": 45}))
    failed = look(plan, begun(plan), attempts=(broken,))

    again = look(plan, failed.recorded, 60, attempts=(broken,), finished=known, computing={mine: "other"})

    assert [(one.step, one.attempt, one.miss) for one in again.create] == [("a", 2, None)]
    assert again.verify == ()


def test_a_mover_that_fails_is_tried_again_and_in_the_end_the_step_is_run() -> None:
    plan = planned(step("a"))
    known = finished(plan, "a")
    recorded = announced(plan, known)
    failed: list[ObservedMover] = []
    for number in range(verification.TRIES):
        decision = look(plan, recorded, 100 * number + 100, finished=known, verifiers=tuple(failed))
        [order] = decision.verify
        assert order.ask.endswith(f"-{number}")
        words = failure_report("StoreUnavailable", "it is away")
        failed.append(verifier(order, exit_code=40, message=words))

    decision = look(plan, recorded, 1000, finished=known, verifiers=tuple(failed))

    [created] = decision.create
    assert created.miss == Miss(MissReason.NOT_VERIFIED, run="old", message="StoreUnavailable: it is away")


def test_a_mover_that_failed_is_never_asked_again_though_the_one_before_it_was_collected() -> None:
    plan = planned(step("a"))
    known = finished(plan, "a")
    recorded = announced(plan, known)
    [first] = look(plan, recorded, 100, finished=known).verify
    again = verifier(replace(first, ask=f"{first.ask[:-1]}1"), exit_code=40, message=failure_report("Away"))

    [order] = look(plan, recorded, 200, finished=known, verifiers=(again,)).verify

    assert order.ask == f"{first.ask[:-1]}2"


@pytest.mark.parametrize("text", [None, "", "{}", '{"formatVersion": 1, "there": "x", "gone": ""}'])
def test_a_report_that_cannot_be_read_verifies_nothing(text: str | None) -> None:
    plan = planned(step("a"))
    known = finished(plan, "a")
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify

    decision = look(plan, recorded, finished=known, verifiers=(verifier(order, message=text),))

    assert of(decision, "a").state is StepState.WAITING
    assert decision.create == ()


def test_what_lies_in_a_runs_folder_never_becomes_a_version() -> None:
    registered = step("a", outputs=[{"name": "data", "register": {"name": "data"}}])
    plan = planned(registered)
    known = finished(plan, "a")

    [created] = look(plan, begun(plan), finished=known).create

    assert created.miss == Miss(MissReason.CHANGED, ("register",), "old")


def test_a_registered_output_that_is_taken_is_registered_by_its_digest() -> None:
    registered = step("a", outputs=[{"name": "data", "register": {"name": "data"}}])
    plan = planned(registered)
    [(mine, earlier)] = finished(plan, "a").items()
    content = earlier.outputs["data"]
    path = content.inventory.path.replace("/runs/", "/datasets/data/")
    moved = replace(content, inventory=replace(content.inventory, path=path))
    known = {mine: replace(earlier, outputs={"data": moved})}
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify

    decision = look(plan, recorded, finished=known, verifiers=(verifier(order),))

    [wanted] = decision.register
    assert (wanted.content, wanted.attempt) == (moved, "1-old")


def test_a_cancelled_run_takes_nothing_more_and_stops_its_mover() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify
    going = verifier(order, exit_code=None)

    decision = look(plan, recorded, finished=known, verifiers=(going,), cancel_requested=True)

    assert decision.delete == (going.job,)
    assert {one.state for one in decision.recorded.steps} == {StepState.CANCELLED}


def test_an_input_that_is_not_allowed_to_be_empty_fails_a_step_that_could_be_taken() -> None:
    plan = planned(step("a"), after("b", "a", command=["b"]))
    known = {}
    steps: dict[str, RecordedStep] = {}
    for one in plan.steps:
        contents = contents_of(one, steps)
        empty = replace(content_of("data", one.name), files=0)
        mine = fingerprint(one, contents)
        known[mine] = EarlierStep(Origin("old", "u", one.name), mine, {"data": empty})
        steps[one.name] = RecordedStep(
            one.name, StepState.SUCCEEDED, outputs=(PublishedOutput("data", empty, 1.0),)
        )
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify

    decision = look(plan, recorded, finished=known, verifiers=(verifier(order),))

    assert (of(decision, "b").state, of(decision, "b").reason) == (StepState.FAILED, StepReason.EMPTY_INPUT)


def test_more_outputs_than_one_report_can_name_are_looked_at_by_several_movers() -> None:
    names = [f"s{number}" for number in range(20)]
    outputs = [{"name": f"o{number}"} for number in range(16)]
    plan = planned(*(step(name, command=[name], outputs=outputs) for name in names))

    known = finished(plan, *names)

    decision = look(plan, announced(plan, known), finished=known)

    assert [len(order.outputs) for order in decision.verify] == [150, 150, 20]
    assert len({order.ask for order in decision.verify}) == 3


def test_deciding_twice_is_the_same() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify
    for verifiers in ((), (verifier(order, exit_code=None),), (verifier(order),)):
        once = look(plan, recorded, finished=known, verifiers=verifiers)
        twice = look(plan, once.recorded, finished=known, verifiers=verifiers)
        assert (twice.recorded, twice.verify, twice.create) == (once.recorded, once.verify, once.create)


def test_a_sweep_keeps_what_a_run_would_take_and_what_it_has_taken() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")
    run = {"metadata": {"name": plan.run.name, "uid": plan.run.uid, "namespace": "team-a", "generation": 1}}
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify

    before = run | {"status": write_status(run, recorded, NOON)}
    taken = look(plan, recorded, finished=known, verifiers=(verifier(order),)).recorded
    after_that = run | {"status": write_status(run, taken, NOON)}

    assert set(folders_wanted_by(before)) == {store_keys.run_folder("old", "uid-old")}
    attempts = {store_keys.attempt_at("team-a", content.inventory.path) for content in order.outputs}
    assert attempts <= set(named_by(after_that, ()))
    assert read_status(after_that["status"]) == taken


def test_of_bytes_that_others_published_a_run_does_not_say_that_it_did() -> None:
    plan = planned(*CHAIN)
    known = finished(plan, "a", "b", "c")
    recorded = announced(plan, known)
    [order] = look(plan, recorded, finished=known).verify
    taken = look(plan, recorded, finished=known, verifiers=(verifier(order),)).recorded

    status = write_status({"metadata": {"name": "x", "uid": "u"}}, taken, NOON)

    assert (status["bytesOut"], status["stepsDone"]) == (0, 3)
    assert status["steps"][1]["reusedFrom"] == {"run": "old", "uid": "uid-old"}
