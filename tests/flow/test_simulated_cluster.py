"""Laws of `decide` under chance: any order of events, lost Jobs, disruptions, and an operator killed anywhere."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from flow.sightings import planned, shared_out
from flow.simulated import SimulatedCluster
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.planned import Plan
from towpath.flow.recorded import StepState


def a_diamond() -> Plan:
    """Four steps, two of them side by side, the last one registered; and a plain step beside."""
    data = [{"name": "data"}]
    top = builders.make_step("top", inputs=[{"name": "iris"}], outputs=data, retries=2)
    left = builders.make_step(
        "left", inputs=[{"name": "data", "from": {"step": "top"}}], outputs=data, retries=1
    )
    right = builders.make_step(
        "right", inputs=[{"name": "data", "from": {"step": "top"}}], outputs=data, retries=1
    )
    inputs = [{"name": "a", "from": {"step": "left"}}, {"name": "b", "from": {"step": "right"}}]
    registered = [{"name": "model", "register": {"name": "model"}}]
    bottom = builders.make_step("bottom", inputs=inputs, outputs=registered, retries=3)
    return planned(top, left, right, bottom, builders.make_step("note", dependsOn=["bottom"]))


DIAMOND = a_diamond()
# Two steps side by side in shards, one of them registered by what comes after.
SHARED = shared_out(shared_out(DIAMOND, "left", "data", 3, 2), "bottom", "a", 4)
# Every output is written, and nobody else is there.
IMPOSSIBLE = (StepReason.INPUT_NOT_WRITTEN, StepReason.EMPTY_INPUT, StepReason.NAME_TAKEN)


@pytest.mark.parametrize("plan", [DIAMOND, SHARED], ids=["plain", "in shards"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), events=st.integers(0, 120))
def test_a_run_always_ends_and_nothing_happens_twice(plan: Plan, seed: int, events: int) -> None:
    cluster = SimulatedCluster(plan, Random(seed))

    cluster.live(events)

    recorded = cluster.record()
    assert recorded is not None
    assert all(step.state.is_final for step in recorded.steps)
    assert all(step.reason not in IMPOSSIBLE for step in recorded.steps)
    bottom = next(step for step in recorded.steps if step.name == "bottom")
    assert len(cluster.versions) == (1 if bottom.state is StepState.SUCCEEDED else 0)
    expected = RunReason.STEP_FAILED if _has_failed(cluster) else RunReason.SUCCEEDED
    assert recorded.reason == expected


@pytest.mark.parametrize("plan", [DIAMOND, SHARED], ids=["plain", "in shards"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), events=st.integers(0, 60), more=st.integers(0, 30))
def test_a_cancelled_run_ends_and_accepts_nothing_more(plan: Plan, seed: int, events: int, more: int) -> None:
    cluster = SimulatedCluster(plan, Random(seed))
    cluster.happen(events)
    before = cluster.record()
    accepted = {step.name for step in before.steps if step.state is StepState.SUCCEEDED} if before else set()

    cluster.cancel = True
    cluster.happen(more)
    cluster.settle()
    assert all(job.has_ended for job in cluster.jobs.values()), "a cancelled run leaves pods behind"
    cluster.live(0)

    after = cluster.record()
    assert after is not None
    assert {step.name for step in after.steps if step.state is StepState.SUCCEEDED} == accepted


def test_a_quiet_cluster_runs_every_step_once() -> None:
    cluster = SimulatedCluster(DIAMOND, Random(1))

    cluster.live(0)

    recorded = cluster.record()
    assert recorded is not None
    assert [step.attempt for step in recorded.steps] == [1] * 5
    assert recorded.reason == RunReason.SUCCEEDED
    assert len(cluster.jobs) == 5


def test_a_step_in_shards_takes_two_attempts_where_all_is_well() -> None:
    cluster = SimulatedCluster(SHARED, Random(1))

    cluster.live(0)

    recorded = cluster.record()
    assert recorded is not None
    assert {step.name: step.attempt for step in recorded.steps} == {
        "top": 1,
        "left": 2,
        "right": 1,
        "bottom": 2,
        "note": 1,
    }
    assert recorded.reason == RunReason.SUCCEEDED
    assert not any(step.shards for step in recorded.steps)


def _has_failed(cluster: SimulatedCluster) -> bool:
    recorded = cluster.record()
    assert recorded is not None
    return any(step.state is StepState.FAILED for step in recorded.steps)
