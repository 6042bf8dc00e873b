"""Inputs that are defined in place: their inventories are taken when the run starts, shared, pinned, and told of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    a_datastore,
    a_pipeline,
    a_pod,
    a_run,
    answered,
    container,
    failure_report,
    later,
    planned,
    sources,
    surveyed,
)
from towpath.flow.conditions import RunReason
from towpath.flow.contents import PinnedSource
from towpath.flow.documents import write
from towpath.flow.mover_orders import InventorySurvey
from towpath.flow.observed import ObservedMover
from towpath.flow.resolve import resolve, what_is_needed
from towpath.flow.restore import restore
from towpath.flow.sources import Refused, Resolved, Sources, Waiting


def reads(*paths: str, step: str = "prep", **given: Any) -> dict[str, Any]:
    """A step whose one input, raw, is files at these paths."""
    source = {"sources": [{"path": path} for path in paths]}
    return builders.make_step(step, inputs=[{"name": "raw", "source": source} | given])


def first_wait(read: Sources, seconds: float = 0) -> Waiting:
    outcome = resolve(read, later(seconds), LIMITS)
    assert isinstance(outcome, Waiting), outcome
    return outcome


def ended(survey: InventorySurvey, code: int, text: str | None) -> ObservedMover:
    """The survey's Job with its first container ended so, ten seconds after noon."""
    told = container("take-inventory-0", code, message=text)
    return ObservedMover("job", survey.ask, NOON, a_pod(told))


def inventory_survey(waiting: Waiting) -> InventorySurvey:
    [survey] = waiting.surveys
    assert isinstance(survey, InventorySurvey)
    return survey


def test_the_run_waits_for_the_inventory_and_then_the_plan_holds_it() -> None:
    waiting = first_wait(sources(reads("raw/*.csv")))

    assert waiting.message == "Step prep, input raw: the inventory of its source is being taken"
    [listing] = inventory_survey(waiting).listings
    assert listing.sources == ({"path": "raw/*.csv", "datastore": "default", "hash": "Reported"},)
    assert listing.into == "default"

    plan = planned(reads("raw/*.csv"))

    pinned = plan.steps[0].inputs[0].source
    assert isinstance(pinned, PinnedSource)
    assert (pinned.content.files, pinned.content.inventory.digest) == (3, "sha256:" + "e" * 64)
    assert pinned.sources == listing.sources
    assert [store.name for store in plan.datastores] == ["default"]
    assert restore(write(plan)) == plan


def test_paths_may_hold_references() -> None:
    params = [{"name": "folder", "default": "2026/06"}]
    pipeline = a_pipeline(reads("raw/$(params.folder)/$(run.name)-$(step.name)"), params=params)

    [listing] = inventory_survey(first_wait(sources(pipeline=pipeline))).listings

    assert listing.sources[0]["path"] == "raw/2026/06/iris-1-prep"


@pytest.mark.parametrize("folder", ["../secret", "/etc", "a//b", "", "a\nb"])
def test_a_path_that_leaves_its_datastore_is_refused_with_step_and_input(folder: str) -> None:
    pipeline = a_pipeline(reads("$(params.folder)"), params=[{"name": "folder"}])

    outcome = resolve(sources(pipeline=pipeline, run=a_run(params={"folder": folder})), NOON, LIMITS)

    assert isinstance(outcome, Refused)
    assert outcome.reason is RunReason.INVALID_PIPELINE
    assert outcome.message.startswith("Step prep, input raw: source.sources[0].path:")


def test_a_reference_to_nothing_is_refused_by_its_place() -> None:
    outcome = resolve(sources(reads("$(params.folder)")), NOON, LIMITS)

    assert isinstance(outcome, Refused)
    assert (
        "Step prep, input raw: source.sources[0].path: $(params.folder) refers to nothing" in outcome.message
    )


def test_equal_sources_are_listed_once_and_five_share_a_pod() -> None:
    steps = [reads(f"raw/{number % 7}", step=f"s{number}") for number in range(14)]

    surveys = first_wait(sources(*steps)).surveys

    assert [len(survey.listings) for survey in surveys if isinstance(survey, InventorySurvey)] == [5, 2]
    outcome = surveyed(sources(*steps))
    assert isinstance(outcome, Resolved)
    assert outcome.pins["s0", "raw"] == outcome.pins["s7", "raw"]
    assert len(outcome.pins) == 14


def test_nothing_is_listed_before_everything_else_is_there() -> None:
    read = sources(reads("raw/"), builders.make_step("b", inputs=[{"name": "missing"}]))

    assert first_wait(read).surveys == ()
    assert first_wait(sources(reads("raw/"), datastores={})).surveys == ()
    assert what_is_needed(read.run, read.pipeline).datastores == ("default",)


@pytest.mark.parametrize("code", [41, 42, 43])
def test_what_would_come_out_the_same_ends_the_run_with_step_input_and_words(code: int) -> None:
    read = sources(reads("raw/"))
    mover = ended(inventory_survey(first_wait(read)), code, failure_report("SourceNotFound", "no raw/ there"))

    outcome = resolve(replace(read, surveyors=(mover,)), NOON, LIMITS)

    assert outcome == Refused(RunReason.INPUT_REFUSED, "Step prep, input raw: SourceNotFound: no raw/ there")


def test_what_may_pass_is_tried_again_after_a_pause_under_the_next_name() -> None:
    read = sources(reads("raw/"))
    first = inventory_survey(first_wait(read))
    tried = replace(read, surveyors=(ended(first, 40, failure_report("StoreUnavailable", "503")),))

    pause, again = first_wait(tried, 12), first_wait(tried, 15)

    assert (pause.surveys, pause.check_after_seconds) == ((), 3)
    assert pause.message == again.message == "Step prep, input raw: StoreUnavailable: 503"
    second = inventory_survey(again)
    assert (first.ask[:-2], first.ask[-2:], second.ask) == (second.ask[:-2], "-0", f"{first.ask[:-2]}-1")
    both = replace(read, surveyors=(*tried.surveyors, answered(second)))
    assert isinstance(resolve(both, later(20), LIMITS), Resolved)


@pytest.mark.parametrize(("code", "text"), [(44, failure_report("CredentialsRefused", "as AKIA")), (1, None)])
def test_patience_ends_with_the_time_limit_for_stores(code: int, text: str | None) -> None:
    read = sources(reads("raw/"))
    tried = replace(read, surveyors=(ended(inventory_survey(first_wait(read)), code, text),))

    outcome = resolve(tried, later(3600), LIMITS)

    assert isinstance(outcome, Refused)
    assert outcome.reason is RunReason.NOT_READY
    assert "storeTimeoutSeconds" in outcome.message
    assert "Step prep, input raw" in outcome.message


def test_a_mover_that_does_not_start_says_why_in_the_run() -> None:
    read = sources(reads("raw/"))
    survey = inventory_survey(first_wait(read))
    told = container("take-inventory-0", state="waiting", reason="ErrImagePull", message="no such image")
    silent = ObservedMover("job", survey.ask, NOON)

    shown = first_wait(replace(read, surveyors=(ObservedMover("job", survey.ask, NOON, a_pod(told)),)), 9)
    podless = first_wait(replace(read, surveyors=(replace(silent, refusal="exceeded quota: pods"),)), 9)

    assert "ErrImagePull: no such image" in shown.message
    assert "exceeded quota: pods" in podless.message
    assert podless.ask_admission == ("job",)


def test_a_report_that_cannot_be_read_ends_the_run() -> None:
    read = sources(reads("raw/"))
    mover = ended(inventory_survey(first_wait(read)), 0, "garbage")

    outcome = resolve(replace(read, surveyors=(mover,)), NOON, LIMITS)

    assert isinstance(outcome, Refused)
    assert "Step prep, input raw: the inventory's report cannot be read" in outcome.message


def test_without_a_datastore_to_write_to_there_is_no_inventory() -> None:
    read = sources(reads("raw/"), datastores={"default": a_datastore(readOnly=True)})

    outcome = resolve(read, NOON, LIMITS)

    assert isinstance(outcome, Refused)
    assert outcome.reason is RunReason.READ_ONLY
    assert outcome.message.startswith("Step prep, input raw:")


def test_a_url_and_an_archive_are_copied_into_the_default_datastore_if_it_may_be_written() -> None:
    zipped = {"url": "https://h/a.zip", "archive": {"type": "Zip"}, "caConfigMapRef": {"name": "ca"}}
    step = builders.make_step("prep", inputs=[{"name": "raw", "source": {"sources": [zipped]}}])

    [listing] = inventory_survey(first_wait(sources(step))).listings
    refused = resolve(sources(step, datastores={"default": a_datastore(readOnly=True)}), NOON, LIMITS)

    assert listing.sources == ({"url": "https://h/a.zip", "caConfigMap": "ca", "archive": {"type": "Zip"}},)
    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.READ_ONLY
    assert "is copied into Datastore default" in refused.message
    plan = planned(step)
    assert restore(write(plan)) == plan


def test_a_source_without_files_is_refused_unless_it_is_allowed() -> None:
    refused = surveyed(sources(reads("raw/")), files=0)
    allowed = surveyed(sources(reads("raw/", allowEmpty=True)), files=0)

    assert isinstance(refused, Refused)
    assert (refused.reason, "its source has no files" in refused.message) == (RunReason.EMPTY_INPUT, True)
    assert isinstance(allowed, Resolved)


def test_a_single_file_is_given_as_that_file() -> None:
    outcome = surveyed(sources(reads("raw/a.csv")), directory=False, file="a.csv", files=1)

    assert isinstance(outcome, Resolved)
    assert outcome.pins["prep", "raw"].content.file == "a.csv"
