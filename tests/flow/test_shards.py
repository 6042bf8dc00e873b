"""A step in shards: what is published is never run again, what failed is, and one that cannot be ends it at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    a_job,
    a_pod,
    begun,
    container,
    failure_report,
    later,
    planned,
    publish_report,
    seen,
    shared_out,
    stage_in_report,
)
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.decide import decide
from towpath.flow.decision import AttemptOrder, Decision
from towpath.flow.observed import ObservedAttempt, ObservedPod
from towpath.flow.planned import Plan
from towpath.flow.recorded import RecordedRun, RecordedStep, StepState
from towpath.flow.restored_status import read_status
from towpath.flow.status import LIMIT_BYTES, write_status
from towpath.flow.store_keys import attempt_at, run_folder_of, shard_attempt_id

RUN = {"metadata": {"name": "iris-1", "uid": builders.UID, "generation": 1}}


def a_plan(count: int = 3, parallelism: int | None = None, outputs: int = 1, **fields: Any) -> Plan:
    """A step that shares iris out, and one beside it."""
    named = [{"name": f"part{number}"} for number in range(outputs)]
    step = builders.make_step("map", inputs=[{"name": "iris"}], outputs=named, **fields)
    return shared_out(planned(step, builders.make_step("beside")), "map", "iris", count, parallelism)


PLAN = a_plan(retries=1)


def uid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def wrote(plan: Plan, shard: int, attempt: int = 1, told: int | None = None) -> ObservedPod:
    """The pod of a shard that has published its part."""
    report = publish_report(plan.step("map"), attempt, uid(shard), shard=shard if told is None else told)
    return a_pod(
        container("stage-in", 0, message=stage_in_report()),
        container("step", 0),
        container("publish", 0, message=report),
        uid=uid(shard),
    )


def ended(exit_code: int, **fields: Any) -> ObservedPod:
    """The pod of a shard whose command failed."""
    publish = container("publish", 45, message=failure_report("NotPublished"))
    return a_pod(container("stage-in", 0), container("step", exit_code), publish, **fields)


def running() -> ObservedPod:
    return a_pod(container("stage-in", 0), container("step"), container("publish"))


def stuck() -> ObservedPod:
    waits = container("step", state="waiting", reason="ImagePullBackOff", message="no such image")
    return a_pod(container("stage-in", 0), waits, container("publish"))


def shards_job(plan: Plan, *pods: ObservedPod | None, attempt: int = 1, **fields: Any) -> ObservedAttempt:
    """The Job of the first shards, with these pods."""
    there = {index: pod for index, pod in enumerate(pods) if pod}
    shards = tuple(range(len(pods)))
    return a_job(plan, "map", attempt, **{"pods": there, "shards": shards, **fields})


def decided(
    plan: Plan,
    *jobs: ObservedAttempt,
    recorded: RecordedRun | None = None,
    seconds: float = 20,
    **fields: Any,
) -> Decision:
    known = recorded or begun(plan)
    return decide(plan, known, seen(*jobs, **fields), later(seconds), LIMITS)


def step_of(decision: Decision) -> RecordedStep:
    return next(step for step in decision.recorded.steps if step.name == "map")


def reread(decision: Decision) -> RecordedRun:
    """What the status keeps of a record."""
    status = write_status(RUN, decision.recorded, NOON)
    read = read_status(json.loads(json.dumps(status)))
    assert read is not None
    return read


def order_of(decision: Decision) -> AttemptOrder:
    [order] = [order for order in decision.create if order.step == "map"]
    return order


def orders(decision: Decision) -> list[tuple[int, tuple[int, ...]]]:
    return [(order.attempt, order.shards) for order in decision.create if order.step == "map"]


def test_the_first_attempt_runs_every_shard() -> None:
    assert orders(decided(PLAN)) == [(1, (0, 1, 2))]


def test_only_the_shards_that_failed_are_tried_again() -> None:
    job = shards_job(PLAN, wrote(PLAN, 0), ended(1), wrote(PLAN, 2))
    failed = decided(PLAN, job)

    after = step_of(failed)
    assert (after.state, after.reason, after.failures.user) == (StepState.WAITING, StepReason.RETRYING, 1)
    assert after.message == "attempt 1 failed: shard 1: exit code 1"
    again = decided(PLAN, job, recorded=reread(failed), seconds=60)
    assert orders(again) == [(2, (1,))]

    second = a_job(PLAN, "map", 2, shards=(1,), pods={0: wrote(PLAN, 1, 2)})
    merge = decided(PLAN, job, second, recorded=reread(again), seconds=70)
    order = order_of(merge)
    assert order.attempt == 3
    assert order.parts == {
        0: shard_attempt_id(1, uid(0)),
        1: shard_attempt_id(2, uid(1)),
        2: shard_attempt_id(1, uid(2)),
    }


def test_a_shard_that_nobody_tries_again_ends_the_step_at_once_and_stops_the_others() -> None:
    plan = a_plan(4)
    job = shards_job(plan, running(), ended(3), None, wrote(plan, 3))

    decision = decided(plan, job)

    step = step_of(decision)
    assert (step.state, step.reason, step.exit_code) == (StepState.FAILED, StepReason.EXIT_CODE, 3)
    assert (step.message, step.shards) == ("shard 1: exit code 3", {})
    assert decision.delete == (job.job,)


def test_while_shards_run_the_step_says_how_many_are_done() -> None:
    decision = decided(PLAN, shards_job(PLAN, wrote(PLAN, 0), running(), ended(1)))

    step = step_of(decision)
    assert (step.state, step.reason) == (StepState.RUNNING, StepReason.RUNNING)
    assert step.message == "1 of 3 shards done, 1 running, 1 failed"
    assert step.shards == {0: shard_attempt_id(1, uid(0))}
    assert step.bytes_in == 3858
    assert not decision.results_changed, "what is published so far is progress, and may be written later"


def test_what_was_recorded_as_published_stays_so_when_its_pod_is_gone() -> None:
    first = decided(PLAN, shards_job(PLAN, wrote(PLAN, 0), running(), running()))
    gone = shards_job(PLAN, None, wrote(PLAN, 1), wrote(PLAN, 2), ended=frozenset({0, 1, 2}), complete=True)

    later_on = decided(PLAN, gone, recorded=reread(first))

    assert len(order_of(later_on).parts) == 3


def test_a_shard_whose_pod_is_gone_before_it_was_recorded_is_a_disruption() -> None:
    job = shards_job(PLAN, wrote(PLAN, 0), None, wrote(PLAN, 2), ended=frozenset({0, 1, 2}))

    step = step_of(decided(PLAN, job))

    assert (step.failures.user, step.failures.disruption) == (0, 1)
    assert set(step.shards) == {0, 2}


def test_an_attempt_counts_once_however_many_shards_failed_and_as_the_gravest_of_them() -> None:
    evicted = a_pod(container("step", 143), disruption="preempted")
    job = shards_job(PLAN, evicted, ended(1), ended(2))

    step = step_of(decided(PLAN, job))

    assert (step.failures.user, step.failures.disruption, step.exit_code) == (1, 0, 1)
    assert step.message == "attempt 1 failed: shard 1: exit code 1 (2 more shards failed)"


def test_a_part_of_another_shard_is_not_taken() -> None:
    job = shards_job(PLAN, wrote(PLAN, 0, told=1), wrote(PLAN, 1), wrote(PLAN, 2))

    step = step_of(decided(PLAN, job))

    assert set(step.shards) == {1, 2}
    assert step.failures.mover == 1


def test_stuck_shards_that_leave_no_room_for_others_end_the_attempt_when_their_time_is_over() -> None:
    plan = a_plan(5, parallelism=2, retries=1)
    job = shards_job(plan, stuck(), stuck(), None, None, None)

    waits = step_of(decided(plan, job, seconds=100))
    assert (waits.state, waits.reason) == (StepState.WAITING, StepReason.IMAGE)
    over = decided(plan, job, seconds=400)

    assert step_of(over).reason is StepReason.RETRYING
    assert over.delete == (job.job,)
    assert orders(decided(plan, recorded=reread(over), seconds=900)) == [(2, (0, 1, 2, 3, 4))]


def test_between_two_waves_of_shards_admission_is_asked_only_after_a_while() -> None:
    job = shards_job(PLAN, wrote(PLAN, 0), None, None)

    soon = decided(PLAN, job, seconds=12)
    assert (step_of(soon).reason, soon.ask_admission) == (StepReason.STARTING, ())
    late = decided(PLAN, replace(job, refusal="exceeded quota: pods"), seconds=30)

    assert (step_of(late).reason, late.ask_admission) == (StepReason.QUOTA, (job.job,))


def test_a_suspended_job_of_shards_waits_for_its_queue() -> None:
    job = shards_job(PLAN, wrote(PLAN, 0), None, None, suspended=True)

    step = step_of(decided(PLAN, job))

    assert (step.state, step.reason) == (StepState.WAITING, StepReason.SUSPENDED)
    assert set(step.shards) == {0}


def test_shards_that_wait_for_room_are_stopped_with_a_cancelled_run() -> None:
    job = shards_job(PLAN, wrote(PLAN, 0), None, None)

    decision = decided(PLAN, job, cancel_requested=True)

    assert decision.delete == (job.job,)
    assert step_of(decision).state is StepState.CANCELLED


def published(plan: Plan) -> Decision:
    """All shards have published, and their merge is ordered."""
    count = plan.step("map").shards
    assert count is not None
    return decided(plan, shards_job(plan, *(wrote(plan, shard) for shard in range(count.count))))


def merging(plan: Plan, *containers: Any, **fields: Any) -> ObservedAttempt:
    return a_job(plan, "map", 2, a_pod(*containers, uid=uid(9)), is_merge=True, **fields)


def test_the_merge_is_the_next_attempt_and_its_outputs_are_the_steps() -> None:
    before = published(PLAN)
    assert before.results_changed
    report = publish_report(PLAN.step("map"), 2, uid(9))

    decision = decided(PLAN, merging(PLAN, container("merge", 0, message=report)), recorded=reread(before))

    step = step_of(decision)
    assert (step.state, step.attempt, step.attempt_id) == (
        StepState.SUCCEEDED,
        2,
        shard_attempt_id(2, uid(9)),
    )
    assert [output.name for output in step.outputs] == ["part0"]
    assert step.metrics == {"accuracy": 0.9}
    assert (step.shards, step.bytes_in) == ({}, 3 * 3858)


def test_a_merge_that_failed_for_a_passing_trouble_is_tried_again_by_itself() -> None:
    broken = merging(PLAN, container("merge", 40, message=failure_report("StoreUnavailable")))

    failed = decided(PLAN, broken, recorded=reread(published(PLAN)))

    assert (step_of(failed).failures.mover, step_of(failed).failures.user) == (1, 0)
    order = order_of(decided(PLAN, broken, recorded=reread(failed), seconds=90))
    assert (order.attempt, len(order.parts), order.shards) == (3, 3, ())


def test_two_shards_that_wrote_one_path_fail_the_step_for_good() -> None:
    said = failure_report("DuplicatePath", "shards 0 and 2 wrote a.csv")
    broken = merging(PLAN, container("merge", 41, message=said))

    step = step_of(decided(PLAN, broken, recorded=reread(published(PLAN))))

    assert (step.state, step.reason) == (StepState.FAILED, StepReason.DUPLICATE_PATH)
    assert step.message == "shards 0 and 2 wrote a.csv"


def test_a_cancelled_run_stops_its_merge_and_takes_nothing_of_it() -> None:
    running_merge = merging(PLAN, container("merge"))

    decision = decided(PLAN, running_merge, recorded=reread(published(PLAN)), cancel_requested=True)

    assert decision.delete == (running_merge.job,)
    assert step_of(decision).outputs == ()


def test_a_step_without_outputs_has_nothing_to_merge() -> None:
    plan = a_plan(outputs=0)

    step = step_of(published(plan))

    assert (step.state, step.outputs, step.shards) == (StepState.SUCCEEDED, (), {})


def test_parts_that_are_published_are_merged_although_another_step_has_failed() -> None:
    beside = a_job(PLAN, "beside", 1, a_pod(container("step", 1)))

    decision = decided(PLAN, beside, recorded=reread(published(PLAN)), seconds=30)

    assert [order.step for order in decision.create] == ["map"]
    assert decision.recorded.reason == RunReason.RUNNING


def test_a_job_of_the_right_name_that_does_something_else_is_never_adopted() -> None:
    plain = a_job(PLAN, "map", 1, a_pod(container("step", 0)))

    assert step_of(decided(PLAN, plain)).reason is StepReason.NAME_TAKEN


def test_the_shards_of_a_run_fit_into_its_status() -> None:
    names = [f"map{number}" for number in range(4)]
    done = {shard: shard_attempt_id(1 + shard % 2, uid(shard)) for shard in range(4096)}
    steps = tuple(RecordedStep(name, StepState.RUNNING, attempt=2, shards=done) for name in names)
    run = replace(begun(PLAN), steps=steps)

    status = write_status(RUN, run, NOON)

    assert len(json.dumps(status)) < LIMIT_BYTES
    assert read_status(status) == run


def test_an_attempt_of_a_shard_is_one_to_a_sweep_as_any_other_is() -> None:
    for prefix in (
        f"datasets/parts/iris-1-0a1b2c3d/map/_shards/3-{uid(1)}/",
        f"runs/iris-1-0a1b2c3d/map/1-{uid(1)}/",
    ):
        attempt = f"team-a/{prefix}"
        assert attempt_at("team-a", f"{attempt}part0/inventory.jsonl.gz") == attempt
        assert run_folder_of(attempt) == "iris-1-0a1b2c3d"
