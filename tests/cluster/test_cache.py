"""Keys of built things: they change with everything that the thing is made of, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.cache import cache_folder, digest_of, files_below
from cluster.native.binary import BUILD, binary_key

_SOURCES = ("main.go", "go.mod", "go.sum")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in _SOURCES:
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("changed", _SOURCES)
def test_the_program_is_built_anew_when_a_source_changes(sources: Path, changed: str) -> None:
    before = binary_key(sources)
    (sources / changed).write_text("changed")
    assert binary_key(sources) != before


def test_the_program_is_built_anew_when_a_flag_changes(sources: Path) -> None:
    assert binary_key(sources, (*BUILD, "-race")) != binary_key(sources)


def test_the_program_is_kept_when_something_else_changes(sources: Path) -> None:
    before = binary_key(sources)
    (sources / "README").write_text("new")
    assert binary_key(sources) == before == binary_key(sources)


def test_a_digest_knows_where_a_part_ends() -> None:
    assert digest_of(["ab", "c"]) != digest_of(["a", "bc"])


def test_a_file_that_is_renamed_changes_the_digest_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("same")
    before = digest_of(files_below(tmp_path))
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest_of(files_below(tmp_path)) != before


def test_the_cache_lies_where_the_user_keeps_caches() -> None:
    assert cache_folder({"HOME": "/home/me"}) == Path("/home/me/.cache/towpath")
    assert cache_folder({"HOME": "/home/me", "XDG_CACHE_HOME": "/fast"}) == Path("/fast/towpath")
