"""Copies of accepted outputs: made after the step has succeeded, waited for by the run, retried as movers are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    a_datastore,
    a_pod,
    a_run,
    begun,
    container,
    failure_report,
    later,
    planned,
    seen,
    sources,
    succeeded,
    surveyed,
)
from towpath.flow.conditions import RunReason
from towpath.flow.decide import decide
from towpath.flow.decision import Decision
from towpath.flow.documents import write
from towpath.flow.observed import Observed, ObservedMover
from towpath.flow.plan import plan as make_plan
from towpath.flow.planned import PlannedExport
from towpath.flow.recorded import ExportState, RecordedExport, RecordedRun, StepState
from towpath.flow.restore import restore
from towpath.flow.restored_status import read_status
from towpath.flow.sources import Refused, Resolved
from towpath.flow.status import write_status

STEP = builders.make_step
RUN_ID = "iris-1-11111111"


def exporting(
    path: str = "results/{run-id}/{output-name}", name: str = "model", **export: Any
) -> dict[str, Any]:
    """An output that is exported."""
    return {"name": name, "export": {"path": path, **export}}


PLAN = planned(
    STEP("train", outputs=[exporting()]),
    STEP("use", inputs=[{"name": "model", "from": {"step": "train"}}]),
)
SUCCEEDED = succeeded(PLAN, "train"), succeeded(PLAN, "use")
DIGEST = "sha256:" + "cd" * 32


def mover(attempt: int = 1, code: int | None = None, message: str = "", **fields: Any) -> ObservedMover:
    """The Job that copies the model; it has ended where it has an exit code."""
    pod = a_pod(container("export", code, message=message))
    ask = f"train/model/{attempt}"
    return replace(
        ObservedMover(f"export-{attempt}", ask, later(20), pod, has_ended=code is not None), **fields
    )


def copied(attempt: int = 1, digest: str = DIGEST) -> ObservedMover:
    """The same, ended well."""
    told = {"formatVersion": 1, "digest": digest, "files": 1, "bytes": 100, "seconds": 2.5}
    return mover(attempt, 0, json.dumps(told))


def look(recorded: RecordedRun, observed: Observed, seconds: float = 30) -> Decision:
    """One pass, from and to what status holds of a record."""
    run = {"metadata": {"name": "iris-1", "uid": PLAN.run.uid, "generation": 1}}
    read = read_status(write_status(run, recorded, later(seconds)))
    assert read is not None
    return decide(PLAN, read, observed, later(seconds), LIMITS)


def export_of(decision: Decision) -> RecordedExport:
    """The record of the model's export."""
    export = decision.recorded.steps[0].outputs[0].export
    assert export is not None
    return export


def test_an_accepted_output_is_copied_while_its_dependants_go_on() -> None:
    decision = look(begun(PLAN), seen(SUCCEEDED[0]))

    assert decision.recorded.steps[0].state is StepState.SUCCEEDED
    assert [order.step for order in decision.create] == ["use"]
    [order] = decision.export
    assert (order.ask, order.place) == ("train/model/1", PlannedExport("default", f"results/{RUN_ID}/model"))
    assert order.content.inventory.digest == DIGEST
    assert decision.results_changed


def test_the_run_waits_for_its_exports_and_says_so() -> None:
    waiting = look(begun(PLAN), seen(*SUCCEEDED))
    going = look(waiting.recorded, seen(*SUCCEEDED, exporters=(mover(),)))

    assert waiting.recorded.completion_time is None
    assert (going.export, going.delete) == ((), ())
    assert going.recorded.message == "2 of 2 steps succeeded; exporting: train/model"
    ended = look(going.recorded, seen(*SUCCEEDED, exporters=(copied(),)))
    assert (export_of(ended).state, export_of(ended).seconds) == (ExportState.EXPORTED, 2.5)
    assert (ended.recorded.reason, ended.recorded.completion_time) == (RunReason.SUCCEEDED, later(30))


def test_a_job_that_is_not_there_is_made_again_under_its_name() -> None:
    first = look(begun(PLAN), seen(*SUCCEEDED))
    again = look(first.recorded, seen(*SUCCEEDED))

    assert again.export == first.export
    assert not again.results_changed


FAILURES = [
    mover(code=40, message=failure_report("StoreUnavailable")),
    mover(code=1),
    mover(code=137),
    copied(digest="sha256:" + "00" * 32),
    mover(pod=None, has_ended=True, failed_message="its pod was deleted"),
]


@pytest.mark.parametrize("failed", FAILURES)
def test_a_mover_that_fails_is_followed_by_another_after_a_pause(failed: ObservedMover) -> None:
    before = look(begun(PLAN), seen(*SUCCEEDED))
    decision = look(before.recorded, seen(*SUCCEEDED, exporters=(failed,)))

    export = export_of(decision)
    assert (export.state, export.attempt, export.failures) == (ExportState.EXPORTING, 2, 1)
    assert (export.retry_after, decision.export) == (later(35), ())
    assert decision.check_after_seconds == 5
    assert decision.recorded.completion_time is None
    paused = look(decision.recorded, seen(*SUCCEEDED, exporters=(failed,)), 33)
    assert (paused.export, paused.check_after_seconds) == ((), 2)
    [order] = look(paused.recorded, seen(*SUCCEEDED, exporters=(failed,)), 36).export
    assert order.ask == "train/model/2"


def test_a_mover_that_never_begins_is_given_up_and_its_job_deleted() -> None:
    before = look(begun(PLAN), seen(*SUCCEEDED))
    stuck = mover(pod=a_pod(container("export", state="waiting")))
    decision = look(before.recorded, seen(*SUCCEEDED, exporters=(stuck,)), 400)

    assert (export_of(decision).attempt, decision.delete) == (2, ("export-1",))


def test_a_quota_that_refuses_its_pod_is_waited_for_however_long_and_nothing_counts() -> None:
    before = look(begun(PLAN), seen(*SUCCEEDED))
    words = 'pods "export-1" is forbidden: exceeded quota: strict'
    refused = mover(pod=None, refusal=words)
    asked = look(before.recorded, seen(*SUCCEEDED, exporters=(mover(pod=None),)), 100)
    decision = look(before.recorded, seen(*SUCCEEDED, exporters=(refused,)), 100_000)

    assert asked.ask_admission == decision.ask_admission == ("export-1",)
    export = export_of(decision)
    assert (export.state, export.attempt, export.failures) == (ExportState.EXPORTING, 1, 0)
    assert (export.reason, export.message, decision.delete) == ("QuotaExceeded", words, ())
    going = export_of(look(decision.recorded, seen(*SUCCEEDED, exporters=(mover(),)), 100_001))
    assert (going.reason, going.message) == (None, None)


def test_refused_credentials_count_against_nothing() -> None:
    record = look(begun(PLAN), seen(*SUCCEEDED)).recorded
    for attempt in range(1, 30):
        refused = mover(attempt, 44, failure_report("CredentialsRefused"))
        decision = look(record, seen(*SUCCEEDED, exporters=(refused,)))
        assert (export_of(decision).failures, export_of(decision).attempt) == (0, attempt + 1)
        record = look(decision.recorded, seen(*SUCCEEDED), 3000).recorded


@pytest.mark.parametrize("code", [41, 42, 43])
def test_what_would_come_out_the_same_ends_the_run_as_export_failed(code: int) -> None:
    before = look(begun(PLAN), seen(*SUCCEEDED))
    taken = mover(code=code, message=failure_report("ExportTaken", "a/b is there already"))
    decision = look(before.recorded, seen(*SUCCEEDED, exporters=(taken,)))

    assert export_of(decision).state is ExportState.FAILED
    assert decision.recorded.reason is RunReason.EXPORT_FAILED
    assert (
        decision.recorded.message
        == "step train, output model was not exported: ExportTaken: a/b is there already"
    )
    assert {step.state for step in decision.recorded.steps} == {StepState.SUCCEEDED}


def test_movers_that_fail_too_often_end_the_run() -> None:
    record, attempts = look(begun(PLAN), seen(*SUCCEEDED)).recorded, 0
    while record.completion_time is None:
        attempts += 1
        failed = mover(attempts, 40, failure_report("StoreUnavailable"))
        record = look(record, seen(*SUCCEEDED, exporters=(failed,))).recorded
        record = look(record, seen(*SUCCEEDED), 3000).recorded
    assert (attempts, record.reason) == (LIMITS.mover_failures + 1, RunReason.EXPORT_FAILED)
    assert "6 attempts" in record.message


def test_a_run_that_is_cancelled_gives_its_exports_up() -> None:
    before = look(begun(PLAN), seen(*SUCCEEDED))
    decision = look(before.recorded, seen(*SUCCEEDED, exporters=(mover(),), cancel_requested=True))

    assert export_of(decision).state is ExportState.CANCELLED
    assert (decision.recorded.reason, decision.delete) == (RunReason.CANCELLED, ("export-1",))
    assert decision.recorded.completion_time is not None
    # The operator may have been killed before it deleted the Job.
    assert look(decision.recorded, seen(*SUCCEEDED, exporters=(mover(),))).delete == ("export-1",)


def test_a_finished_export_is_no_reason_to_look_again() -> None:
    before = look(begun(PLAN), seen(*SUCCEEDED))
    ended = look(before.recorded, seen(*SUCCEEDED, exporters=(copied(),)))
    after = look(ended.recorded, seen(*SUCCEEDED))

    assert (after.export, after.delete, after.recorded) == ((), (), ended.recorded)


def test_an_optional_output_that_was_not_written_is_not_exported() -> None:
    output = exporting() | {"optional": True}
    plan = planned(STEP("train", outputs=[output]))
    recorded = begun(plan)
    step = replace(recorded.steps[0], state=StepState.SUCCEEDED, attempt=1, attempt_id="1-x")
    decision = decide(plan, replace(recorded, steps=(step,)), seen(), later(30), LIMITS)

    assert (decision.export, decision.recorded.reason) == ((), RunReason.SUCCEEDED)


def test_a_plan_with_exports_is_read_back_as_it_was() -> None:
    assert restore(write(PLAN)) == PLAN


def test_placeholders_and_references_are_replaced_once() -> None:
    params = [{"name": "day", "type": "string", "default": "{run-id}-$(run.name)"}]
    output = exporting("a/$(params.day)/$(step.name)/{output-name}/")
    plan = planned(
        pipeline=None,
        run=a_run(pipelineRef=None, pipelineSpec={"params": params, "steps": [STEP(outputs=[output])]}),
    )

    assert plan.steps[0].outputs[0].export == PlannedExport("default", "a/{run-id}-$(run.name)/prep/model")


def test_an_export_says_nothing_about_the_steps_work() -> None:
    with_export, without = planned(STEP(outputs=[exporting()])), planned(STEP(outputs=[{"name": "model"}]))

    assert with_export.steps[0].contract == without.steps[0].contract


def test_the_datastore_of_an_export_is_entered_like_any_other() -> None:
    output = exporting(datastore="archive")
    stores = {"default": a_datastore(), "archive": a_datastore("archive")}
    resolved = surveyed(sources(STEP(outputs=[output]), datastores=stores))
    assert isinstance(resolved, Resolved)
    assert [store.name for store in make_plan(resolved).datastores] == ["archive", "default"]
    stores["archive"] = a_datastore("archive", readOnly=True)
    refused = surveyed(sources(STEP(outputs=[output]), datastores=stores))
    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.READ_ONLY


MISTAKES = [
    ([exporting("a/{run_id}")], "{run_id} is not known: there are {run-id} and {output-name}"),
    ([exporting("a/{")], "{ is not known"),
    ([exporting("a/$(params.x)")], "$(params.x) refers to nothing"),
    ([exporting("a/$(outputs.model.path)")], "refers to nothing"),
    ([exporting("a/../b")], "is 'a/../b' here: it must be a folder below the datastore's prefix"),
    ([exporting("a//b")], "without empty parts"),
    ([exporting("a\\b")], "backslashes"),
    ([exporting("team-a/runs/x")], "is team-a/runs/x here, where Towpath keeps its own"),
    ([exporting("team-a")], "where Towpath keeps its own"),
    ([exporting("team-a/owner.json")], "where Towpath keeps its own"),
    ([exporting("a" * 600)], "is longer than 512 bytes here"),
    (
        [exporting("a"), exporting("a", "log")],
        "is a here, and output model of step prep goes to a in the same",
    ),
    ([exporting("a/b"), exporting("a", "log")], "neither may lie in the other"),
    ([exporting("a"), exporting("a/b/", "log")], "neither may lie in the other"),
]


@pytest.mark.parametrize(("outputs", "words"), MISTAKES)
def test_a_place_that_cannot_be_meant_is_refused(outputs: list[dict[str, Any]], words: str) -> None:
    refused = surveyed(sources(STEP(outputs=outputs)))

    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.INVALID_PIPELINE
    assert words in refused.message


def test_folders_beside_one_another_may_have_names_that_begin_alike() -> None:
    assert planned(STEP(outputs=[exporting("a/b"), exporting("a/b2", "log")]))
