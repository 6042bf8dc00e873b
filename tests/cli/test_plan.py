"""`towpath plan`: bytes, disk, reuse and mistakes before anything runs, by the operator's own planner."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

import builders
from cli.command_line import Called, towpath
from cli.memory import MemoryBackend
from cli.scenes import PARAMS, PREP, TRAIN, digest, finished, inventory_of, namespace
from flow.sightings import INSTALLATION, ready
from towpath.backend import Kind
from towpath.flow import names
from towpath.flow.restore import restore


def pipeline_file(tmp_path: Path, *manifests: dict[str, Any]) -> str:
    path = tmp_path / "pipeline.yaml"
    path.write_text(yaml.safe_dump_all(manifests))
    return str(path)


def told(called: Called) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(called.out)
    return document


def test_a_run_that_computes_nothing_new_takes_all_and_moves_nothing() -> None:
    called = towpath(namespace(), "plan", "iris", "-p", "share=80")
    assert called.code == 0
    assert "prep  taken from iris-1/prep, if its outputs are still there" in called.lines
    assert "train  taken from iris-1/train, if its outputs are still there" not in called.lines
    # What train wrote lies among runs, and a version must lie where versions lie: it is computed again.
    assert "train  to be run: changed since run iris-1: register" in called.lines
    assert "To stage in: 2.0 MB" in called.lines


def with_model_among_versions(backend: MemoryBackend) -> MemoryBackend:
    output = backend.objects[Kind.PIPELINE_RUN, "iris-1"]["status"]["steps"][1]["outputs"][0]
    output["inventory"] = "team-a/datasets/iris-model/iris-1-11111111/train/1-x/model/inventory.jsonl.gz"
    return backend


def test_a_registered_output_is_taken_where_versions_lie_and_while_its_version_is_there() -> None:
    backend = with_model_among_versions(namespace())
    called = towpath(backend, "plan", "iris")
    assert "2 steps: 0 to run, 2 taken from earlier runs" in called.lines
    assert "To stage in: 0 B" in called.lines
    backend.delete(Kind.DATASET_VERSION, "iris-model-v1")
    assert "2 steps: 1 to run, 1 taken from earlier runs" in towpath(backend, "plan", "iris").lines


def test_another_parameter_runs_its_step_and_says_so() -> None:
    called = towpath(namespace(), "plan", "iris", "-p", "share=90")
    assert "prep  to be run: changed since run iris-1: params" in called.lines
    assert "train  to be run, unless what its inputs come to was computed before" in called.lines
    assert "  in   iris <- iris@1  1 file, 3.9 kB" in called.lines
    assert "  in   clean <- prep/clean  ~10 files, 2.0 MB  as in run iris-1" in called.lines
    assert "Most of a node's disk that one step's inputs take: 2.0 MB" in called.lines
    assert "To stage in: 2.0 MB" in called.lines


def test_another_version_is_pinned_and_named_as_the_difference() -> None:
    backend = namespace().hold(
        builders.make_version("iris", 2, inventory=inventory_of(2), files=3, bytes=9000)
    )
    called = towpath(backend, "plan", "iris")
    assert "prep  to be run: changed since run iris-1: inputs.iris" in called.lines
    assert "  in   iris <- iris@2  3 files, 9.0 kB" in called.lines


def test_the_plan_is_the_operators_own() -> None:
    planned = restore(told(towpath(namespace(), "plan", "iris", "-o", "json"))["plan"])
    by_operator, _ = finished()
    assert [step.contract for step in planned.steps] == [step.contract for step in by_operator.steps]
    assert planned.mover_image == INSTALLATION.mover_image


def test_the_installations_image_is_known_from_the_last_run() -> None:
    backend = namespace()
    steps = backend.objects[Kind.PIPELINE, "iris"]["spec"]["steps"]
    backend.hold(
        builders.make_pipeline(
            "iris", *[{k: v for k, v in one.items() if k != "image"} for one in steps], params=PARAMS
        )
    )
    assert (
        "prep  taken from iris-1/prep, if its outputs are still there"
        in towpath(backend, "plan", "iris").lines
    )


def test_what_would_be_refused_is_said_with_near_names_and_nothing_is_written() -> None:
    backend = namespace()
    before = deepcopy(backend.objects)
    called = towpath(backend, "plan", "iris", "-p", "shaer=90")
    assert (called.code, called.out) == (2, "")
    assert "It would be refused: InvalidParams" in called.err
    assert "Did you mean share?" in called.err
    assert backend.objects == before


def test_a_dataset_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    step = builders.make_step("prep", inputs=[{"name": "irsi"}])
    called = towpath(namespace(), "plan", pipeline_file(tmp_path, builders.make_pipeline("new", step)))
    assert called.code == 2
    assert "NotFound: Dataset irsi does not exist. Did you mean iris" in called.err


def test_a_file_brings_what_is_not_in_the_workspace_yet(tmp_path: Path) -> None:
    dataset = ready(builders.make_dataset("flowers"), latestVersion=1, lastVersion=1)
    step = builders.make_step(
        "prep", inputs=[{"name": "iris"}], outputs=[{"name": "clean", "register": {"name": "b"}}]
    )
    file = pipeline_file(tmp_path, dataset, builders.make_pipeline("new", step))
    called = towpath(namespace(), "plan", file)
    assert called.code == 0
    assert "  out  clean -> new version of b" in called.lines


def test_a_file_with_a_mistake_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    step = builders.make_step("prep", comand=["x"])
    called = towpath(MemoryBackend(), "plan", pipeline_file(tmp_path, builders.make_pipeline("new", step)))
    assert called.code == 2
    assert "spec.steps[prep].comand: there is no such field. Did you mean command" in called.err


def test_what_a_run_would_wait_for_is_listed_and_the_plan_goes_on() -> None:
    backend = namespace()
    backend.hold(ready(builders.make_datastore(), "False"))
    called = towpath(backend, "plan", "iris", "-p", "share=90")
    assert called.code == 0
    assert (
        "It would wait first: Datastore default is not Ready: CredentialsRefused: as AKIA: 403" in called.err
    )
    assert "2 steps: 2 to run, 0 taken from earlier runs" in called.lines


def test_a_dataset_without_any_version_holds_the_run(tmp_path: Path) -> None:
    step = builders.make_step("prep", inputs=[{"name": "flowers"}])
    file = pipeline_file(tmp_path, builders.make_dataset("flowers"), builders.make_pipeline("new", step))
    called = towpath(namespace(), "plan", file)
    assert called.code == 2
    assert "Dataset flowers is not Ready: it has not been looked at yet" in called.err


VIEW = {"name": "iris", "transforms": [{"sample": {"percent": 10, "seed": 1}}]}


def test_a_view_is_estimated_and_marked_as_such(tmp_path: Path) -> None:
    backend = namespace()
    version = builders.make_version("iris", 1, inventory=inventory_of(1), files=1000, bytes=5_000_000)
    version["spec"] |= {"scratchBytes": 8_000_000, "directory": True}
    del version["spec"]["file"]
    backend.hold(version)
    file = pipeline_file(tmp_path, builders.make_pipeline("new", builders.make_step("prep", inputs=[VIEW])))
    assert "  in   iris <- iris@1  ~100 files, 500.0 kB  view: sample" in towpath(backend, "plan", file).lines
    [step] = told(towpath(backend, "plan", file, "-o", "json"))["steps"]
    assert (step["bytesIn"], step["scratchBytes"], step["inputs"][0]["estimated"]) == (500_000, 800_000, True)


def test_a_source_that_is_listed_at_the_start_has_no_size_yet(tmp_path: Path) -> None:
    given = {"name": "raw", "source": {"sources": [{"path": "raw/*.csv"}]}}
    file = pipeline_file(tmp_path, builders.make_pipeline("new", builders.make_step("prep", inputs=[given])))
    called = towpath(namespace(), "plan", file)
    assert called.code == 0
    assert "  in   raw <- raw/*.csv in default  size not known yet" in called.lines
    assert "To stage in: 0 B, and what is not known yet" in called.lines


def test_a_file_must_say_what_is_to_be_run(tmp_path: Path) -> None:
    two = (builders.make_pipeline("a"), builders.make_pipeline("b"))
    called = towpath(namespace(), "plan", pipeline_file(tmp_path, *two))
    assert called.code == 2
    assert (
        "holds 2 Pipelines and 0 PipelineRuns: to run it, it must hold one PipelineRun, or one Pipeline"
        in called.err
    )


def test_a_files_run_takes_its_parameters_and_those_of_the_command_line(tmp_path: Path) -> None:
    file = pipeline_file(
        tmp_path,
        builders.make_pipeline("iris", PREP, TRAIN, params=PARAMS),
        builders.make_run(params={"share": 70}),
    )
    planned = restore(told(towpath(namespace(), "plan", file, "-o", "json"))["plan"])
    assert planned.params == {"share": "70"}
    planned = restore(told(towpath(namespace(), "plan", file, "-p", "share=60", "-o", "json"))["plan"])
    assert planned.params == {"share": "60"}


@pytest.mark.parametrize("given", ["share", "=1", "share=1 -p share=2"])
def test_a_parameter_is_a_name_and_a_value_once(given: str) -> None:
    assert towpath(namespace(), "plan", "iris", *f"-p {given}".split()).code == 2


def test_a_step_whose_equal_is_gone_from_the_runs_is_run() -> None:
    backend = namespace()
    backend.delete(Kind.PIPELINE_RUN, "iris-1")
    called = towpath(backend, "plan", "iris")
    assert any(line.startswith("prep  to be run") for line in called.lines)


def test_the_names_of_the_scene_are_as_the_operator_makes_them() -> None:
    assert names.object_name("iris_model") == "iris-model"
    assert digest("a") == inventory_of(1)["digest"]
