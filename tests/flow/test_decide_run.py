"""A run's whole life, decided pass by pass."""

from __future__ import annotations

import builders
from flow.sightings import LIMITS, a_job, a_pod, begun, later, planned, pod_of, seen, succeeded
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.decide import decide
from towpath.flow.observed import ObservedVersion
from towpath.flow.recorded import StepState

CHAIN = builders.make_chain("prep", "train")


def test_a_run_starts_with_the_steps_that_wait_for_nothing() -> None:
    plan = planned(*CHAIN)

    decision = decide(plan, begun(plan), seen(), later(1), LIMITS)

    assert [order.step for order in decision.create] == ["prep"]
    assert decision.create[0].attempt == 1
    assert decision.create[0].inputs["iris"].file == "iris.csv"


def test_a_step_starts_when_its_inputs_are_accepted_and_gets_their_content() -> None:
    plan = planned(*CHAIN)

    decision = decide(plan, begun(plan), seen(succeeded(plan, "prep")), later(12), LIMITS)

    assert decision.results_changed
    assert [order.step for order in decision.create] == ["train"]
    given = decision.create[0].inputs["data"].inventory
    assert (
        given.path
        == plan.step("prep").outputs[0].prefix
        + "1-"
        + "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/data/inventory.jsonl.gz"
    )


def test_a_run_succeeds_when_all_of_its_steps_have() -> None:
    plan = planned(*CHAIN)

    decision = decide(plan, begun(plan), seen(succeeded(plan, "prep")), later(12), LIMITS)
    decision = decide(plan, decision.recorded, seen(succeeded(plan, "train")), later(24), LIMITS)

    assert decision.recorded.reason == RunReason.SUCCEEDED
    assert decision.recorded.completion_time == later(24)
    assert decision.recorded.message == "2 of 2 steps succeeded"
    assert decision.is_finished


def test_a_run_is_not_over_before_its_outputs_are_registered() -> None:
    step = builders.make_step(
        inputs=[{"name": "iris"}], outputs=[{"name": "model", "register": {"name": "Iris_Model"}}]
    )
    plan = planned(step)

    decision = decide(plan, begun(plan), seen(succeeded(plan, "prep")), later(12), LIMITS)

    assert decision.recorded.completion_time is None
    (registration,) = decision.register
    assert registration.register.dataset == "iris-model"
    assert registration.derived_from[0].dataset == "iris"

    version = ObservedVersion("iris-model-v1", "iris-model", 1, "sha256:" + "cd" * 32)
    registered = seen(registered={("prep", "model"): version})
    decision = decide(plan, decision.recorded, registered, later(13), LIMITS)

    assert decision.recorded.reason == RunReason.SUCCEEDED
    assert decision.recorded.steps[0].outputs[0].version == 1


def test_a_refused_registration_fails_the_run_and_not_its_step() -> None:
    step = builders.make_step(outputs=[{"name": "model", "register": {"name": "model"}}])
    plan = planned(step)

    refused = {("prep", "model"): "Dataset model is of type Tabular."}
    decision = decide(
        plan, begun(plan), seen(succeeded(plan, "prep"), refused_registrations=refused), later(12), LIMITS
    )

    assert decision.recorded.reason == RunReason.REGISTRATION_FAILED
    assert "Dataset model is of type Tabular" in decision.recorded.message
    assert decision.recorded.steps[0].state is StepState.SUCCEEDED


def test_a_failed_step_skips_what_depends_on_it_and_fails_the_run() -> None:
    plan = planned(*CHAIN)
    failed = a_job(
        plan,
        "prep",
        pod=pod_of(plan, "prep", step={"exit_code": 7, "message": "no column x"}, publish={"exit_code": 45}),
    )

    decision = decide(plan, begun(plan), seen(failed), later(12), LIMITS)

    prep, train = decision.recorded.steps
    assert (prep.state, prep.reason, prep.exit_code, prep.log_tail) == (
        StepState.FAILED,
        StepReason.EXIT_CODE,
        7,
        "no column x",
    )
    assert (train.state, train.reason) == (StepState.SKIPPED, StepReason.UPSTREAM_FAILED)
    assert decision.recorded.reason == RunReason.STEP_FAILED
    assert decision.recorded.message == "step prep failed: exit code 7; 1 skipped"


def test_a_run_says_what_its_steps_wait_for() -> None:
    pod = a_pod(phase="Pending", unschedulable="0/1 nodes are available.")
    chain, apart = planned(*CHAIN), planned(builders.make_step("a"), builders.make_step("b"))

    alone = decide(chain, begun(chain), seen(a_job(chain, "prep", pod=pod)), later(5), LIMITS).recorded
    assert alone.message == "0 of 2 steps succeeded; waiting: prep (Unschedulable: 0/1 nodes are available.)"
    two = decide(apart, begun(apart), seen(a_job(apart, "a", pod=pod)), later(5), LIMITS).recorded
    assert two.message == "0 of 2 steps succeeded; waiting: a (Unschedulable), b (Starting)"
