"""The page about data, command by command, in a workspace without a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.pages import commands, said
from local.desk import a_desk

pytestmark = pytest.mark.story

PAGE = "docs/how-to/bring-your-data.md"


def test_every_command_of_the_page_does_what_the_page_says(tmp_path: Path) -> None:
    for folder, files in (("flowers", ("a", "b")), ("more", ("c",))):
        (tmp_path / folder).mkdir()
        for name in files:
            (tmp_path / folder / f"{name}.csv").write_text(f"length,kind\n1,{name}\n2,{name}\n")
    with a_desk(tmp_path):
        printed = {command.split("#")[0].strip(): said(command, tmp_path) for command in commands(PAGE)}

    assert printed["towpath add dataset flowers ./flowers --local"] == "flowers@1\n"
    assert "flowers-v1" in printed["towpath get versions --local"]
    assert "+ c.csv" in printed["towpath diff dataset:raw@1 dataset:raw@2 --local"]
    assert sorted(file.name for file in (tmp_path / "as-it-was").iterdir()) == ["a.csv", "b.csv"]
    assert "raw@2" in printed["towpath lineage raw --local"]
    assert "dataset:raw" in printed["towpath du --local"]
