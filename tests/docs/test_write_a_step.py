"""The page about steps, command by command, in a workspace without a cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.pages import ROOT, commands, said
from local.desk import a_desk

pytestmark = pytest.mark.story

PAGE = "docs/how-to/write-a-step.md"


def test_the_step_of_the_page_runs_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/one.txt").write_text("the boat and the path and the horse")
    (shown,) = re.findall(r"^`pipeline.yaml`:\n\n```yaml\n(.*?)^```", (ROOT / PAGE).read_text(), re.M | re.S)
    (tmp_path / "pipeline.yaml").write_text(shown)
    add, plan, run, again = commands(PAGE)

    with a_desk(tmp_path):
        assert said(add, tmp_path) == "texts@1\n"
        assert "count" in said(plan, tmp_path)
        said(run, tmp_path)
        said(again, tmp_path)
        said("towpath cp dataset:word-counts@1 first --local", tmp_path)
        said("towpath cp dataset:word-counts@2 second --local", tmp_path)

    assert (tmp_path / "first").read_text() == '{"and": 2, "the": 3}'
    assert (tmp_path / "second").read_text() == '{"the": 3}'
