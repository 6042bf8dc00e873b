"""Counting views of inventories in a real S3 server: the numbers, and the failures with the input that they concern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from flow.naive_subsets import naive_select
from mover.movers import count_views, take_inventory
from mover.pods import datastore

pytestmark = pytest.mark.server

SIZES = {f"{number % 3}/{number:02}.jpg": number * 300 for number in range(30)}
HALF = [{"sample": {"percent": 50, "seed": 42}}]
CHAINS: list[list[dict[str, Any]]] = [
    HALF,
    [{"filter": {"path": "1/*", "minBytes": 1000}}, {"take": {"count": 4}}],
    [{"take": {"count": 0}}],
    [],
]


@pytest.fixture
def inventory(local_s3: Space, tmp_path: Path) -> Any:
    for path, size in SIZES.items():
        local_s3.put(f"cats/{path}", bytes(size))
    return take_inventory(datastore(local_s3), local_s3.s3.admin, ["cats/"], tmp_path).report["inventory"]


def scratch_of(paths: list[str]) -> int:
    """Each file rounded up to 4 KiB, and 4 KiB per folder, the top one included."""
    folders = {path.split("/")[0] for path in paths}
    return sum(-(-SIZES[path] // 4096) * 4096 for path in paths) + 4096 * (1 + len(folders))


def test_each_view_is_counted_as_a_naive_reader_counts_it(
    local_s3: Space, inventory: Any, tmp_path: Path
) -> None:
    ended = count_views(datastore(local_s3), local_s3.s3.admin, inventory, CHAINS, tmp_path)

    assert ended.code == 0, ended.errors
    selected = [[path for path, _ in naive_select(chain, sorted(SIZES.items()))] for chain in CHAINS]
    assert ended.report["views"] == [
        [len(paths), sum(SIZES[path] for path in paths), scratch_of(paths)] for paths in selected
    ]
    assert [len(paths) for paths in selected][1:] == [4, 0, 30]


def test_an_inventory_that_is_another_is_drift_and_names_the_input(
    local_s3: Space, inventory: Any, tmp_path: Path
) -> None:
    other = inventory | {"digest": "sha256:" + "0" * 64}

    ended = count_views(datastore(local_s3), local_s3.s3.admin, other, CHAINS, tmp_path)

    assert (ended.code, ended.report["reason"]) == (42, "InputDrift")
    assert ended.report["message"].startswith("Step prep, input v0: ")


def test_the_report_of_as_many_views_as_one_mover_gets_is_short_enough(
    local_s3: Space, inventory: Any, tmp_path: Path
) -> None:
    chains = [[{"take": {"count": number}}] for number in range(40)]

    ended = count_views(datastore(local_s3), local_s3.s3.admin, inventory, chains, tmp_path)

    assert [files for files, _, _ in ended.report["views"]] == [min(number, 30) for number in range(40)]


def test_of_a_view_that_is_shared_out_the_largest_share_is_told(
    local_s3: Space, inventory: Any, tmp_path: Path
) -> None:
    ended = count_views(datastore(local_s3), local_s3.s3.admin, inventory, [[], HALF], tmp_path, shards=7)

    assert ended.code == 0, ended.errors
    for chain, told in zip([[], HALF], ended.report["views"], strict=True):
        whole = [path for path, _ in naive_select(chain, sorted(SIZES.items()))]
        shares = [whole[number::7] for number in range(7)]
        most = max(sum(SIZES[path] for path in share) for share in shares)
        assert told == [len(whole), most, max(map(scratch_of, shares))]
