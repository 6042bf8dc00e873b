"""`towpath run` and `towpath init`: what is started, what is told, and the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from builders import make_datastore, make_pipeline, make_step
from cli.command_line import towpath
from cli.memory import MemoryBackend
from towpath.backend import Backend, Kind, Manifest
from towpath.cli.app import app
from towpath.cli.connect import Where, completed
from towpath.local import open_backend
from towpath.workspace_config import Place, read_place, write_place

DONE = {"completionTime": "2026-11-26T06:00:00Z"}


class Operated(MemoryBackend):
    """Every run that is created ends so, after a step has run."""

    end: dict[str, Any]

    def create(self, manifest: Manifest) -> Manifest:
        made = super().create(manifest)
        steps = [{"name": "prep", "state": "Running"}]
        changes: list[dict[str, Any]] = [{"status": {"state": "Running", "steps": steps}}]
        self.changes[Kind.PIPELINE_RUN, made["metadata"]["name"]] = [*changes, {"status": self.end}]
        return made


def operated(**end: Any) -> Operated:
    backend = Operated().hold(make_pipeline("iris"))
    assert isinstance(backend, Operated)
    backend.end = end
    return backend


def test_a_pipeline_is_run_by_name_and_waited_for() -> None:
    backend = operated(state="Succeeded", **DONE)
    backend.hold(make_pipeline("iris", params=[{"name": "share", "type": "integer", "default": 80}]))
    called = towpath(backend, "run", "iris", "-p", "share=90", "--no-reuse")
    assert (called.code, called.out) == (0, "iris-00001\n")
    assert "iris-00001: prep: Running" in called.err
    spec = backend.objects["PipelineRun", "iris-00001"]["spec"]
    assert spec == {"pipelineRef": {"name": "iris"}, "params": {"share": "90"}, "reuse": False}


def test_a_file_is_applied_first_what_others_name_before_them(tmp_path: Path) -> None:
    backend = operated(state="Succeeded", **DONE)
    applied: list[str] = []
    real = backend.apply
    backend.apply = lambda manifest: (applied.append(manifest["kind"]), real(manifest))[1]  # type: ignore[method-assign,func-returns-value]
    file = tmp_path / "pipeline.yaml"
    file.write_text(yaml.safe_dump_all([make_pipeline("mine", make_step("a")), make_datastore("default")]))
    called = towpath(backend, "run", str(file), "-o", "name", "-q")
    assert (called.code, called.err) == (0, "")
    assert called.out.startswith("pipelineruns.towpath.dev/mine-")
    assert applied == ["Datastore", "Pipeline"]


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ({"state": "Failed", "message": "step prep failed", **DONE}, 1, "ended Failed: step prep failed"),
        ({"state": "Cancelled", **DONE}, 1, "ended Cancelled"),
        ({"state": "Running"}, 3, "goes on"),
    ],
)
def test_the_exit_code_says_how_it_ended(end: dict[str, Any], code: int, said: str) -> None:
    called = towpath(operated(**end), "run", "iris", "--timeout", "5")
    assert called.code == code
    assert said in called.err


def test_a_detached_run_is_only_started() -> None:
    called = towpath(operated(state="Failed", **DONE), "run", "iris", "--detach")
    assert (called.code, called.out, called.err) == (0, "iris-00001\n", "")


@pytest.mark.parametrize("words", [("--datastore", "default=x"), ("--engine", "podman"), ("-p", "share")])
def test_a_wrong_option_is_usage(words: tuple[str, ...]) -> None:
    backend = operated(state="Succeeded", **DONE)
    assert towpath(backend, "run", "iris", *words).code == 2
    assert ("PipelineRun", "iris-00001") not in backend.objects


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-p", "share=abc"), "share"),
        (("-p", "shre=5"), "Did you mean share?"),
    ],
)
def test_a_bad_value_is_refused_before_anything_is_sent(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    share = {"name": "share", "type": "number", "default": 80}
    declared = make_pipeline("mine", params=[share])
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(declared))
    by_name = operated(state="Succeeded", **DONE).hold(declared)
    for backend, given in ((operated(state="Succeeded", **DONE), str(file)), (by_name, "mine")):
        before = set(backend.objects)
        called = towpath(backend, "run", given, *words)
        assert (called.code, called.out) == (2, "")
        assert said in called.err
        assert set(backend.objects) == before


def in_folder(folder: Path, *words: str) -> Any:
    backend: Backend = open_backend(folder)
    return towpath(backend, *words, "--folder", str(folder))


def test_a_workspace_is_made_and_a_pipeline_runs_in_it(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["init", "--local", "--folder", str(tmp_path)])
    assert (made.exit_code, str(tmp_path) in made.stdout) == (0, True)
    write = make_step(
        "write", command=["sh", "-c", 'echo hello > "$0"', "$(outputs.out.path)"], outputs=[{"name": "out"}]
    )
    fail = make_step("fail", command=["sh", "-c", "echo oh no; exit 3"])
    file = tmp_path / "pipeline.yaml"
    for step, code, said in ((write, 0, "write: Succeeded"), (fail, 1, "oh no")):
        file.write_text(yaml.safe_dump(make_pipeline("mine", step)))
        called = in_folder(tmp_path, "run", str(file))
        assert (called.code, said in called.err) == (code, True), called.err
        assert called.out.startswith("mine-")
    assert in_folder(tmp_path, "run", str(file), "--detach").code == 2


def test_init_writes_which_namespace_a_folder_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    backend = MemoryBackend()
    called = towpath(backend, "init", "--context", "kind-dev")
    assert (called.code, called.out) == (0, f"{backend.where}\n"), called.err
    assert "towpath add datastore default" in called.err
    assert read_place(None, tmp_path) == Place(backend.namespace, "kind-dev")
    assert towpath(MemoryBackend(), "init", "--data", ".").code == 2


def test_commands_without_options_are_for_the_folders_workspace(tmp_path: Path) -> None:
    below = tmp_path / "src/deep"
    below.mkdir(parents=True)
    assert completed(Where(), below) == Where()
    write_place(Place("team-a", "kind-dev"), tmp_path, "config.json")
    assert completed(Where(), below) == Where("team-a", "kind-dev")
    assert completed(Where(namespace="team-b"), below) == Where("team-b", "kind-dev")
    assert completed(Where(folder=below), below) == Where(folder=below)
    write_place(Place(local="."), tmp_path / "src", "config.json")
    assert completed(Where(), below) == Where(folder=tmp_path / "src")
    assert completed(Where(namespace="team-b"), below) == Where(namespace="team-b")
