"""Transforms of inputs in the plan: references replaced, one seed drawn for a run, and every refusal by its field."""

from __future__ import annotations

from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    RUN_UID,
    a_job,
    a_pipeline,
    a_run,
    begun,
    failure_report,
    later,
    planned,
    pod_of,
    seen,
    sources,
)
from flow.subset_records import AFile, paths_of
from towpath.api.pipelinerun import PipelineRun
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.decide import decide
from towpath.flow.documents import pack, step_document, unpack, write
from towpath.flow.pipeline_flow import decide_pipeline
from towpath.flow.planned import Plan
from towpath.flow.ready_reasons import PipelineReason
from towpath.flow.recorded import StepState
from towpath.flow.references import values_of
from towpath.flow.resolve import resolve
from towpath.flow.restore import restore
from towpath.flow.sources import Refused
from towpath.flow.views import drawn_seed

PARTS = [{"name": "train", "percent": 80}, {"name": "test"}]
SHARE = [{"name": "share", "type": "number", "default": 80}, {"name": "day", "default": "mon"}]
FILES = [AFile(f"{number:04}.jpg", number) for number in range(500)]
Transforms = list[dict[str, Any]]


def split(part: str = "train", **more: Any) -> dict[str, Any]:
    return {"split": {"parts": PARTS, "part": part} | more}


def reads(name: str, transforms: Transforms, step: str = "prep", **given: Any) -> dict[str, Any]:
    """A step with one input of dataset iris."""
    taken = {"name": name, "dataset": {"name": "iris"}, "transforms": transforms}
    return builders.make_step(step, inputs=[taken | given])


def planned_with(transforms: Transforms, **params: Any) -> tuple[dict[str, Any], ...]:
    """What stands in the plan for these transforms."""
    pipeline = a_pipeline(reads("data", transforms), params=SHARE)
    plan = planned(pipeline=pipeline, run=a_run(params=params))
    return tuple(dict(one) for one in plan.steps[0].inputs[0].transforms)


def refused_with(transforms: Transforms, **params: Any) -> Refused:
    """Why a run with these transforms is refused."""
    pipeline = a_pipeline(reads("data", transforms), params=SHARE)
    outcome = resolve(sources(pipeline=pipeline, run=a_run(params=params)), NOON, LIMITS)
    assert isinstance(outcome, Refused), outcome
    return outcome


def test_every_transform_stands_in_the_plan_in_its_canonical_form() -> None:
    chain: Transforms = [
        {"sample": {"percent": "50.0", "seed": "42"}},
        split(seed=0, exact=True, groupBy="Stem"),
        {"filter": {"path": "**/*.jpg", "minBytes": "010"}},
        {"skip": {"count": 1}},
        {"take": {"count": "100"}},
        {"shard": {"index": 0, "count": 2}},
    ]

    assert planned_with(chain) == (
        {"sample": {"percent": 50, "seed": 42}},
        {"split": {"parts": PARTS, "part": "train", "seed": 0, "exact": True, "groupBy": "Stem"}},
        {"filter": {"path": "**/*.jpg", "minBytes": 10}},
        {"skip": {"count": 1}},
        {"take": {"count": 100}},
        {"shard": {"index": 0, "count": 2}},
    )


def test_references_in_numbers_and_texts_are_replaced() -> None:
    chain: Transforms = [
        {"sample": {"percent": "$(params.share)", "seed": 1}},
        {"filter": {"path": "$(params.day)/$$(x)/*"}},
    ]

    found = planned_with(chain, share=12.5)

    assert found == ({"sample": {"percent": "12.5", "seed": 1}}, {"filter": {"path": "mon/$(x)/*"}})


def test_one_seed_is_drawn_for_all_inputs_of_a_run_and_another_for_the_next_run() -> None:
    steps = [reads("a", [split("train")], "one"), reads("b", [split("test")], "two")]
    other = a_run()
    other = PipelineRun.parse(other.as_dict() | {"metadata": {"name": "x", "namespace": "n", "uid": "other"}})

    seeds = [
        one.inputs[0].transforms[0]["split"]["seed"]
        for plan in (planned(*steps), planned(*steps, run=other))
        for one in plan.steps
    ]

    assert seeds[0] == seeds[1] == drawn_seed(RUN_UID) == 3690694836587699715
    assert seeds[2] == seeds[3] == drawn_seed("other")
    assert seeds[0] != seeds[2]


def test_train_and_test_of_a_split_without_a_seed_match() -> None:
    plan = planned(reads("a", [split("train")], "one"), reads("b", [split("test")], "two"))

    train, test = (
        set(paths_of([dict(one) for one in step.inputs[0].transforms], FILES)) for step in plan.steps
    )

    assert not train & test
    assert train | test == {file.path for file in FILES}
    assert train
    assert test


@pytest.mark.parametrize("run_uid", ["", "a", RUN_UID, "é" * 100])
def test_a_drawn_seed_is_a_seed_that_every_reader_of_json_takes_as_an_integer(run_uid: str) -> None:
    assert 0 <= drawn_seed(run_uid) < 2**63


def test_a_drawn_seed_is_noted_in_the_plan_and_in_the_steps_status() -> None:
    plan = planned(reads("data", [{"sample": {"percent": 50}}, split()]))

    decided = decide(plan, begun(plan), seen(a_job(plan, "prep")), later(1), LIMITS)

    note = f"input data: seed {drawn_seed(RUN_UID)} was drawn"
    assert plan.notes == (f"step prep, {note}",)
    assert decided.recorded.steps[0].notes == (note,)


def test_a_seed_that_is_given_is_not_noted() -> None:
    assert planned(reads("data", [split(seed=0)])).notes == ()


def test_a_part_of_nothing_is_noted() -> None:
    parts = [{"name": "all", "percent": 100}, {"name": "rest"}]

    plan = planned(reads("data", [split("rest", parts=parts, seed=1)]))

    assert plan.notes == ("step prep, input data: its part rest is 0 percent, so it is empty",)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ([split("test", seed=2)], "in seed"),
        ([split("test", seed=1, parts=[{"name": "train", "percent": 70}, {"name": "test"}])], "in parts"),
        ([split("test", seed=1, exact=True)], "in exact"),
        ([{"take": {"count": 5}}, split("test", seed=1)], "in its place in the transforms"),
    ],
)
def test_splits_of_one_dataset_that_do_not_match_are_noted(other: Transforms, words: str) -> None:
    plan = planned(reads("a", [split(seed=1)], "fit"), reads("b", other, "judge"))

    assert plan.notes == (
        "step judge, input b: its split of dataset iris differs from that of input a of step fit "
        f"{words}: their parts overlap",
    )


def test_splits_that_match_and_splits_of_other_data_are_not_noted() -> None:
    first = reads("a", [split(seed=1)], "fit") | {"outputs": [{"name": "out"}]}
    second = reads("b", [split("test", seed=1)], "judge")
    third = builders.make_step(
        "last", inputs=[{"name": "c", "from": {"step": "fit"}, "transforms": [split(seed=9)]}]
    )

    assert planned(first, second, third).notes == ()


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ([{"take": {"count": 1}}, {"sample": {"percent": 0}}], "transforms[1].sample.percent: takes"),
        ([split("trian")], "transforms[0].split.part: trian is none of the parts train, test."),
        ([{"shard": {"index": 2, "count": 2}}], "transforms[0].shard.index: of 2 shards"),
        ([{"filter": {}}], "transforms[0].filter: give it a path"),
        (
            [{"take": {"count": "$(params.nope)"}}],
            "transforms[0].take.count: $(params.nope) refers to nothing",
        ),
        (
            [{"filter": {"path": "$(inputs.data.path)/*"}}],
            "transforms[0].filter.path: $(inputs.data.path) refers",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_step_input_and_field_when_the_pipeline_is_made(
    chain: Transforms, words: str
) -> None:
    status = decide_pipeline(a_pipeline(reads("data", chain), params=SHARE), NOON)

    assert status is not None
    [ready] = status["conditions"]
    assert ready["reason"] == PipelineReason.INVALID_PIPELINE
    assert f"Step prep, input data: {words}" in ready["message"]
    assert refused_with(chain).message == ready["message"]


def test_what_only_a_parameter_makes_wrong_is_refused_with_its_value_when_the_run_starts() -> None:
    chain: Transforms = [{"sample": {"percent": "$(params.share)"}}]

    refused = refused_with(chain, share=150)

    assert refused.reason is RunReason.INVALID_PIPELINE
    assert refused.message.startswith("Step prep, input data: transforms[0].sample.percent: takes a number")
    assert refused.message.endswith("Here $(params.share) is 150.")
    ready = decide_pipeline(a_pipeline(reads("data", chain), params=SHARE), NOON)
    assert ready is not None
    assert ready["conditions"][0]["status"] == "True"


def test_a_plan_with_views_is_read_back_as_it_was_written() -> None:
    plan = planned(reads("data", [{"sample": {"percent": "12.5"}}, split()]))

    assert restore(unpack(pack(write(plan)))) == plan


def test_a_plan_of_before_there_were_views_is_read() -> None:
    plan = planned(reads("data", []))
    document = step_document(plan.steps[0])

    assert "transforms" not in document["inputs"][0]
    assert restore(write(plan)) == plan


def contract(transforms: Transforms) -> dict[str, str]:
    return dict(planned(reads("data", transforms)).steps[0].contract)


def test_the_views_of_inputs_are_a_part_of_the_contract_in_their_canonical_form() -> None:
    one, same, other, none = (
        contract([{"sample": {"percent": percent, "seed": 1}}] if percent else [])
        for percent in (50, "50.0", 51, None)
    )

    assert one == same
    assert {name for name in one if one[name] != other.get(name)} == {"transforms"}
    assert one.keys() - none.keys() == {"transforms"}


def test_an_output_of_a_step_has_views_too() -> None:
    prep = builders.make_step(outputs=[{"name": "clean"}])
    train = builders.make_step(
        "train", inputs=[{"name": "c", "from": {"step": "prep"}, "transforms": [{"take": {"count": 1}}]}]
    )

    assert planned(prep, train).step("train").inputs[0].transforms == ({"take": {"count": 1}},)


def test_the_path_of_a_single_file_stays_the_file_also_in_a_view() -> None:
    plan = planned(reads("data", [split()]))
    [step] = plan.steps
    source: Any = step.inputs[0].source

    paths = values_of(plan, step, {"data": source.content})

    assert paths["inputs.data.path"] == "/towpath/inputs/data/iris.csv"


def staged_empty(plan: Plan) -> Any:
    report = failure_report("EmptyInput", "Input 'data' has no files: its transforms select none of 1.")
    pod = pod_of(plan, "prep", stage_in={"exit_code": 41, "message": report})
    return decide(plan, begun(plan), seen(a_job(plan, "prep", pod=pod)), later(20), LIMITS).recorded.steps[0]


def test_a_view_without_files_fails_its_step_in_the_movers_words() -> None:
    step = staged_empty(planned(reads("data", [split()])))

    assert (step.state, step.reason) == (StepState.FAILED, StepReason.EMPTY_INPUT)
    assert "its transforms select none" in step.message
