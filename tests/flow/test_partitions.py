"""Columns out of paths: the article's example, the rules of `partition_format`, and what can never be used."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.flow.partitions import Column, PartitionError, parse


@pytest.mark.parametrize(
    ("text", "path", "columns"),
    [
        (
            "/{dept}/{day:yyyy/MM/dd}/data.csv",
            "raw/Sales/2019/01/02/data.csv",
            {"dept": "Sales", "day": datetime(2019, 1, 2)},
        ),
        ("/{dept}/data.csv", "Sales/data.csv", {"dept": "Sales"}),
        ("{dept}/data.csv", "a/Sales/data.csv", {"dept": "Sales"}),
        (
            "/{at:yyyy-MM-dd_HHmmss}.json",
            "2026-02-28_235901.json",
            {"at": datetime(2026, 2, 28, 23, 59, 1)},
        ),
        ("/{at:yyyy}/x", "1999/x", {"at": datetime(1999, 1, 1)}),
        ("/{a}.{b}.csv", "x.y.z.csv", {"a": "x", "b": "y.z"}),
        ("/{name}", "with.a.dot", {"name": "with.a.dot"}),
        ("/{a}-{at:yyyy}.csv", "north-east-2019.csv", {"a": "north-east", "at": datetime(2019, 1, 1)}),
        ("/{a}/*/{b}.csv", "x/1/2/3/y.csv", {"a": "x", "b": "y"}),
        ("*{b}.csv", "x/y.csv", {"b": "y"}),
        ("/{a}/*", "x/anything/at.all", {"a": "x"}),
        ("/{{{a}}}/x", "{v}/x", {"a": "v"}),
        ("/{a}/{b}/{a}.csv", "same/other/same.csv", {"a": "same", "b": "other"}),
        ("/[x]+({a}).csv", "[x]+(v).csv", {"a": "v"}),
        ("/größe={größe}/日.csv", "größe=10/日.csv", {"größe": "10"}),
    ],
)
def test_a_path_holds_these_columns(text: str, path: str, columns: dict[str, Any]) -> None:
    partition = parse(text)

    assert partition.columns_of(path) == columns
    assert [column.name for column in partition.columns] == list(columns)


def test_a_date_is_a_datetime_and_all_else_a_string() -> None:
    assert parse("/{a}/{at:yyyy}").columns == (Column("a", "string"), Column("at", "datetime"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/{dept}/data.csv", "Sales/other.csv"),
        ("/{dept}/data.csv", "data.csv"),
        ("/{dept}/data.csv", "Sales/data.csv/more"),
        ("/{a}.csv", ".csv"),
        ("/{a}/{a}.csv", "one/two.csv"),
        ("/x{a}/y", "ax1/y"),
        ("/{at:yyyy/MM/dd}/x", "2019/1/02/x"),
        ("/{at:yyyy}/x", "٢٠١٩/x"),
    ],
)
def test_a_path_that_does_not_fit_is_an_error_with_path_and_format(text: str, path: str) -> None:
    with pytest.raises(PartitionError) as raised:
        parse(text).columns_of(path)
    assert repr(path) in str(raised.value)
    assert repr(text) in str(raised.value)


def test_a_date_that_is_none_is_an_error() -> None:
    with pytest.raises(PartitionError, match="its day is no date"):
        parse("/{day:yyyy/MM/dd}/x").columns_of("2023/02/29/x")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/data.csv", "no key"),
        ("/{}/x", "no name"),
        ("/{:yyyy}/x", "no name"),
        ("/{day:}/x", "no yyyy"),
        ("/{day:MM/dd}/x", "no yyyy"),
        ("/{a:yyyy}/{b:yyyy}", "two keys with a date"),
        ("/{a}/{a:yyyy}", "a date in one place"),
        ("/{day:yyyy/MMM}/x", "MMM"),
        ("/{day:yyyy/yyyy}/x", "yyyy"),
        ("/{a/x", "stands alone"),
        ("/a}/x", "stands alone"),
        ("/{a{b}}/x", "stands alone"),
    ],
)
def test_a_format_that_can_never_be_used_says_why(text: str, why: str) -> None:
    with pytest.raises(PartitionError, match=why):
        parse(text)


WORDS = st.text("ab.-ü1", min_size=1, max_size=6)


@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(WORDS, max_size=3))
def test_what_was_written_into_a_path_is_read_out_of_it(values: list[str], above: list[str]) -> None:
    text = "".join(f"/{{k{number}}}" for number in range(len(values)))

    found = parse(text + "/x.csv").columns_of("/".join([*above, *values, "x.csv"]))

    # From the left: where folders stand above, the first fit that reaches the end is the only one.
    assert list(found.values()) == values


@given(st.text("{}:*/ayMd-", max_size=12), st.text("a/y-2019", max_size=20))
def test_any_format_and_path_give_columns_or_a_named_error(text: str, path: str) -> None:
    with suppress(PartitionError):
        partition = parse(text)
        assert set(partition.columns_of(path)) == {column.name for column in partition.columns}


def test_hostile_paths_cost_little() -> None:
    partitions = [parse("/*{a}-{b}-{c}-{d}-{e}*x{f}/y.csv"), parse("/{a}-{b}-{c}-{d}-{e}.csv")]
    begun = time.process_time()
    for path in ("-" * 4000, "a-" * 2000, "x/" * 2000, "ax-" * 1300):
        for partition in partitions:
            with pytest.raises(PartitionError):
                partition.columns_of(path)
    assert time.process_time() - begun < 2
