"""A plan that an earlier release wrote: the operator of today reads it, and makes the Jobs that it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.planned_steps import make_content, make_order
from towpath.flow import names
from towpath.flow.documents import digest_of, plan_digest, write
from towpath.flow.planned import FORMAT_VERSION
from towpath.flow.restore import restore
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.step import render

EARLIER = sorted((Path(__file__).parents[1] / "golden" / "plans").glob("*.json"))
each_earlier = pytest.mark.parametrize("file", EARLIER, ids=lambda file: file.stem)


def written_in(file: Path) -> dict[str, Any]:
    documents: dict[str, Any] = json.loads(file.read_text())
    return documents


def test_there_is_a_plan_of_this_format_and_of_the_one_before() -> None:
    formats = {written_in(file)["run"]["formatVersion"] for file in EARLIER}
    assert {max(1, FORMAT_VERSION - 1), FORMAT_VERSION} <= formats


@each_earlier
def test_nothing_that_an_earlier_plan_says_is_lost_or_added(file: Path) -> None:
    documents = written_in(file)
    plan = restore(documents)
    if documents["run"]["formatVersion"] == FORMAT_VERSION:
        assert plan_digest(write(plan)) == plan_digest(documents)
    assert plan.digest == digest_of(documents[names.PLAN_RUN_KEY])
    for step in plan.steps:
        assert step.digest == digest_of(documents[names.plan_step_key(step.name)])


@each_earlier
def test_an_attempt_of_an_earlier_plan_has_its_mover_its_digest_and_its_values(file: Path) -> None:
    documents = written_in(file)
    plan = restore(documents)
    for step in plan.steps:
        given = {one.name: one.pinned or make_content() for one in step.inputs}
        job = render(plan, step, make_order(step, 2, given), PodSettings())

        written = documents[names.plan_step_key(step.name)]
        assert job["metadata"]["annotations"][names.STEP_DIGEST_ANNOTATION] == digest_of(written)
        pod = job["spec"]["template"]["spec"]
        containers = {one["name"]: one for one in [*pod.get("initContainers", ()), *pod["containers"]]}
        assert containers["step"]["image"] == written["image"]
        movers = {name: one["image"] for name, one in containers.items() if name != "step"}
        assert movers == dict.fromkeys(("stage-in", "publish"), documents["run"]["moverImage"])
