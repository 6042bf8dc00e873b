"""The README's pipeline, the tutorial and the page for Azure ML's users, worked through to the letter."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import towpath
from docs.pages import ROOT, commands, python_blocks, said, write_files
from local.desk import a_desk

README = "README.md"
TUTORIAL = "docs/tutorial.md"
MIGRATION = "docs/how-to/move-from-azure-ml.md"
FLOWERS = ROOT / "examples/iris/iris.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the reader works, with the flowers in it."""
    with a_desk(tmp_path):
        shutil.copy(FLOWERS, tmp_path)
        yield tmp_path


@pytest.mark.story
def test_the_tutorial_does_on_this_machine_what_it_says(folder: Path) -> None:
    assert write_files(TUTORIAL, folder) == ["train.py", "describe.py", "pipeline.py"]
    first, second, runs, lineage = commands(TUTORIAL)

    trained = said(first, folder).splitlines()[-2:]
    assert trained == ["{'accuracy': 0.8947368421052632}", "iris_model, version 1"]
    assert said(second, folder).splitlines()[-2:] == trained
    assert said(runs, folder).count("2/2") == 2
    assert "taken from run flowers-" in said(lineage, folder)


@pytest.mark.story
def test_what_azure_mls_users_are_shown_runs(folder: Path) -> None:
    scripts = folder / "scripts"
    scripts.mkdir()
    script = (
        "import shutil, sys\n"
        "from towpath import Run\n"
        "shutil.copy(sys.argv[2], sys.argv[4])\n"
        "assert Run.get_context().input_datasets['test'] != sys.argv[2]\n"
    )
    (scripts / "train.py").write_text(script)
    workspace = towpath.Workspace.local(folder)
    workspace.get_default_datastore().upload_files([str(folder / "iris.csv")], target_path="raw")
    workspace.write_config(str(folder))
    (shown,) = python_blocks(MIGRATION)
    (folder / "shown.py").write_text(shown)

    printed = said(["python", "shown.py"], folder)

    assert "kind: Pipeline\n" in printed
    assert printed.splitlines()[-1] == "1"


@pytest.mark.story
def test_the_pipeline_of_the_readme_runs(folder: Path) -> None:
    (folder / "train.py").write_text("import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[3])\n")
    workspace = towpath.Workspace.local(folder)
    workspace.get_default_datastore().upload_files([str(folder / "iris.csv")], target_path="raw")
    (shown,) = python_blocks(README)
    (folder / "shown.py").write_text(shown)

    said(["python", "shown.py"], folder)

    assert workspace.datasets["iris_model"].version == 1


@pytest.mark.parametrize("page", [README, TUTORIAL, MIGRATION])
def test_every_name_that_a_page_imports_is_offered(page: str) -> None:
    for block in python_blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "towpath":
                assert {name.name for name in node.names} <= set(towpath.__all__)
