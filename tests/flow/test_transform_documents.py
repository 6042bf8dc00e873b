"""Transforms are read exactly and strictly, and a refusal names the field and what to write."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.subset_records import chains, percents, sample, split
from towpath.api import transforms as api
from towpath.api.meta import Model
from towpath.flow.transform_documents import KINDS, PART_FIELDS, chain_documents, read_chain
from towpath.flow.transforms import Columns, GroupBy, Sample, Split, TransformError, percent_text


def test_every_field_of_the_api_is_read_and_no_other() -> None:
    kinds: dict[str, type[Model]] = {
        "sample": api.Sample,
        "split": api.Split,
        "take": api.Take,
        "skip": api.Skip,
        "filter": api.Filter,
        "shard": api.Shard,
        "columns": api.Columns,
    }
    assert set(KINDS) == set(api.Transform.model_fields)
    for kind, model in kinds.items():
        assert KINDS[kind].split() == [field.alias or name for name, field in model.model_fields.items()]
    assert PART_FIELDS.split() == list(api.SplitPart.model_fields)
    assert [group.value for group in GroupBy] == [group.value for group in api.GroupBy]


@given(chains)
def test_what_the_api_takes_is_read_from_its_own_document(chain: list[dict[str, Any]]) -> None:
    documents = [
        api.Transform.model_validate(transform).model_dump(mode="json", by_alias=True) for transform in chain
    ]
    assert read_chain(documents) == read_chain(chain)


@given(chains)
def test_a_chain_written_and_read_again_is_the_same(chain: list[dict[str, Any]]) -> None:
    assert read_chain(chain_documents(read_chain(chain))) == read_chain(chain)


def test_equal_views_give_equal_documents_however_their_numbers_are_written() -> None:
    one = [sample("12.50", 7), split("a", {"a": "80", "b": None}, 0), {"take": {"count": "0100"}}]
    other = [
        sample("012.5", 7, exact=False),
        split("a", {"a": "80.0", "b": None}, 0),
        {"take": {"count": 100}},
    ]
    other[1]["split"]["seed"] = "-0"
    assert chain_documents(read_chain(one)) == chain_documents(read_chain(other))
    assert chain_documents(read_chain(one))[0] == {"sample": {"percent": "12.5", "seed": 7}}


@given(percents)
def test_a_percent_is_the_number_that_was_written(percent: int | str) -> None:
    [chain] = read_chain([split("a", {"a": percent, "b": None})])
    assert isinstance(chain, Split)
    assert chain.parts[0].share == Fraction(percent) / 100
    assert Fraction(percent_text(Fraction(percent) / 100)) == Fraction(percent)


@given(st.floats(1e-6, 100))
def test_a_number_parameter_is_read_as_it_is_written_or_refused(value: float) -> None:
    text = repr(value)
    try:
        [read] = read_chain([sample(text)])
    except TransformError:
        assert 10**18 % Fraction(text).denominator
    else:
        assert isinstance(read, Sample)
        assert read.share * 100 == Fraction(text)


def test_columns_are_written_as_they_are_read() -> None:
    chain: list[dict[str, Any]] = [{"columns": {"keep": ["b", "a"]}}, {"columns": {"drop": ["b"]}}]
    assert read_chain(chain) == (Columns(("b", "a"), True), Columns(("b",), False))
    assert chain_documents(read_chain(chain)) == chain


def test_a_drawn_seed_is_taken_only_where_none_is_given() -> None:
    unseeded = {"sample": {"percent": 50}}
    drawn = read_chain([unseeded, sample(50, 0), {"take": {"count": 1}}], drawn_seed=-7)
    assert [document.get("sample", {}).get("seed") for document in chain_documents(drawn)] == [-7, 0, None]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "transforms[0]: must hold exactly one of sample, split, take, skip, filter, shard, columns."),
        ({"take": {"count": 1}, "skip": {"count": 1}}, "transforms[0]: must hold exactly one of"),
        ({"head": {}}, "transforms[0]: has no field 'head'"),
        ("take", "transforms[0]: must be an object"),
        ({"take": 5}, "transforms[0].take: must be an object with count."),
        ({"take": {"count": 1, "seed": 1}}, "transforms[0].take: has no field 'seed'; its fields are count."),
        ({"take": {}}, "transforms[0].take.count: takes a whole number from 0"),
        ({"take": {"count": -1}}, "transforms[0].take.count: takes a whole number from 0"),
        ({"skip": {"count": True}}, "True is none"),
        ({"skip": {"count": "$(params.n)"}}, "'$(params.n)' is none"),
        ({"skip": {"count": 1.0}}, "1.0 is none"),
        ({"skip": {"count": "\u0661"}}, "is none"),
        ({"sample": {"percent": 0, "seed": 1}}, "percent: takes more than 0, since a sample of nothing"),
        ({"sample": {"percent": 50}}, "sample.seed: takes an integer of at most 19 digits; it is missing."),
        ({"sample": {"percent": "100.1", "seed": 1}}, "percent: takes a number from 0 to 100"),
        ({"sample": {"percent": 12.5, "seed": 1}}, 'such as "12.5"; 12.5 is none'),
        ({"sample": {"percent": "1/3", "seed": 1}}, "'1/3' is none"),
        ({"sample": {"percent": 5, "seed": 10**19}}, "seed: takes an integer of at most 19 digits"),
        ({"sample": {"percent": 5, "seed": 1, "exact": 1}}, "exact: takes true or false; 1 is none"),
        (split("a", {"a": 50}), "split.parts: a split has 2 to 16 parts, and here are 1."),
        (split("c", {"a": 50, "b": None}), "split.part: c is none of the parts a, b."),
        (split("a", {"a": None, "b": None}), "split.parts: a and b have no percent"),
        (split("a", {"a": 80, "b": "20.5"}), "split.parts: their percents add up to 100.5, which is more"),
        (split("a", {"a": "33.3", "b": "33.3"}), "add up to 66.6, so 33.4 of a hundred records"),
        (split("a", {"a": 80, "b": None}, groupBy="Path"), "groupBy: takes Stem or Folder; 'Path' is none"),
        (
            {"split": {"parts": [{"name": "a"}, {"name": "a", "percent": 5}], "part": "a", "seed": 1}},
            "named a",
        ),
        ({"split": {"parts": "ab", "part": "a", "seed": 1}}, "split.parts: takes a list of parts"),
        ({"split": {"parts": ["a"], "part": "a", "seed": 1}}, "split.parts[0]: must be an object"),
        ({"filter": {}}, "transforms[0].filter: give it a path, minBytes or maxBytes"),
        ({"filter": {"path": ""}}, "filter.path: takes a text"),
        ({"filter": {"minBytes": 2, "maxBytes": 1}}, "filter.minBytes: no file has 2 bytes or more, and 1"),
        ({"shard": {"index": 0, "count": 0}}, "shard.count: takes a whole number from 1"),
        ({"columns": {}}, "transforms[0].columns: give it either keep or drop."),
        ({"columns": {"keep": ["a"], "drop": ["b"]}}, "transforms[0].columns: give it either keep or drop."),
        ({"columns": {"keep": []}}, "columns.keep: takes a list of texts"),
        ({"columns": {"drop": "a"}}, "columns.drop: takes a list of texts; 'a' is none"),
        (
            {"columns": {"keep": ["a", "a"]}},
            "columns.keep: takes a list of texts of which none is empty or there",
        ),
        ({"columns": {"keep": [""]}}, "columns.keep: takes a list of texts of which none is empty"),
        ({"shard": {"index": 3, "count": 3}}, "shard.index: of 3 shards, counted from 0, the last is 2;"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_its_field(document: object, message: str) -> None:
    with pytest.raises(TransformError) as refused:
        read_chain([document])
    assert message in str(refused.value)
    assert str(refused.value).startswith("transforms[0]")


def test_thirds_are_written_with_a_rest() -> None:
    read_chain([split("c", {"a": "33.333333333", "b": "33.333333333", "c": None})])
    with pytest.raises(TransformError, match=r"so 0\.000000001 of a hundred records would be in no part"):
        read_chain([split("c", {"a": "33.333333333", "b": "33.333333333", "c": "33.333333333"})])
