"""What views cost: memory that does not grow with the records, and no import but the standard library's."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from flow.subset_records import AFile, sample, split
from towpath.flow import subsets
from towpath.flow.subsets import select_files
from towpath.flow.transform_documents import read_chain
from towpath.flow.transforms import TransformError

HALVES: dict[str, int | str | None] = {"a": 50, "b": None}


@pytest.mark.parametrize(
    "chain",
    [
        [
            sample(50),
            split("a", HALVES, groupBy="Stem"),
            {"filter": {"path": "**/*1"}},
            {"skip": {"count": 9}},
        ],
        [sample(50, exact=True), split("a", HALVES, exact=True), {"shard": {"index": 0, "count": 2}}],
    ],
    ids=["by record", "exact"],
)
def test_memory_does_not_grow_with_the_records(chain: list[dict[str, Any]]) -> None:
    few, many = peak(chain, 2_000), peak(chain, 12_000)
    assert many < few + 100_000


def test_exact_counts_of_too_many_groups_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsets, "MAX_EXACT_GROUPS", 100)
    chain = read_chain([split("a", HALVES, exact=True, groupBy="Stem")])
    assert list(select_files(chain, lambda: listed(100)))
    with pytest.raises(TransformError, match="there are more than 100: leave out exact"):
        select_files(chain, lambda: listed(101))


def test_views_are_made_of_the_standard_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "import towpath.flow.subsets, towpath.flow.transform_documents\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "towpath" in loaded
    assert loaded <= set(sys.stdlib_module_names) | {"towpath"}


def peak(chain: list[dict[str, Any]], count: int) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for _ in select_files(read_chain(chain), lambda: listed(count)))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def listed(count: int) -> Iterator[AFile]:
    return (AFile(f"images/{number:07}") for number in range(count))
