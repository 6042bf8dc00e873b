"""What people copy is right: every manifest of the pages and examples is valid, every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from towpath.api.dataset import Dataset
from towpath.api.datastore import Datastore
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun
from towpath.flow.compute_target import read_target

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
KINDS = {kind.__name__: kind for kind in (Datastore, Dataset, Pipeline, PipelineRun)}
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)`|^make ([a-z][a-z-]*)", re.MULTILINE)


def manifests() -> Iterator[Any]:
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            if "apiVersion:" in block:
                yield pytest.param(block, id=page.name)
    for file in sorted((ROOT / "examples").rglob("*.yaml")):
        yield pytest.param(file.read_text(), id=file.name)


def links(page: Path) -> list[str]:
    """What a page links to; patterns in code look like links, and are none."""
    return LINK.findall(re.sub(r"`[^`\n]*`", "", page.read_text()))


@pytest.mark.parametrize("text", list(manifests()))
def test_a_manifest_that_people_copy_is_valid(text: str) -> None:
    bodies = list(yaml.safe_load_all(text))

    assert bodies
    for body in bodies:
        if body["kind"] == "PodTemplate":
            read_target(body["metadata"]["name"], body)
        else:
            KINDS[body["kind"]].parse(body)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_of_a_page_exists(page: Path) -> None:
    files = [ROOT / "Makefile", *sorted((ROOT / "tests" / "cluster").glob("*.mk"))]
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", "\n".join(file.read_text() for file in files), re.MULTILINE)
    )

    named = {one or other for one, other in TARGET.findall(page.read_text())}

    assert named <= targets


def test_every_page_is_found_from_the_readme() -> None:
    """Directly, or through a page that it links."""
    found, new = {ROOT / "README.md"}, [ROOT / "README.md"]
    while new:
        page = new.pop()
        linked = {(page.parent / link).resolve() for link in links(page)}
        linked |= {below for folder in linked if folder.is_dir() for below in folder.glob("*.md")}
        fresh = {link for link in linked if link.suffix == ".md"} - found
        found |= fresh
        new += fresh
    assert set(PAGES) - found == set()
