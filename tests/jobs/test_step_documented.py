"""The page that says what a step sees lists the variables that a step gets, with their values."""

from __future__ import annotations

import re
from pathlib import Path

from jobs.planned_steps import make_input, make_output, make_plan, make_step
from towpath.flow.planned import PlannedShards
from towpath_operator.jobs.environment import step_environment
from towpath_operator.jobs.settings import PodSettings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "step.md"
ROW = re.compile(r"^\| `([A-Z_]+)(?:<NAME>)?` \| (.+) \|$", re.MULTILINE)


def test_the_page_lists_every_variable_that_a_step_gets() -> None:
    shared = PlannedShards("raw", 10, None)
    step = make_step(inputs=(make_input("raw"),), outputs=(make_output("clean"),), shards=shared)
    values = {"inputs.raw.path": "/towpath/inputs/raw", "outputs.clean.path": "/towpath/outputs/clean"}
    given = step_environment(make_plan(step, params={"share": "90"}), step, values, PodSettings())

    listed = dict(ROW.findall(PAGE.read_text()))

    endings = ("SHARE", "RAW", "CLEAN")
    shown = {re.sub(f"({'|'.join(endings)})$", "", each["name"]): each["value"] for each in given}
    # The launcher adds which shard it is: all pods of a Job are made alike.
    assert set(listed) == {*shown, "TOWPATH_SHARD"}
    assert {name: listed[name] for name in ("HOME", "TMPDIR", "USER")} == {
        name: f"`{shown[name]}`" for name in ("HOME", "TMPDIR", "USER")
    }


def test_the_page_says_what_a_plain_step_gets() -> None:
    step = make_step(inputs=(), outputs=(), code=None, timeout_seconds=None)
    assert not step.needs_movers

    given = step_environment(make_plan(step, params={"share": "90"}), step, {}, PodSettings())

    assert {each["name"] for each in given} == {"TOWPATH_PARAM_SHARE", "USER"}
    assert "of the variables above it has `TOWPATH_PARAM_<NAME>` and `USER`" in " ".join(
        PAGE.read_text().split()
    )
