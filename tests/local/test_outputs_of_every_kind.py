"""Outputs as the SDK declares them, in every combination: mode, kind, and how the step writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.desk import Desk
from towpath import (
    DefinitionError,
    OutputFileDatasetConfig,
    Pipeline,
    PipelineData,
    PipelineRun,
    PythonScriptStep,
    Workspace,
)

pytestmark = pytest.mark.story

WRITE = """\
import os, sys
how, path = sys.argv[1:]
if how == "makedirs":
    os.makedirs(path)
    path = os.path.join(path, "part.txt")
if how != "nothing":
    open(path, "w").write(how)
    open("extra.txt", "w").write("not declared")
"""
KINDS: dict[str, bool | None] = {"file": False, "folder": True, "untyped": None}
WAYS = ("open", "makedirs", "nothing")
ENDS = {
    ("file", "makedirs"): "directory: false, but the step wrote a folder",
    ("folder", "open"): "directory: true, but the step wrote a file",
    ("file", "nothing"): "was not written",
    ("folder", "nothing"): "was not written",
    ("untyped", "nothing"): "was not written",
}


@pytest.fixture
def workspace(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A place with a script that writes, and a workspace."""
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "write.py").write_text(WRITE)
    monkeypatch.chdir(scripts)
    return Workspace.local(desk.folder)


def a_step(mode: str, kind: str, way: str) -> PythonScriptStep:
    """A step that declares one output so, and writes it so."""
    place = f"out/{kind}-{way}" if mode == "upload" else None
    output = PipelineData("data", output_mode=mode, output_path_on_compute=place, is_directory=KINDS[kind])
    name = f"{mode}-{kind}-{way}"
    return PythonScriptStep("write.py", name=name, arguments=[way, output], outputs=[output])


@pytest.mark.parametrize("mode", ["mount", "upload"])
def test_what_was_declared_is_published_or_the_step_fails_by_name(workspace: Workspace, mode: str) -> None:
    steps = {(kind, way): a_step(mode, kind, way) for kind in KINDS for way in WAYS}
    run = Pipeline(workspace, list(steps.values())).submit("outputs", continue_on_step_failure=True)
    run.wait(240, show_output=False, raise_on_error=False)

    assert {place: end_of(run, step.name) for place, step in steps.items()} == {
        ("file", "open"): "open",
        ("untyped", "open"): "open",
        ("folder", "makedirs"): {"part.txt": "makedirs"},
        ("untyped", "makedirs"): {"part.txt": "makedirs"},
        **ENDS,
    }


def end_of(run: PipelineRun, step: str) -> Any:
    """What a step published, or which of the words it failed with."""
    [found] = run.find_step_run(step)
    if found.get_status() != "Succeeded":
        message = found.get_details()["message"]
        return next((words for words in set(ENDS.values()) if words in message), message)
    place = found.get_output("data").fetch(show_progress=False)
    if place.is_file():
        return place.read_text()
    return {file.name: file.read_text() for file in place.iterdir()}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("kept/{run}", "unknown placeholder"),
        ("kept/$(params.nobody)", "params.nobody"),
        ("../kept", r"\.\."),
        ("kept/{output-name}/../..", r"\.\."),
    ],
)
def test_a_destination_that_cannot_be_is_refused_before_anything_runs(
    workspace: Workspace, path: str, words: str
) -> None:
    with pytest.raises(DefinitionError, match=words):
        submit(workspace, data=path)


def test_two_outputs_for_one_place_are_refused_before_anything_runs(workspace: Workspace) -> None:
    run = submit(workspace, one="kept/all", two="kept/all")
    assert run.wait(60, show_output=False, raise_on_error=False) == "Failed"
    details = run.get_details()
    assert "kept/all" in details["message"]
    assert "steps" not in details


def submit(workspace: Workspace, **paths: str) -> PipelineRun:
    """Steps that each write an output of this name, which is copied to that path of the default datastore."""
    store = workspace.get_default_datastore()
    outputs = [OutputFileDatasetConfig(name, destination=(store, path)) for name, path in paths.items()]
    steps = [
        PythonScriptStep("write.py", name=f"write-{one.name}", arguments=["open", one]) for one in outputs
    ]
    return Pipeline(workspace, steps).submit("outputs")
