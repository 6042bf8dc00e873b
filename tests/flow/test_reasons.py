"""The documented list of reasons is the list that the code has, and each reason is a word that Kubernetes takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from towpath.flow.conditions import MissReason, Reason, RunReason, StepReason
from towpath.flow.ready_reasons import DatasetReason, DatastoreReason, PipelineReason

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "reasons.md"
ROW = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.MULTILINE)
SECTIONS: list[type[Reason]] = [
    RunReason,
    StepReason,
    DatastoreReason,
    DatasetReason,
    PipelineReason,
    MissReason,
]


@pytest.mark.parametrize("index", range(len(SECTIONS)))
def test_the_page_lists_every_reason_with_its_meaning(index: int) -> None:
    section = PAGE.read_text().split("\n## ")[index + 1]

    assert ROW.findall(section) == [(reason.value, reason.meaning) for reason in SECTIONS[index]]


@pytest.mark.parametrize("reasons", SECTIONS)
def test_a_reason_is_one_camel_case_word(reasons: type[Reason]) -> None:
    for reason in reasons:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]{0,63}", reason.value)
        assert reason.meaning.endswith(".")
