"""File datasets as the SDK defines them, of whatever lies in a datastore: what a step then sees, or which error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.desk import Desk
from sdk.article import said
from towpath import Dataset, Pipeline, PythonScriptStep, Workspace
from towpath.local.datastores import apply_folder

pytestmark = pytest.mark.story

LIST = """\
import json, os
for name, value in sorted(os.environ.items()):
    if name.startswith("TOWPATH_INPUT_"):
        seen = os.path.basename(value) if os.path.isfile(value) else {
            os.path.relpath(os.path.join(folder, file), value): os.path.getsize(os.path.join(folder, file))
            for folder, _, files in os.walk(value) for file in files
        }
        few = len(seen) if isinstance(seen, dict) and len(seen) > 99 else seen
        print(name.removeprefix("TOWPATH_INPUT_").lower(), json.dumps(few, sort_keys=True), flush=True)
"""
ODD = [
    "a b.txt",
    "é/日本.txt",
    ".hidden",
    "zero",
    "x" * 255,
    "'quote\" $(inputs.x.path).txt",
]


@pytest.fixture
def workspace(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A datastore `raw` that is a folder, and a script that lists its inputs."""
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "list.py").write_text(LIST)
    monkeypatch.chdir(scripts)
    (tmp_path / "raw").mkdir()
    apply_folder(desk.backend, "raw", tmp_path / "raw")
    return Workspace.local(desk.folder)


def put(folder: Path, *names: str) -> None:
    for name in names:
        place = folder / "raw" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"" if name.endswith("zero") else name.encode()[:3])


def listed(workspace: Workspace, **sources: Any) -> Any:
    """The run of a step that lists files of these paths."""
    raw = workspace.datastores["raw"]
    inputs = [
        Dataset.File.from_files([(raw, path) for path in paths]).as_named_input(name)
        for name, paths in sources.items()
    ]
    run = Pipeline(workspace, [PythonScriptStep("list.py", name="list", inputs=inputs)]).submit("files")
    run.wait(240, show_output=False, raise_on_error=False)
    return run


def test_a_step_sees_files_whatever_their_number_and_names(workspace: Workspace, tmp_path: Path) -> None:
    put(tmp_path, "one.txt", "flat/a.txt", "flat/b.bin", "deep/x/y/c.txt", "deep/x/d.bin")
    put(tmp_path, *(f"odd/{name}" for name in ODD), *(f"many/{number:05}" for number in range(10_000)))
    run = listed(
        workspace,
        one=["one.txt"],
        flat=["flat/"],
        deep=["deep/"],
        glob=["**/*.bin"],
        both=["flat/a.txt", "deep/**/*.txt"],
        odd=["odd/"],
        many=["many/"],
    )
    assert run.get_status() == "Succeeded", run.get_details()
    seen = dict(line.split(" ", 1) for line in said(run, "list"))
    sizes = {name: 0 if name == "zero" else len(name.encode()[:3]) for name in ODD}
    assert {name: json.loads(text) for name, text in seen.items()} == {
        "one": "one.txt",
        "flat": {"a.txt": 3, "b.bin": 3},
        "deep": {"x/y/c.txt": 3, "x/d.bin": 3},
        "glob": {"flat/b.bin": 3, "deep/x/d.bin": 3},
        "both": {"a.txt": 3, "x/y/c.txt": 3},
        "odd": sizes,
        "many": 10_000,
    }


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["nothing/**/*.jpg"], "nothing/"),
        (["absent.txt"], "absent.txt"),
        (["one/a.txt", "two/a.txt"], "a.txt"),
        (["linked/"], "link"),
        (["lines/"], r"'new\nline.txt' is refused: it holds a control character"),
    ],
    ids=["none", "absent", "two of one path", "a link", "a newline"],
)
def test_what_cannot_be_a_dataset_is_named(
    workspace: Workspace, tmp_path: Path, paths: list[str], words: str
) -> None:
    put(tmp_path, "one/a.txt", "two/a.txt", "linked/real.txt", "lines/new\nline.txt")
    (tmp_path / "raw" / "linked" / "alias.txt").symlink_to("real.txt")
    run = listed(workspace, data=paths)
    assert run.get_status() == "Failed"
    assert words in run.get_details()["message"]
