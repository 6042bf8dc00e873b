"""The verbs together on this machine: a dataset is added, a pipeline planned, run, looked into and replayed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import builders
from cli.memory import MemoryBackend
from cli.scenes import namespace
from towpath.backend import Container, Kind, LogLine
from towpath.cli.live import transfers_shown

pytestmark = pytest.mark.story

CODE = "import sys\nopen(sys.argv[2], 'w').write(open(sys.argv[1]).read().upper())\nprint('done')\n"
STEP = {
    "name": "upper",
    "command": ["python3", "upper.py", "$(inputs.words.path)", "$(outputs.loud.path)"],
    "code": {"inline": {"upper.py": CODE}},
    "inputs": [{"name": "words"}],
    "outputs": [{"name": "loud", "register": {"name": "loud_words"}}],
}


def here(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Call `towpath` as a process of its own, in a folder."""
    command = [sys.executable, "-c", "from towpath.cli.app import main; main()", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace, a dataset and a pipeline."""
    folder = tmp_path_factory.mktemp("laptop")
    pipeline = builders.make_pipeline("shout", STEP)
    del pipeline["metadata"]["namespace"]
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(pipeline))
    (folder / "words.txt").write_text("quiet words\n")
    assert here(folder, "init", "--local").returncode == 0
    added = here(folder, "add", "dataset", "words", "words.txt", "--local")
    assert (added.returncode, added.stdout) == (0, "words@1\n"), added.stderr
    return folder


@pytest.fixture(scope="module")
def ended(workspace: Path) -> str:
    """The name of a run that went well."""
    ran = here(workspace, "run", "pipeline.yaml", "--local")
    assert ran.returncode == 0, ran.stderr
    assert "upper: Succeeded" in ran.stderr
    return ran.stdout.strip()


def test_a_file_is_run_here_and_its_data_can_be_fetched(workspace: Path, ended: str) -> None:
    assert here(workspace, "cp", "dataset:loud_words", "loud.txt", "--local").returncode == 0
    assert (workspace / "loud.txt").read_text() == "QUIET WORDS\n"
    assert "upper | done" in here(workspace, "logs", ended, "--local").stdout


def test_the_other_verbs_work_without_a_cluster_too(workspace: Path, ended: str) -> None:
    assert ended in here(workspace, "get", "runs", "--local").stdout
    assert "loud-words@1" in here(workspace, "describe", "run", ended, "--local").stdout
    assert "words: words@1" in here(workspace, "lineage", "loud_words", "--local").stdout
    assert "1 steps:" in here(workspace, "plan", "pipeline.yaml", "--local").stdout
    report = here(workspace, "report", ended, "-o", "run.html", "--local")
    assert (workspace / "run.html").read_text().startswith("<!doctype html>"), report.stderr


def test_a_step_is_replayed_with_what_it_was_given(workspace: Path, ended: str) -> None:
    replayed = here(workspace, "replay", ended, "upper", "--folder", str(workspace), "--into", "again")
    assert replayed.returncode == 0, replayed.stderr
    files = [file for file in (workspace / "again").rglob("*") if file.is_file()]
    assert b"QUIET WORDS\n" in [file.read_bytes() for file in files]


def test_transfers_are_told_of_in_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    backend: MemoryBackend = namespace()
    told = {"transfer": "iris", "bytesTotal": 40, "files": 1, "bytes": 20, "seconds": 12, "bytesPerSecond": 2}
    backend.lines = [
        LogLine("prep", 1, Container.STAGE_IN, json.dumps(told | {"seconds": seconds}))
        for seconds in (2, 12, 14)
    ]
    run = backend.objects[Kind.PIPELINE_RUN, "iris-1"]
    with transfers_shown(backend, run) as reading:
        assert reading is not None
        reading.join()
    assert capsys.readouterr().err == "prep stage-in: iris: 20 B of 40 B, 1 files, 2 B/s\n"
