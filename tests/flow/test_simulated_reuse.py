"""Laws of reuse under chance: nothing unverified is ever taken, no two runs wait for each other, every run ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from flow.sightings import planned
from flow.simulated_reuse import SimulatedReuse, World
from towpath.flow.planned import Plan, RunIdentity
from towpath.flow.recorded import StepState

PINNED = "python@sha256:" + "1" * 64


def a_diamond() -> Plan:
    """Four pinned steps, two of them side by side, the last one registered."""
    data = [{"name": "data"}]

    def step(name: str, *before: str, outputs: object = data, **fields: object) -> dict[str, object]:
        inputs = [{"name": f"from_{one}", "from": {"step": one}} for one in before]
        return builders.make_step(
            name, image=PINNED, command=[name], inputs=inputs, outputs=outputs, **fields
        )

    registered = [{"name": "model", "register": {"name": "model"}}]
    return planned(
        step("top", retries=2),
        step("left", "top", retries=1),
        step("right", "top", retries=1),
        step("bottom", "left", "right", outputs=registered, retries=3),
    )


DIAMOND = a_diamond()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), events=st.integers(0, 150))
def test_whatever_happens_nothing_is_taken_that_was_not_verified_and_the_run_ends(
    seed: int, events: int
) -> None:
    cluster = SimulatedReuse(DIAMOND, Random(seed))

    cluster.live(events)

    recorded = cluster.record()
    assert recorded is not None
    assert all(step.state.is_final for step in recorded.steps)


def test_a_quiet_run_of_hits_costs_one_pod() -> None:
    cluster = SimulatedReuse(DIAMOND, Random(1))
    for earlier in cluster.foresee().values():
        cluster.others_publish(earlier)

    cluster.live(0)

    assert (cluster.pods_of_movers, cluster.jobs) == (1, {})
    assert cluster.step("bottom").outputs[0].version == 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), events=st.integers(0, 150))
def test_two_runs_of_one_plan_never_compute_one_thing_at_once_and_both_end(seed: int, events: int) -> None:
    chaos, world = Random(seed), World()
    other = replace(DIAMOND, run=RunIdentity("twin", "99999999-2222-3333-4444-555555555555", "team-a"))
    runs = [SimulatedReuse(plan, chaos, world=world) for plan in (DIAMOND, other)]

    for _ in range(events):
        chaos.choice(runs).happen(1)
    for _ in range(2):
        for run in runs:
            run.is_calm = True
            _go_on(runs)

    for run in runs:
        recorded = run.record()
        assert recorded is not None
        assert recorded.completion_time is not None


def _go_on(runs: list[SimulatedReuse]) -> None:
    for _ in range(60):
        for run in runs:
            run.now += timedelta(seconds=301)
            run._calm_round()
        if all(run._is_over() for run in runs):
            return


def test_of_two_quiet_runs_one_computes_and_the_other_takes() -> None:
    chaos, world = Random(1), World()
    other = replace(DIAMOND, run=RunIdentity("twin", "99999999-2222-3333-4444-555555555555", "team-a"))
    runs = [SimulatedReuse(plan, chaos, is_calm=True, world=world) for plan in (DIAMOND, other)]

    _go_on(runs)

    assert [len(run.jobs) for run in runs] == [4, 0]
    assert runs[1].step("bottom").state is StepState.SUCCEEDED
    assert runs[1].step("bottom").reused_from is not None
