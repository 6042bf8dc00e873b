"""The laws of views: reproducible, disjoint, complete, steady, independent; and equal to the naive reading."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import count, islice
from os.path import splitext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.naive_subsets import naive_select
from flow.subset_records import (
    AFile,
    ARow,
    chains,
    divisions,
    exactness,
    groupings,
    inventories,
    numbered,
    paths_of,
    percents,
    rows_of,
    sample,
    seeds,
    split,
)
from towpath.flow.draws import END, draws, first_draw_from, group_id, row_id
from towpath.flow.ranks import cuts
from towpath.flow.subsets import select_files
from towpath.flow.transform_documents import read_chain
from towpath.flow.transforms import GroupBy, TransformError


@given(chains, inventories)
def test_any_chain_of_files_gives_what_the_naive_reading_gives(
    chain: list[dict[str, Any]], files: list[AFile]
) -> None:
    naive = naive_select(chain, [tuple(file) for file in files])
    assert paths_of(chain, files) == [record[0] for record in naive]


@given(chains, st.dictionaries(st.sampled_from(["a", "a/b", "é.csv"]), st.integers(0, 30)))
def test_any_chain_of_rows_gives_what_the_naive_reading_gives(
    chain: list[dict[str, Any]], counts: dict[str, int]
) -> None:
    for transform in chain:
        transform.get("split", {}).pop("groupBy", None)
    rows = [ARow(path, 7, row) for path in sorted(counts) for row in range(counts[path])]
    assert rows_of(chain, rows) == naive_select(chain, [tuple(row) for row in rows])


@given(chains, st.lists(st.integers(0, 4), max_size=3), st.integers(0, 30))
def test_which_columns_are_taken_moves_no_row(
    chain: list[dict[str, Any]], places: list[int], count: int
) -> None:
    for transform in chain:
        transform.get("split", {}).pop("groupBy", None)
    rows = [ARow("a.csv", 7, row) for row in range(count)]
    with_columns = list(chain)
    for place in places:
        with_columns.insert(place, {"columns": {"keep": ["id"]}})
    assert rows_of(with_columns, rows) == rows_of(chain, rows)


def test_files_have_no_columns() -> None:
    with pytest.raises(
        TransformError, match=r"transforms\[1\]\.columns: rows have columns, and the records here are"
    ):
        paths_of([{"take": {"count": 1}}, {"columns": {"keep": ["id"]}}], numbered(2))


@given(inventories, divisions(), seeds, exactness, groupings)
def test_the_parts_of_a_split_are_disjoint_and_together_everything(
    files: list[AFile],
    division: dict[str, int | str | None],
    seed: int,
    exact: dict[str, Any],
    grouping: dict[str, Any],
) -> None:
    sides = [paths_of([split(part, division, seed, **exact, **grouping)], files) for part in division]
    assert sorted(path for side in sides for path in side) == [file.path for file in files]


@given(inventories, inventories, seeds, groupings)
def test_added_files_move_no_other(
    files: list[AFile], added: list[AFile], seed: int, grouping: dict[str, Any]
) -> None:
    more = sorted({file.path: file for file in [*added, *files]}.values())
    held = {file.path for file in files}
    for transform in (sample(40, seed), split("train", {"train": 60, "test": None}, seed, **grouping)):
        before = paths_of([transform], files)
        assert [path for path in paths_of([transform], more) if path in held] == before


@given(st.data(), inventories, seeds, exactness, groupings)
def test_another_order_of_listing_gives_the_same_records(
    data: st.DataObject,
    files: list[AFile],
    seed: int,
    exact: dict[str, Any],
    grouping: dict[str, Any],
) -> None:
    listed = data.draw(st.permutations(files))
    chain = [
        sample(70, seed, **exact),
        split("test", {"train": "33.3", "test": None}, seed, **exact, **grouping),
    ]
    assert sorted(paths_of(chain, listed)) == paths_of(chain, files)


@given(inventories, divisions(), seeds)
def test_exact_parts_have_their_counts(
    files: list[AFile], division: dict[str, int | str | None], seed: int
) -> None:
    rest = 100 - sum(int(percent) for percent in division.values() if percent is not None)
    shares = [rest if percent is None else int(percent) for percent in division.values()]
    for place, part in enumerate(division):
        begin, end = (rounded(sum(shares[:until]), len(files)) for until in (place, place + 1))
        assert len(paths_of([split(part, division, seed, exact=True)], files)) == end - begin


@given(inventories, percents.filter(float), seeds)
def test_an_exact_sample_has_its_count(files: list[AFile], percent: int | str, seed: int) -> None:
    selected = paths_of([sample(percent, seed, exact=True)], files)
    assert len(selected) == rounded(Fraction(percent), len(files))


@given(inventories, seeds, st.sampled_from(GroupBy), exactness)
def test_a_group_stays_together_and_exact_counts_groups(
    files: list[AFile], seed: int, group_by: GroupBy, exact: dict[str, Any]
) -> None:
    division: dict[str, int | str | None] = {"train": 50, "test": None}
    sides = [
        {
            group_id(path, group_by)
            for path in paths_of([split(part, division, seed, groupBy=group_by.value, **exact)], files)
        }
        for part in division
    ]
    assert not sides[0] & sides[1]
    if exact:
        assert len(sides[0]) == rounded(50, len(sides[0] | sides[1]))


@given(inventories, st.integers(1, 6))
def test_shards_are_disjoint_complete_and_even(files: list[AFile], shards: int) -> None:
    selected = [paths_of([{"shard": {"index": index, "count": shards}}], files) for index in range(shards)]
    assert sorted(path for shard in selected for path in shard) == [file.path for file in files]
    assert max(map(len, selected)) - min(map(len, selected)) <= 1


@given(inventories, st.integers(0, 50))
def test_take_and_skip_divide_the_records(files: list[AFile], first: int) -> None:
    taken = paths_of([{"take": {"count": first}}], files)
    assert taken + paths_of([{"skip": {"count": first}}], files) == [file.path for file in files]


@given(st.integers(0, 2**53), percents, st.integers(-2, 2))
def test_a_percent_is_compared_exactly_at_its_border(bits: int, percent: int | str, near: int) -> None:
    share = Fraction(percent) / 100
    for u in (min(bits, 2**53 - 1), max(0, min(2**53 - 1, int(share * 2**53) + near))):
        for least_or_most_bits_below in (0, 2**75 - 1):
            draw = (u << 75) + least_or_most_bits_below
            assert (draw < first_draw_from(share)) == (Fraction(u, 2**53) < share)


@given(st.sets(st.integers(0, END - 1) | st.integers(0, 40)), st.fractions(0, 1))
def test_exactly_so_many_draws_lie_below_a_cut(drawn: set[int], share: Fraction) -> None:
    [cut] = cuts(lambda: drawn, [share])
    assert sum(draw < cut for draw in drawn) == rounded(share * 100, len(drawn))


@pytest.mark.parametrize("seed", [0, -1, 1, 42])
def test_draws_of_one_seed_are_independent_along_a_chain(seed: int) -> None:
    files = numbered(20_000)
    half = paths_of([sample(50, seed)], files)
    assert abs(len(half) - 10_000) < 5 * 71
    for percent in (10, 50, 80):
        train = split("train", {"train": percent, "test": None}, seed)
        again = paths_of([sample(50, seed), train], files)
        expected = len(half) * percent / 100
        # Five standard deviations; draws that hung together would give all of the half, or twice the share.
        assert abs(len(again) - expected) < 5 * (expected * (1 - percent / 100)) ** 0.5


def test_kinds_places_and_seeds_draw_by_themselves() -> None:
    files = numbered(20_000)
    parts: dict[str, int | str | None] = {"train": 50, "test": None}
    everything = {"skip": {"count": 0}}
    views = [[sample(50, seed)] for seed in (0, -1, 1, 42)]
    views += [[split("train", parts)], [everything, sample(50)], [everything, split("train", parts)]]
    selected = [set(paths_of(view, files)) for view in views]
    for place, one in enumerate(selected):
        for other in selected[place + 1 :]:
            assert abs(len(one & other) - 5_000) < 5 * 61


def test_draws_are_spread_evenly() -> None:
    draw = draws(0, 0, "sample", partial(row_id, "a.csv"))
    buckets = [0] * 64
    for row in range(64_000):
        buckets[draw(row) >> 122] += 1
    # Chi-square with 63 degrees of freedom: 63 expected, below 120 in all but one of 50,000 cases.
    assert sum((held - 1000) ** 2 / 1000 for held in buckets) < 120


@given(st.text("a./", min_size=1, max_size=8))
def test_an_extension_is_what_the_standard_library_takes_for_one(path: str) -> None:
    assert group_id(path, GroupBy.STEM).decode() == splitext(path)[0]  # noqa: PTH122 - the reference


def test_a_row_and_a_file_never_share_an_id() -> None:
    ids = {row_id("a", 1), row_id("a", 11), row_id("a1", 1), b"a", b"a1", b"a11", row_id("a", 0)}
    assert len(ids) == 7


def test_a_split_of_rows_refuses_groups() -> None:
    chain = [{"take": {"count": 1}}, split("a", {"a": 50, "b": None}, groupBy="Stem")]
    with pytest.raises(TransformError, match=r"transforms\[1\]\.split\.groupBy: keeps files together"):
        rows_of(chain, [])


def test_what_can_stream_streams() -> None:
    endless = (AFile(f"{number:09}") for number in count())
    chain = [sample(50), split("a", {"a": 50, "b": None}), {"shard": {"index": 1, "count": 2}}]
    chain += [{"filter": {"path": "**", "minBytes": 0}}, {"skip": {"count": 3}}]
    assert len(list(islice(select_files(read_chain(chain), lambda: endless), 20))) == 20


def rounded(percent: int | Fraction, number: int) -> int:
    return (Fraction(percent) * number / 100 + Fraction(1, 2)).__floor__()
