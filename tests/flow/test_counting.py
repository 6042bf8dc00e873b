"""Views are counted before anything starts: the disk that they take, and the refusal of what is empty or too large."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    a_job,
    a_pipeline,
    a_pod,
    a_version,
    begun,
    container,
    failure_report,
    later,
    planned,
    pod_of,
    publish_report,
    seen,
    sources,
    surveyed,
)
from flow.subset_records import AFile, chains, inventories, paths_of
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.contents import Counted
from towpath.flow.decide import decide
from towpath.flow.documents import step_document, write
from towpath.flow.mover_orders import CountSurvey
from towpath.flow.observed import ObservedMover
from towpath.flow.pipeline_flow import decide_pipeline
from towpath.flow.resolve import resolve
from towpath.flow.restore import restore
from towpath.flow.scratch import scratch_bytes
from towpath.flow.sources import Refused, Resolved, Sources, Waiting
from towpath.flow.transform_documents import read_chain
from towpath.flow.views import most_records

HALF = {"sample": {"percent": 50, "seed": 1}}


def reads(*transforms: dict[str, Any], step: str = "prep", **given: Any) -> dict[str, Any]:
    taken = {"name": "iris", "transforms": list(transforms)}
    return builders.make_step(step, inputs=[taken | given], outputs=[{"name": "data"}])


def survey_of(read: Sources) -> CountSurvey:
    outcome = resolve(read, NOON, LIMITS)
    assert isinstance(outcome, Waiting), outcome
    [survey] = outcome.surveys
    assert isinstance(survey, CountSurvey)
    return survey


def test_a_run_without_transforms_costs_no_mover() -> None:
    assert isinstance(resolve(sources(reads()), NOON, LIMITS), Resolved)


def test_equal_views_of_a_run_are_counted_once_by_one_mover() -> None:
    steps = [reads(HALF), reads(HALF, step="b"), reads({"take": {"count": 2}}, step="c")]

    survey = survey_of(sources(*steps))

    assert survey.inputs == ("Step prep, input iris", "Step c, input iris")
    assert [view.transforms for view in survey.views] == [(HALF,), ({"take": {"count": 2}},)]
    assert [store.name for store in survey.datastores] == ["default"]


def test_the_counts_stand_in_the_plan_and_decide_what_disk_a_step_takes() -> None:
    plan = planned(reads(HALF), versions={"iris": (a_version(scratchBytes=9 * 2**30),)})
    [step] = plan.steps

    assert step.inputs[0].counted == Counted(1, 3858, 4096)
    assert step_document(step)["inputs"][0]["counted"] == {"files": 1, "bytes": 3858, "scratchBytes": 4096}
    contents = {given.name: given.pinned for given in step.inputs if given.pinned}
    assert contents["iris"].scratch_bytes == 9 * 2**30
    assert scratch_bytes(step, contents) == 4096
    assert restore(write(plan)) == plan


def test_a_view_of_another_steps_output_is_not_counted_and_counts_whole() -> None:
    taken = {"name": "data", "from": {"step": "prep"}, "transforms": [HALF]}
    plan = planned(reads(), builders.make_step("b", inputs=[taken]))

    assert plan.step("b").inputs[0].counted is None


def test_a_view_is_judged_by_its_count_against_the_disk() -> None:
    read = sources(reads(HALF), versions={"iris": (a_version(scratchBytes=10**9),)})
    limits = replace(LIMITS, max_scratch_bytes=10**6)

    fits = surveyed(read, limits=limits)
    refused = surveyed(read, limits=limits, count=(5, 999_000, 1_000_001))

    assert isinstance(fits, Resolved)
    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.TOO_LARGE
    assert refused.message.startswith("Step prep: its inputs take 1000001 bytes of a node's disk, and")
    assert "allows 1000000" in refused.message
    assert "mode: Mount" in refused.message


def test_a_step_whose_inputs_come_from_steps_is_judged_when_it_would_start() -> None:
    plan = planned(reads(), builders.make_step("b", inputs=[{"name": "data", "from": {"step": "prep"}}]))
    report = publish_report(plan.step("prep"))
    done = a_job(plan, "prep", pod=pod_of(plan, "prep", publish={"exit_code": 0, "message": report}))

    small = decide(plan, begun(plan), seen(done), later(20), replace(LIMITS, max_scratch_bytes=4095))
    enough = decide(plan, begun(plan), seen(done), later(20), replace(LIMITS, max_scratch_bytes=4096))

    failed = {step.name: step for step in small.recorded.steps}["b"]
    assert (failed.reason, small.create) == (StepReason.TOO_LARGE, ())
    assert "4096 bytes" in (failed.message or "")
    assert [order.step for order in enough.create] == ["b"]


def test_a_view_that_selects_nothing_is_refused_before_anything_starts() -> None:
    outcome = surveyed(sources(reads(HALF)), count=(0, 0, 4096))
    allowed = surveyed(sources(reads(HALF, allowEmpty=True)), count=(0, 0, 4096))

    assert outcome == Refused(
        RunReason.EMPTY_INPUT,
        "Step prep, input iris: its transforms select none of the 1 files of version 1 of iris. Say allowEmpty: "
        "true if that is meant.",
    )
    assert isinstance(allowed, Resolved)


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        '{"formatVersion":1}',
        '{"formatVersion":1,"views":[]}',
        '{"formatVersion":1,"views":[[1,2]]}',
        '{"formatVersion":1,"views":[[1,2,-3]]}',
        '{"formatVersion":1,"views":[[1,2,"3"]]}',
    ],
)
def test_a_count_that_cannot_be_read_ends_the_run(text: str) -> None:
    read = sources(reads(HALF))
    told = a_pod(container("count-views", 0, message=text))
    mover = ObservedMover("job", survey_of(read).ask, NOON, told)

    outcome = resolve(replace(read, surveyors=(mover,)), NOON, LIMITS)

    assert isinstance(outcome, Refused)
    assert outcome.reason is RunReason.INPUT_REFUSED


def test_a_count_that_is_refused_is_told_in_the_movers_words() -> None:
    read = sources(reads(HALF))
    words = failure_report("InputDrift", "Step prep, input iris: the inventory is another")
    mover = ObservedMover(
        "job", survey_of(read).ask, NOON, a_pod(container("count-views", 42, message=words))
    )

    outcome = resolve(replace(read, surveyors=(mover,)), NOON, LIMITS)

    assert outcome == Refused(
        RunReason.INPUT_REFUSED, "InputDrift: Step prep, input iris: the inventory is another"
    )


@given(chains, inventories)
def test_no_view_holds_more_than_is_said_of_it_beforehand(
    chain: list[dict[str, Any]], files: list[AFile]
) -> None:
    most = most_records(read_chain(chain))

    assert most is None or len(paths_of(chain, files)) <= most


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 4), st.data())
def test_what_counts_alone_decide_is_said_exactly(
    take: int, skip: int, shards: int, data: st.DataObject
) -> None:
    shard = {"shard": {"index": data.draw(st.integers(0, shards - 1)), "count": shards}}
    chain = [{"take": {"count": take}}, {"skip": {"count": skip}}, shard]
    files = [AFile(f"{number:03}") for number in range(40)]

    assert most_records(read_chain(chain)) == len(paths_of(chain, files))


def test_a_view_that_is_surely_empty_is_told_of_on_the_pipeline() -> None:
    nothing = ({"take": {"count": 5}}, {"skip": {"count": 5}})
    status = decide_pipeline(a_pipeline(reads(*nothing), reads(*nothing, step="b", allowEmpty=True)), NOON)

    assert status is not None
    [said] = status["conditions"]
    assert said["status"] == "True"
    assert "transforms of step prep, input iris select nothing" in said["message"]
    assert "step b" not in said["message"]


SHARDS: dict[str, Any] = {"shards": {"input": "iris", "count": 4}}
FOUR = {"iris": (a_version(files=4, directory=True, file=None),)}


def test_of_an_input_that_is_shared_out_the_largest_share_is_counted_and_decides_the_disk() -> None:
    step = builders.make_step(inputs=[{"name": "iris"}], **SHARDS)

    [view] = survey_of(sources(step, versions=FOUR)).views
    assert (view.transforms, view.shards) == ((), 4)
    outcome = surveyed(sources(step, versions=FOUR), count=(4, 900, 4096))

    assert isinstance(outcome, Resolved)
    assert outcome.counts["prep", "iris"] == Counted(4, 900, 4096)


def test_fewer_files_than_shards_are_refused_before_anything_starts_unless_that_is_meant() -> None:
    step = builders.make_step(inputs=[{"name": "iris"}], **SHARDS)
    allowed = builders.make_step(inputs=[{"name": "iris", "allowEmpty": True}], **SHARDS)

    refused = surveyed(sources(step), count=(3, 900, 4096))
    granted = surveyed(sources(allowed), count=(3, 900, 4096))

    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.EMPTY_INPUT
    assert refused.message.startswith(
        "Step prep, input iris: it has 3 files for 4 shards, so some would have"
    )
    assert isinstance(granted, Resolved)


def test_an_output_of_a_step_with_too_few_files_to_share_out_is_refused_when_it_is_known() -> None:
    taken = {"name": "data", "from": {"step": "prep"}}
    shared = {"input": "data", "count": 2}
    plan = planned(reads(), builders.make_step("b", inputs=[taken], shards=shared))
    report = publish_report(plan.step("prep"))
    done = a_job(plan, "prep", pod=pod_of(plan, "prep", publish={"exit_code": 0, "message": report}))

    decision = decide(plan, begun(plan), seen(done), later(20), LIMITS)

    failed = {step.name: step for step in decision.recorded.steps}["b"]
    assert (failed.reason, decision.create) == (StepReason.EMPTY_INPUT, ())
    assert (failed.message or "").startswith("input data: it has 1 files for 2 shards")


def test_shards_stand_in_the_plan_and_in_what_identifies_the_step_but_for_how_many_run_at_once() -> None:
    def planned_with(**shards: Any) -> Any:
        fields: dict[str, Any] = {"shards": {"input": "iris", "count": 4} | shards}
        return planned(builders.make_step(inputs=[{"name": "iris", "allowEmpty": True}], **fields))

    plan = planned_with(parallelism=2)

    assert restore(write(plan)) == plan
    contracts = [
        planned_with(**shards).steps[0].contract for shards in ({}, {"parallelism": 2}, {"count": 3})
    ]
    assert contracts[0] == contracts[1] != contracts[2]
