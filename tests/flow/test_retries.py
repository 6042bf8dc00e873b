"""Who bears a failure, how often it is tried again and after which pause, and what stops a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    a_datastore,
    a_job,
    a_run,
    begun,
    failure_report,
    later,
    planned,
    pod_of,
    seen,
    succeeded,
)
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.decide import decide, lose_plan
from towpath.flow.decision import Decision
from towpath.flow.observed import ObservedAttempt
from towpath.flow.planned import Plan
from towpath.flow.recorded import RecordedRun, StepState

ONE = builders.make_step(inputs=[{"name": "iris"}], outputs=[{"name": "clean"}])


def failing(plan: Plan, attempt: int = 1, **ends: Any) -> ObservedAttempt:
    """A Job whose pod failed: by the step's exit code 1, unless said otherwise."""
    usual: dict[str, Any] = {"step": {"exit_code": 1}, "publish": {"exit_code": 45}}
    return a_job(plan, "prep", attempt, pod_of(plan, "prep", attempt, **(ends or usual)))


def tried(plan: Plan, times: int, **ends: Any) -> list[RecordedRun]:
    """The record after each of so many failed attempts, each a quarter of an hour after the other."""
    recorded, records = begun(plan), []
    for attempt in range(1, times + 1):
        recorded = decide(
            plan, recorded, seen(failing(plan, attempt, **ends)), later(900 * attempt), LIMITS
        ).recorded
        records.append(recorded)
    return records


def pauses(records: list[RecordedRun]) -> list[float]:
    """How long each record pauses before the next attempt."""
    steps = [record.steps[0] for record in records]
    return [
        (step.retry_after - later(900 * step.attempt)).total_seconds() for step in steps if step.retry_after
    ]


def test_without_retries_the_first_failure_is_the_last() -> None:
    (record,) = tried(planned(ONE), 1)

    assert record.steps[0].state is StepState.FAILED
    assert record.steps[0].message == "exit code 1"


def test_the_users_failures_count_against_retries_with_growing_pauses() -> None:
    records = tried(planned(ONE | {"retries": 2}), 3)

    assert [record.steps[0].state.value for record in records] == ["Waiting", "Waiting", "Failed"]
    assert pauses(records) == [5, 10]
    assert records[0].steps[0].reason == StepReason.RETRYING
    assert records[0].steps[0].message == "attempt 1 failed: exit code 1"
    assert records[2].steps[0].message == "exit code 1 (3 attempts)"


def test_a_retry_is_not_made_before_its_pause_is_over() -> None:
    plan = planned(ONE | {"retries": 2})
    (record,) = tried(plan, 1)

    early = decide(plan, record, seen(), later(904), LIMITS)
    assert early.create == ()
    assert early.check_after_seconds == 1
    (order,) = decide(plan, record, seen(), later(905), LIMITS).create
    assert (order.attempt, order.inputs["iris"].files) == (2, 1)


def test_disruptions_do_not_eat_retries_and_have_a_limit_of_their_own() -> None:
    plan = planned(ONE)
    records = tried_disrupted(plan, 11)

    assert records[9].steps[0].state is StepState.WAITING
    assert records[10].steps[0].state is StepState.FAILED
    assert records[10].steps[0].reason == StepReason.DISRUPTED
    assert "11 times" in (records[10].steps[0].message or "")
    assert pauses(records)[-1] == 300


def tried_disrupted(plan: Plan, times: int) -> list[RecordedRun]:
    """The record after each of so many disruptions."""
    recorded, records = begun(plan), []
    for attempt in range(1, times + 1):
        pod = replace(pod_of(plan, "prep", attempt, step={"exit_code": 143}), disruption="preempted")
        recorded = decide(
            plan, recorded, seen(a_job(plan, "prep", attempt, pod)), later(900 * attempt), LIMITS
        ).recorded
        records.append(recorded)
    return records


def test_mover_failures_have_a_limit_of_their_own() -> None:
    failed = {"stage_in": {"exit_code": 40, "message": failure_report("StoreUnavailable")}}

    records = tried(planned(ONE), 6, **failed)

    assert [record.steps[0].state.value for record in records] == ["Waiting"] * 5 + ["Failed"]
    assert records[5].steps[0].failures.mover == 6
    assert records[5].steps[0].failures.user == 0


def test_what_the_user_must_change_is_not_tried_again() -> None:
    refused = {"publish": {"exit_code": 41, "message": failure_report("OutputMissing", "x was not written")}}

    (record,) = tried(planned(ONE | {"retries": 5}), 1, **refused)

    assert record.steps[0].state is StepState.FAILED
    assert record.steps[0].reason == StepReason.OUTPUT_MISSING


REFUSED = {"stage_in": {"exit_code": 44, "message": failure_report("CredentialsRefused", "as AKIA")}}


def test_refused_credentials_count_against_nothing() -> None:
    records = tried(planned(ONE), 30, **REFUSED)

    step = records[-1].steps[0]
    assert (step.state, step.reason) == (StepState.WAITING, StepReason.CREDENTIALS)
    assert step.failures == type(step.failures)()
    assert step.attempt == 30
    assert pauses(records)[:7] == [5, 10, 20, 40, 80, 160, 300]


def test_refused_credentials_wait_until_the_datastore_is_ready_again() -> None:
    plan = planned(ONE)
    (record,) = tried(plan, 1, **REFUSED)

    held = decide(plan, record, seen(not_ready_datastores={"default": "refused"}), later(2000), LIMITS)
    assert (held.create, held.ask_probe) == ((), {"default": later(900)})
    assert held.recorded.steps[0].reason == StepReason.CREDENTIALS
    free = decide(plan, record, seen(not_ready_datastores={"other": "refused"}), later(2000), LIMITS)
    assert [order.attempt for order in free.create] == [2]


def test_refused_credentials_wait_for_a_probe_that_ended_after_the_refusal_though_an_older_one_was_well() -> (
    None
):
    plan = planned(ONE)
    (record,) = tried(plan, 1, **REFUSED)

    def decided(seconds: float, probed: float) -> Decision:
        return decide(plan, record, seen(probed_at={"default": later(probed)}), later(seconds), LIMITS)

    for seconds in (901, 931, 5000):
        held = decided(seconds, 900)
        assert (held.create, held.ask_probe) == ((), {"default": later(900)})
    assert decided(901, 900).check_after_seconds == 4
    early = decided(904, 903)
    assert (early.create, early.ask_probe, early.check_after_seconds) == ((), {}, 1)
    assert [order.attempt for order in decided(905, 903).create] == [2]


def test_the_store_of_an_upstream_steps_output_is_probed_too() -> None:
    first = builders.make_step("first", outputs=[{"name": "a", "datastore": "other"}])
    after = builders.make_step(inputs=[{"name": "a", "from": {"step": "first"}}])
    stores = {"other": a_datastore("other")}
    plan = planned(first, after, datastores=stores)
    record = decide(plan, begun(plan), seen(succeeded(plan, "first")), later(10), LIMITS).recorded
    refused = decide(plan, record, seen(failing(plan, 1, **REFUSED)), later(20), LIMITS).recorded

    held = decide(plan, refused, seen(probed_at={"other": NOON}), later(60), LIMITS)

    assert (held.create, held.ask_probe) == ((), {"other": later(20)})


def test_a_job_that_vanished_is_a_disruption_and_one_never_seen_is_made_again() -> None:
    plan = planned(ONE)
    first = decide(plan, begun(plan), seen(), NOON, LIMITS)
    never_seen = decide(plan, first.recorded, seen(), later(60), LIMITS)
    assert [order.attempt for order in never_seen.create] == [1]

    begun_step = decide(plan, first.recorded, seen(a_job(plan, "prep")), later(1), LIMITS)
    vanished = decide(plan, begun_step.recorded, seen(), later(60), LIMITS)
    assert vanished.create == ()
    assert vanished.recorded.steps[0].failures.disruption == 1
    assert vanished.results_changed


def test_a_recorded_end_is_final_whatever_its_job_does_later() -> None:
    plan = planned(ONE | {"retries": 1})
    (record,) = tried(plan, 1)

    decision = decide(plan, record, seen(succeeded(plan, "prep")), later(901), LIMITS)

    assert decision.recorded == record


def test_the_next_attempt_succeeds_and_its_record_forgets_the_last_ones_end() -> None:
    plan = planned(ONE | {"retries": 1})
    (record,) = tried(plan, 1)

    decision = decide(plan, record, seen(succeeded(plan, "prep", 2)), later(1000), LIMITS)

    step = decision.recorded.steps[0]
    assert (step.state, step.attempt, step.exit_code, step.retry_after) == (StepState.SUCCEEDED, 2, 0, None)
    assert step.failures.user == 1
    assert step.fingerprint is not None
    assert step.bytes_in == 3858


def test_a_pod_that_will_never_end_is_deleted_with_its_job() -> None:
    plan = planned(ONE)
    stuck = failing(plan, step={"exit_code": 128, "reason": "StartError"}, publish={"exit_code": None})

    decision = decide(plan, begun(plan), seen(stuck), later(12), LIMITS)

    assert decision.delete == (stuck.job,)
    assert decision.recorded.steps[0].reason == StepReason.START_ERROR


def test_a_job_of_the_name_that_is_not_ours_fails_the_step() -> None:
    plan = planned(ONE)
    name = a_job(plan, "prep").job

    foreign = decide(plan, begun(plan), seen(foreign_jobs=(name,)), NOON, LIMITS)
    other_plan = decide(
        plan, begun(plan), seen(a_job(plan, "prep", step_digest="sha256:other")), NOON, LIMITS
    )

    for decision in (foreign, other_plan):
        assert decision.create == ()
        assert decision.recorded.steps[0].reason == StepReason.NAME_TAKEN
        assert name in (decision.recorded.steps[0].message or "")


def cancelled(plan: Plan, recorded: RecordedRun, seconds: float, *jobs: ObservedAttempt) -> Decision:
    """What is decided for a run that was cancelled."""
    return decide(plan, recorded, seen(*jobs, cancel_requested=True), later(seconds), LIMITS)


def test_a_cancelled_run_deletes_its_jobs_and_ends_when_they_are_gone() -> None:
    plan = planned(*builders.make_chain("prep", "train"))
    running = a_job(
        plan, "prep", pod=pod_of(plan, "prep", step={"exit_code": None}, publish={"exit_code": None})
    )
    recorded = decide(plan, begun(plan), seen(running), later(5), LIMITS).recorded

    ending = cancelled(plan, recorded, 6, running)
    assert ending.delete == (running.job,)
    assert ending.recorded.reason == RunReason.CANCELLING
    assert ending.recorded.completion_time is None
    assert {step.state for step in ending.recorded.steps} == {StepState.CANCELLED}

    ended = cancelled(plan, ending.recorded, 10)
    assert ended.recorded.reason == RunReason.CANCELLED
    assert ended.recorded.completion_time == later(10)


def test_a_cancelled_run_ends_though_a_lost_node_never_confirms_it() -> None:
    plan = planned(ONE)
    running = a_job(plan, "prep", pod=pod_of(plan, "prep", step={"exit_code": None}), deleting=True)
    recorded = cancelled(plan, begun(plan), 6, running).recorded

    assert cancelled(plan, recorded, 66, running).recorded.completion_time is None
    assert cancelled(plan, recorded, 67, running).recorded.completion_time == later(67)


def test_nothing_is_accepted_from_a_cancelled_run() -> None:
    plan = planned(ONE)

    decision = cancelled(plan, begun(plan), 20, succeeded(plan, "prep"))

    assert decision.recorded.steps[0].state is StepState.CANCELLED
    assert decision.recorded.steps[0].outputs == ()


def test_a_run_that_takes_too_long_is_stopped() -> None:
    plan = planned(ONE, run=a_run(timeoutSeconds=60))

    assert decide(plan, begun(plan), seen(), later(59), LIMITS).check_after_seconds == 1
    decision = decide(plan, begun(plan), seen(), later(60), LIMITS)

    assert decision.recorded.reason == RunReason.TIMED_OUT
    assert decision.recorded.steps[0].reason == StepReason.TIMED_OUT
    assert "60 s (timeoutSeconds)" in decision.recorded.message


def test_independent_branches_go_on_only_if_the_run_says_so() -> None:
    steps = [ONE, builders.make_step("first"), builders.make_step("second", dependsOn=["first"])]
    for goes_on, state in ((True, "Waiting"), (False, "Skipped")):
        plan = planned(*steps, run=a_run(continueOnStepFailure=goes_on))
        decision = decide(plan, begun(plan), seen(failing(plan), succeeded(plan, "first")), later(12), LIMITS)

        found = {step.name: step.state.value for step in decision.recorded.steps}
        assert found == {"prep": "Failed", "first": "Succeeded", "second": state}


def test_a_running_step_goes_on_to_its_end_when_another_has_failed() -> None:
    plan = planned(ONE, builders.make_step("other", outputs=[{"name": "x"}]))
    running = a_job(
        plan, "other", pod=pod_of(plan, "other", step={"exit_code": None}, publish={"exit_code": None})
    )

    decision = decide(plan, begun(plan), seen(failing(plan), running), later(12), LIMITS)
    assert (decision.delete, decision.recorded.completion_time) == ((), None)
    ended = decide(plan, decision.recorded, seen(failing(plan), succeeded(plan, "other")), later(20), LIMITS)
    assert ended.recorded.steps[1].state is StepState.SUCCEEDED
    assert ended.recorded.message == "step prep failed: exit code 1"


def test_a_step_between_two_attempts_is_given_up_when_another_has_failed() -> None:
    plan = planned(ONE | {"retries": 3}, builders.make_step("other"))
    (record,) = tried(plan, 1)
    bad = a_job(plan, "other", pod=pod_of(plan, "other", step={"exit_code": 2}))

    decision = decide(plan, record, seen(bad), later(901), LIMITS)

    assert decision.recorded.steps[0].reason == StepReason.RUN_FAILED
    assert decision.recorded.message.startswith("step other failed: exit code 2")


def test_an_input_that_was_not_written_fails_its_step() -> None:
    top = builders.make_step(outputs=[{"name": "a", "optional": True}])
    plan = planned(top, builders.make_step("after", inputs=[{"name": "a", "from": {"step": "prep"}}]))
    empty = '{"formatVersion":1,"attempt":"1-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","outputs":[]}'
    job = a_job(plan, "prep", pod=pod_of(plan, "prep", publish={"message": empty}))

    decision = decide(plan, begun(plan), seen(job), later(12), LIMITS)

    assert decision.create == ()
    assert decision.recorded.steps[1].reason == StepReason.INPUT_NOT_WRITTEN
    assert decision.recorded.reason == RunReason.STEP_FAILED


def test_a_lost_plan_fails_the_run_and_is_never_made_again() -> None:
    plan = planned(ONE)
    job = a_job(plan, "prep")

    decision = lose_plan(begun(plan), seen(job), "ConfigMap iris-1-11111111-plan is gone.", later(5))

    assert decision.recorded.reason == RunReason.PLAN_LOST
    assert decision.recorded.completion_time == later(5)
    assert decision.delete == (job.job,)


@pytest.mark.parametrize("seconds", [5, 400])
def test_a_job_without_a_pod_is_asked_about(seconds: int) -> None:
    plan = planned(ONE)
    job = a_job(plan, "prep")

    assert decide(plan, begun(plan), seen(job), later(seconds), LIMITS).ask_admission == (job.job,)


def test_deciding_twice_on_the_same_sight_decides_the_same() -> None:
    plan = planned(ONE | {"retries": 1})

    assert decide(plan, begun(plan), seen(failing(plan)), later(9), LIMITS) == decide(
        plan, begun(plan), seen(failing(plan)), later(9), LIMITS
    )
