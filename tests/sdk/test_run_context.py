"""What a step's script may import and ask: in a Python that has nothing installed, from the context file alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from towpath import Run, RunEnvironmentException, UnknownNameError
from towpath_mover.step_python import MODULES, place_python

SDK = Path(__file__).parents[2] / "sdk" / "towpath"
SCRIPTS = Path(__file__).parent / "examples" / "scripts"


@pytest.fixture
def context(tmp_path: Path) -> dict[str, Any]:
    """What stage-in writes for a step that takes two datasets and writes one output."""
    digits = tmp_path / "inputs" / "digits"
    (digits / "a").mkdir(parents=True)
    (digits / "a" / "1.png").write_bytes(b"one")
    (digits / "0.png").write_bytes(b"nought")
    return {
        "formatVersion": 1,
        "namespace": "team-a",
        "run": {"name": "digits-1", "uid": "6f7c9a1e-2b3d-4c5e-8f90-123456789abc"},
        "pipeline": "digits",
        "step": "look",
        "attempt": 1,
        "params": {"rate": "0.1"},
        "inputs": {
            "digits": {
                "path": str(digits),
                "digest": "sha256:ab",
                "dataset": "mnist-opendataset",
                "version": 3,
            },
            "test": {"path": "/towpath/inputs/test/iris.csv", "digest": "sha256:cd"},
        },
        "outputs": {"model": {"path": "/towpath/outputs/model"}},
    }


class Bare:
    """A Python without any installed package, as a step's image may be, with what stage-in places."""

    def __init__(self, folder: Path, context: dict[str, Any]) -> None:
        place_python(folder / "python")
        self.folder = folder
        (folder / "context.json").write_text(json.dumps(context))

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script's text."""
        return subprocess.run(
            [sys.executable, "-S", "-c", script],
            env={
                "PYTHONPATH": str(self.folder / "python"),
                "TOWPATH_CONTEXT": str(self.folder / "context.json"),
                "TOWPATH_METRICS": str(self.folder / "metrics"),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def says(self, script: str) -> str:
        """What a script prints; it must end well."""
        ended = self.run(script)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path, context: dict[str, Any]) -> Bare:
    """Such a Python in such a step."""
    return Bare(tmp_path, context)


ASK = "from towpath import Run, Dataset\nrun = Run.get_context()\n"


def test_a_script_finds_the_paths_of_its_inputs_and_outputs(bare: Bare, context: dict[str, Any]) -> None:
    said = bare.says(ASK + "print(run.input_datasets['test'], run.output_datasets['model'])")
    assert said == "/towpath/inputs/test/iris.csv /towpath/outputs/model"


def test_an_unknown_input_is_a_key_error_that_lists_the_names(bare: Bare) -> None:
    said = bare.says(ASK + "try: run.input_datasets['tset']\nexcept KeyError as error: print(error)")
    assert said == "This step has no input tset. Did you mean test?"


def test_the_articles_lookup_gives_the_staged_files(bare: Bare, tmp_path: Path) -> None:
    assert bare.says((SCRIPTS / "lookup.py").read_text()) == str(tmp_path / "inputs" / "digits")


def test_a_dataset_in_a_step_shows_its_version_and_files(bare: Bare) -> None:
    said = bare.says(
        ASK + "ds = run.experiment.workspace.datasets['mnist_opendataset']\nprint(ds.version, ds.to_path())"
    )
    assert said == "3 ['/0.png', '/a/1.png']"


def test_a_dataset_in_a_step_can_be_copied_elsewhere(bare: Bare, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    bare.says(
        ASK + f"Dataset.get_by_name(run.experiment.workspace, 'mnist-opendataset').download({str(target)!r})"
    )
    assert (target / "a" / "1.png").read_bytes() == b"one"


def test_a_dataset_that_the_step_does_not_take_is_refused_with_the_line_to_add(bare: Bare) -> None:
    ended = bare.run(ASK + "Dataset.get_by_name(run.experiment.workspace, 'raw_data')")
    assert "inputs=[Dataset.get_by_name(workspace, 'raw_data')]" in ended.stderr
    assert "inputs: [{name: raw_data}]" in ended.stderr


def test_another_version_than_the_pinned_one_is_refused(bare: Bare) -> None:
    ended = bare.run(ASK + "Dataset.get_by_name(run.experiment.workspace, 'mnist-opendataset', 2)")
    assert "The run has pinned version 3" in ended.stderr


def test_a_script_knows_its_run(bare: Bare) -> None:
    said = bare.says(ASK + "print(run.id, run.parent.id, run.experiment.name, run.params, run.attempt)")
    assert said == "digits-1/look digits-1 digits {'rate': '0.1'} 1"


def test_details_hold_versions_and_digests(bare: Bare) -> None:
    said = json.loads(bare.says(ASK + "import json; print(json.dumps(run.get_details()))"))
    assert {given["name"]: given.get("version") for given in said["inputDatasets"]} == {
        "digits": 3,
        "test": None,
    }
    assert said["outputDatasets"] == [{"name": "model", "path": "/towpath/outputs/model"}]


def test_metrics_are_lines_that_the_publisher_reads(bare: Bare, tmp_path: Path) -> None:
    bare.says(
        ASK
        + "run.log('accuracy', 0.94)\nrun.log('loss', 1, step=3)\nrun.log_list('f1', [0.1, 0.2])\n"
        + "run.log_row('cell', x=1.5)\nrun.log('bad', float('nan'))\nrun.log('worse', 'text')"
    )
    lines = [json.loads(line) for line in (tmp_path / "metrics").read_text().splitlines()]
    assert lines == [
        {"name": "accuracy", "value": 0.94},
        {"name": "loss", "value": 1, "step": 3},
        {"name": "f1", "value": 0.1, "step": 0},
        {"name": "f1", "value": 0.2, "step": 1},
        {"name": "cell.x", "value": 1.5},
    ]


def test_what_a_metric_cannot_hold_is_said_and_ends_nothing(bare: Bare) -> None:
    ended = bare.run(ASK + "run.log('bad', float('inf'))")
    assert ended.returncode == 0
    assert "the metric bad is no finite number" in ended.stderr


def test_pictures_and_uploads_are_refused_with_advice(bare: Bare) -> None:
    assert "an output of the step" in bare.run(ASK + "run.log_image('x', plot=None)").stderr
    assert "declare an output" in bare.run(ASK + "run.upload_file('x', 'y')").stderr


def test_what_only_pipelines_have_is_refused_by_name(bare: Bare) -> None:
    assert "towpath needs" not in bare.says(ASK + "print(1)")
    said = bare.says("import towpath\ntry: towpath.Pipeline\nexcept AttributeError as error: print(error)")
    assert said.startswith("towpath has no Pipeline in a step, but ")


def test_the_images_own_towpath_wins(bare: Bare, tmp_path: Path) -> None:
    own = tmp_path / "site" / "towpath"
    own.mkdir(parents=True)
    (own / "__init__.py").write_text("VERSION = 'own'\n")
    (own / "more.py").write_text("HERE = 'more of its own'\n")
    script = f"import sys; sys.path.append({str(own.parent)!r})\nimport towpath, towpath.more\n"
    assert bare.says(script + "print(towpath.VERSION, towpath.more.HERE)") == "own more of its own"


def test_outside_any_step_the_dictionaries_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOWPATH_CONTEXT", raising=False)
    run = Run.get_context()
    assert (run.input_datasets, run.output_datasets, run.params) == ({}, {}, {})
    with pytest.raises(UnknownNameError, match="There are none"):
        run.input_datasets["iris"]


def test_outside_any_step_an_error_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOWPATH_CONTEXT", raising=False)
    with pytest.raises(RunEnvironmentException, match="outside any step"):
        Run.get_context(allow_offline=False)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_placed_into_steps_is_syntax_of_python_3_9(module: str) -> None:
    ast.parse((SDK / f"{module}.py").read_text(), feature_version=(3, 9))


def test_what_is_placed_into_steps_imports_only_itself_and_the_standard_library(bare: Bare) -> None:
    # TYPE_CHECKING keeps the rest out; what is imported inside functions is not reached in a step.
    names = [module.replace("/__init__", "").replace("/", ".") for module in MODULES]
    said = bare.says(
        f"import importlib\nfor name in {names}: importlib.import_module('towpath.' + name)\nprint('all')"
    )
    assert said == "all"
