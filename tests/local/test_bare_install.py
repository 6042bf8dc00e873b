"""What `pip install towpath` brings is enough for runs on a laptop; what more a run needs is named with the command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.pages import ROOT, write_files
from local.bare_environment import make_bare_environment
from local.desk import a_desk

pytestmark = pytest.mark.story

PARQUET = """
import sys
from towpath import Dataset, Pipeline, PythonScriptStep, Workspace
ws = Workspace.local()
store = ws.get_default_datastore()
store.upload_files(["table.parquet"], target_path="raw")
table = Dataset.Tabular.from_parquet_files((store, "raw/table.parquet"))
step = PythonScriptStep("show.py", inputs=[table.take(1).as_named_input("table")])
Pipeline(ws, [step]).submit("show").wait(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project's folder, with its environment in it, as most have it."""
    with a_desk(tmp_path):
        make_bare_environment(tmp_path / ".venv")
        yield tmp_path


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [folder / ".venv/bin/python", script],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tutorial_runs_with_no_extra(folder: Path) -> None:
    shutil.copy(ROOT / "examples/iris/iris.csv", folder)
    write_files("docs/tutorial.md", folder)
    done = run(folder, "pipeline.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "iris_model, version 1"


def test_what_an_extra_would_bring_is_named(folder: Path) -> None:
    (folder / "table.parquet").write_bytes(b"PAR1")
    (folder / "show.py").write_text("print()")
    (folder / "parquet.py").write_text(PARQUET)
    done = run(folder, "parquet.py")
    assert done.returncode == 1
    assert "needs the Python package pyarrow" in done.stderr, done.stdout + done.stderr
    assert "pip install 'towpath[mover]'" in done.stderr
