"""Which outputs may lie in packs: none that anybody but a step that downloads it would look for in the store."""

from __future__ import annotations

from typing import Any

import pytest

import builders
from flow.sightings import a_pipeline, planned
from towpath.api.pipeline import Pipeline
from towpath.api.ports import Mode, OnUnavailable, Output
from towpath.flow.documents import write
from towpath.flow.packing import is_packed, mounted_outputs
from towpath.flow.planned import Mounting
from towpath.flow.restore import restore


def takes(output: str | None = None, **fields: Any) -> dict[str, Any]:
    """A step that reads an output of `prep`."""
    source = {"step": "prep"} | ({"output": output} if output else {})
    return builders.make_step("train", inputs=[{"name": "given", "from": source, **fields}], outputs=[])


def packed_of(*steps: dict[str, Any]) -> dict[str, bool]:
    """Whether each output of `prep` may be packed, by name."""
    spec = Pipeline.parse(builders.make_pipeline("iris", *steps)).spec
    mountings = {
        (step.name, given.name): Mounting(given.on_unavailable is OnUnavailable.FAIL)
        for step in spec.steps
        for given in step.inputs
        if given.mode is not Mode.DOWNLOAD
    }
    prep = next(step for step in spec.steps if step.name == "prep")
    return {
        output.name: is_packed("prep", output, mounted_outputs(spec, mountings)) for output in prep.outputs
    }


def writes(*outputs: dict[str, Any]) -> dict[str, Any]:
    return builders.make_step("prep", inputs=[], outputs=list(outputs))


MOUNT = {"mode": "Mount"}
EITHER = {"mode": "Mount", "onUnavailable": "Download"}


@pytest.mark.parametrize("consumer", [[], [takes()], [takes(**EITHER)]])
def test_what_stays_inside_a_run_and_is_downloaded_is_packed(consumer: list[dict[str, Any]]) -> None:
    assert packed_of(writes({"name": "clean"}), *consumer) == {"clean": True}


@pytest.mark.parametrize("mode", ["Mount", "Auto"])
@pytest.mark.parametrize("named", [None, "clean"])
def test_what_any_step_mounts_is_plain(mode: str, named: str | None) -> None:
    downloads = takes() | {"name": "other"}
    assert packed_of(writes({"name": "clean"}), downloads, takes(named, mode=mode)) == {"clean": False}


def test_only_the_output_that_is_mounted_is_plain() -> None:
    steps = (writes({"name": "clean"}, {"name": "model"}), takes("clean", **MOUNT))
    assert packed_of(*steps) == {"clean": False, "model": True}


@pytest.mark.parametrize(
    "field",
    [{"register": {"name": "clean"}}, {"export": {"path": "out/{run-id}"}}],
    ids=["register", "export"],
)
def test_what_others_read_by_their_own_tools_is_plain(field: dict[str, Any]) -> None:
    assert packed_of(writes({"name": "clean"} | field), takes()) == {"clean": False}


def test_a_registered_output_is_never_packed_whatever_else_it_says() -> None:
    for fields in (
        {},
        {"optional": True},
        {"directory": True},
        {"makeDirectory": True},
        {"datastore": "lake"},
    ):
        output = Output.model_validate({"name": "o", "register": {"name": "d"}} | fields)
        assert not is_packed("prep", output, frozenset())


def test_a_plan_says_it_and_one_of_before_there_were_packs_reads_as_plain() -> None:
    registered = {"name": "kept", "register": {"name": "kept"}}
    plan = planned(pipeline=a_pipeline(writes({"name": "clean"}, registered)))
    documents = write(plan)
    assert [output.packed for output in restore(documents).step("prep").outputs] == [True, False]
    outputs = documents["step-prep"]["outputs"]
    assert [output.get("packed") for output in outputs] == [True, None]
    for output in outputs:
        output.pop("packed", None)
    assert [output.packed for output in restore(documents).step("prep").outputs] == [False, False]
