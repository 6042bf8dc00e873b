"""How long a finished run stays, and that its record comes before its end where there is a place for one."""

from __future__ import annotations

from typing import Any

import pytest

import builders
from flow.sightings import later
from towpath.flow.conditions import RunReason
from towpath.flow.retention import Go, RecordFirst, Stay, decide_retention
from towpath.flow.sources import Refused
from towpath.flow.status import write_unplanned

THIRTY_DAYS = 2_592_000


def a_run(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A run that ended at noon."""
    body = builders.make_run("done", **spec)
    return body | {"status": {"completionTime": "2026-06-01T12:00:00Z"} | (status or {})}


@pytest.mark.parametrize(
    ("run", "seconds"),
    [
        (a_run({"keepSeconds": 60}), 60),
        (a_run({"keepSeconds": 0}), 0),
        (a_run(), THIRTY_DAYS),
    ],
    ids=["as planned", "not at all", "unless said otherwise"],
)
def test_a_run_stays_as_long_as_its_pipeline_says(run: dict[str, Any], seconds: int) -> None:
    if seconds:
        assert decide_retention(run, None, later(seconds - 1)) == Stay(1.0)
    assert decide_retention(run, None, later(seconds)) == Go()


def test_its_record_comes_first_where_the_default_datastore_can_take_it() -> None:
    run, store = a_run({"keepSeconds": 60}), builders.make_datastore()

    assert decide_retention(run, store, later(60)) == RecordFirst(600.0)
    assert decide_retention(run, builders.make_datastore(readOnly=True), later(60)) == Go()


def test_a_run_that_was_never_planned_stays_as_long_as_it_says_itself() -> None:
    run = builders.make_run("never", pipelineSpec={"steps": [], "retention": {"keepSeconds": 5}})

    status = write_unplanned(run, Refused(RunReason.INPUT_REFUSED, "no"), later(0), later(0))

    assert decide_retention(run | {"status": status}, None, later(4)) == Stay(1.0)
