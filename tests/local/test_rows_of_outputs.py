"""Parts of a table that a step writes: its rows divided among others, some of its columns; the whole is registered."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.desk import Desk
from sdk.article import said
from towpath import (
    Dataset,
    DefinitionError,
    OutputFileDatasetConfig,
    Pipeline,
    PipelineData,
    PythonScriptStep,
    TabularDataset,
    Workspace,
)

pytestmark = pytest.mark.story

WRITE = """\
import os, sys
with open(os.path.join(sys.argv[1], "part.csv"), "w") as file:
    print("id;name;note", file=file)
    for row in range(100):
        print(f'{row};"n;{row}";', file=file)
"""
SHOW = """\
import csv, os, sys
for folder in sys.argv[1:]:
    [name] = os.listdir(folder)
    header, *rows = csv.reader(open(os.path.join(folder, name)), delimiter=";")
    print(os.path.basename(folder), ",".join(header), len(rows), *(row[0] for row in rows), flush=True)
"""


@pytest.fixture
def workspace(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A place with two scripts, and a workspace."""
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "write.py").write_text(WRITE)
    (scripts / "show.py").write_text(SHOW)
    monkeypatch.chdir(scripts)
    return Workspace.local(desk.folder)


def test_rows_and_columns_of_an_output_are_read_and_the_whole_is_registered(
    workspace: Workspace, tmp_path: Path
) -> None:
    output = OutputFileDatasetConfig("table").register_on_complete("numbers")
    table = output.read_delimited_files(separator=";")
    train, test = table.random_split(0.7, seed=42)
    names = table.keep_columns(["name"]).as_input("names")
    write = PythonScriptStep("write.py", name="write", arguments=[table])
    show = PythonScriptStep(
        "show.py", name="show", arguments=[test, train, names], inputs=[train, test, names]
    )
    run = Pipeline(workspace, [write, show]).submit("rows")
    assert run.wait(120, show_output=False) == "Succeeded"

    test_line, train_line, names_line = (line.split(" ", 3) for line in said(run, "show"))
    assert test_line[:2] == ["table_2", "id,name,note"]
    assert train_line[:2] == ["table_1", "id,name,note"]
    ids = [set(map(int, line[3].split())) for line in (test_line, train_line)]
    assert ids[0] | ids[1] == set(range(100))
    assert not ids[0] & ids[1]
    assert 55 <= len(ids[1]) <= 85
    assert names_line == ["names", "name", "100", " ".join(f"n;{row}" for row in range(100))]

    kept = Dataset.get_by_name(workspace, "numbers")
    assert isinstance(kept, TabularDataset)
    frame = kept.drop_columns("note").take(2).to_pandas_dataframe()
    assert frame.to_dict("list") == {"id": [0, 1], "name": ["n;0", "n;1"]}


def test_what_is_promoted_to_a_table_has_rows_too(workspace: Workspace) -> None:
    data = PipelineData("data", is_directory=True, output_path_on_compute="data/")
    table = data.as_dataset().parse_delimited_files(separator=";")
    first, _ = table.random_split(0.5, seed=1)
    few = first.keep_columns(["note", "id"])
    write = PythonScriptStep("write.py", name="write", arguments=[data], outputs=[data])
    show = PythonScriptStep("show.py", name="show", arguments=[few], inputs=[few])
    run = Pipeline(workspace, [write, show]).submit("rows")
    assert run.wait(120, show_output=False) == "Succeeded"
    [line] = said(run, "show")
    name, header, count, *_ = line.split(" ")
    assert (name, header) == ("data_1", "id,note")
    assert 35 <= int(count) <= 65

    with pytest.raises(DefinitionError, match="an output is registered whole"):
        few.register("few")


def test_a_column_that_the_output_lacks_ends_the_step_with_its_name(workspace: Workspace) -> None:
    table = OutputFileDatasetConfig("table").read_delimited_files(separator=";")
    show = PythonScriptStep("show.py", name="show", arguments=[], inputs=[table.keep_columns("nmae")])
    write = PythonScriptStep("write.py", name="write", arguments=[table])
    run = Pipeline(workspace, [write, show]).submit("rows")
    assert run.wait(120, show_output=False, raise_on_error=False) == "Failed"
    [show_run] = run.find_step_run("show")
    message = show_run.get_details()["message"]
    assert "transforms[0].columns.keep: there is no column 'nmae'. Did you mean name?" in message
