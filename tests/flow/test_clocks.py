"""A clock that was set back, or a leader whose clock is right after one whose was not: no pause lasts longer for it."""

from __future__ import annotations

import math
from typing import Any

import builders
from flow import test_datastore_flow as datastores
from flow.looks import decided, looked
from flow.sightings import LIMITS, NOON, a_job, begun, failure_report, later, planned, pod_of, seen
from flow.test_refresh import VERSION, ready_dataset
from towpath.flow.decide import decide
from towpath.flow.planned import Plan
from towpath.flow.recorded import RecordedRun, StepState
from towpath.flow.verdicts import Moment

DAY = 86_400
PLAN = planned(builders.make_step(inputs=[{"name": "iris"}], outputs=[{"name": "clean"}], retries=1))


def failed_tomorrow(plan: Plan, **ends: Any) -> RecordedRun:
    """The record of a first attempt that failed, by a clock that was a day ahead."""
    attempt = a_job(plan, "prep", 1, pod_of(plan, "prep", 1, **ends))
    return decide(plan, begun(plan), seen(attempt), later(DAY), LIMITS).recorded


def test_a_moment_a_little_ahead_is_as_it_says_and_one_far_ahead_is_over() -> None:
    moment = Moment(NOON, LIMITS)

    assert moment.paused_since(later(-3)) == 3
    assert moment.paused_since(later(30)) == -30
    assert moment.paused_since(later(DAY)) == math.inf
    assert moment.seconds_until(later(-3)) == 0
    assert moment.seconds_until(later(LIMITS.longest_pause_seconds)) == LIMITS.longest_pause_seconds
    assert moment.seconds_until(later(DAY)) == 0


def test_a_step_is_tried_again_though_its_pause_ends_tomorrow() -> None:
    record = failed_tomorrow(PLAN, step={"exit_code": 1}, publish={"exit_code": 45})
    assert record.steps[0].state is StepState.WAITING

    [order] = decide(PLAN, record, seen(), NOON, LIMITS).create
    assert order.attempt == 2


def test_credentials_that_were_refused_tomorrow_are_tried_again_today() -> None:
    refused = {"stage_in": {"exit_code": 44, "message": failure_report("CredentialsRefused")}}
    record = failed_tomorrow(PLAN, **refused)

    [order] = decide(PLAN, record, seen(probed_at={"default": NOON}), NOON, LIMITS).create
    assert order.attempt == 2


def test_a_datastore_that_was_looked_at_tomorrow_is_looked_at_again_today() -> None:
    datastore = datastores.a_datastore()
    told = datastores.ended(datastore, 44, failure_report("CredentialsRefused"))
    tomorrow = datastores.looked_at(datastore, told, DAY)

    assert datastores.decided(tomorrow, seconds=DAY + 1).probe is None
    assert datastores.decided(tomorrow, seconds=0).probe is not None


def test_a_dataset_that_was_looked_at_tomorrow_is_looked_at_again_today() -> None:
    dataset = looked(ready_dataset(intervalSeconds=3600), VERSION)

    assert decided(dataset, 1).inventory is None
    assert decided(dataset, -DAY).inventory is not None
