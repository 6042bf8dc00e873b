"""What a write of a run's status adds to the counters: each transfer once, in bytes and seconds, and each end once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from kubernetes.aio.client import Configuration

import builders
from controller.table import context_for
from flow.earlier_work import content_of
from flow.sightings import begun, planned
from towpath.flow.recorded import (
    ExportState,
    PublishedOutput,
    RecordedExport,
    RecordedRun,
    RecordedStep,
    StepState,
)
from towpath_operator.cluster.client import Client
from towpath_operator.handlers.run_report import report

ITEM = builders.make_run() | {"metadata": builders.make_run()["metadata"] | {"uid": "u"}}
RUN = begun(planned(builders.make_step("prep")))


def recorded(**export: Any) -> RecordedRun:
    """The run once its step has succeeded, and its export is so far."""
    output = PublishedOutput("model", content_of("model", "old/prep"), 1.5, export=RecordedExport(**export))
    step = RecordedStep("prep", StepState.SUCCEEDED, outputs=(output,), bytes_in=7, stage_in_seconds=0.5)
    return replace(RUN, steps=(step,))


def counted(*writes: tuple[RecordedRun, RecordedRun]) -> dict[str, float]:
    """The counters of transfers after these writes."""

    async def scenario() -> str:
        client = Client(Configuration(host="http://127.0.0.1:1"))
        try:
            context = context_for(client)
            for before, after in writes:
                report(context, ITEM, before, after)
            return context.metrics.text().decode()
        finally:
            await client.close()

    lines = asyncio.run(scenario()).splitlines()
    wanted = ("towpath_bytes", "towpath_transfer", "towpath_exports", "towpath_retries")
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line.startswith(wanted)}


def test_what_was_moved_is_counted_when_its_step_or_its_export_ends_and_never_again() -> None:
    going = recorded()
    again = recorded(attempt=2, failures=1, reason="StoreUnavailable", message="503")
    done = recorded(state=ExportState.EXPORTED, attempt=2, failures=1, seconds=2.0)

    assert counted((RUN, going), (going, again), (again, again), (again, done), (done, done)) == {
        'towpath_bytes_total{direction="in"}': 7,
        'towpath_bytes_total{direction="out"}': 100,
        'towpath_bytes_total{direction="export"}': 100,
        'towpath_transfer_seconds_total{direction="in"}': 0.5,
        'towpath_transfer_seconds_total{direction="out"}': 1.5,
        'towpath_transfer_seconds_total{direction="export"}': 2,
        'towpath_exports_total{state="Exported"}': 1,
        'towpath_retries_total{cause="mover"}': 1,
    }


def test_an_export_that_failed_is_counted_without_bytes() -> None:
    failed = recorded(state=ExportState.FAILED, reason="ExportTaken")

    assert counted((recorded(), failed)) == {'towpath_exports_total{state="Failed"}': 1}
