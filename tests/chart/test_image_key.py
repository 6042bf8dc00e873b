"""Our image is built again when something that it is made of changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.towpath_image import image_key


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small repository."""
    for name in (
        "sdk/towpath/a.py",
        "operator/towpath_mover/b.py",
        "Dockerfile",
        ".dockerignore",
        "pyproject.toml",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["sdk/towpath/a.py", "operator/towpath_mover/b.py", "Dockerfile", "pyproject.toml"]
)
def test_a_changed_source_is_another_image(sources: Path, name: str) -> None:
    before = image_key(sources)
    (sources / name).write_text("changed")
    assert image_key(sources) != before


def test_a_moved_source_is_another_image(sources: Path) -> None:
    before = image_key(sources)
    (sources / "sdk/towpath/a.py").rename(sources / "sdk/towpath/c.py")
    assert image_key(sources) != before


def test_what_is_not_in_the_image_does_not_matter(sources: Path) -> None:
    before = image_key(sources)
    (sources / "README.md").write_text("new")
    compiled = sources / "sdk/towpath/__pycache__"
    compiled.mkdir()
    (compiled / "a.cpython-311.pyc").write_bytes(b"new")
    assert image_key(sources) == before
