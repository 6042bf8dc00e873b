"""A Tabular dataset in a run: views are of rows, with the format in the plan, and estimated instead of counted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

import builders
from flow.sightings import LIMITS, NOON, a_version, sources
from flow.subset_records import sample, split
from towpath.api.dataset import Dataset
from towpath.flow import documents, restore
from towpath.flow.contents import Content, InventoryRef, PinnedVersion
from towpath.flow.parquet_scratch import waiting_bytes
from towpath.flow.plan import plan
from towpath.flow.planned import Plan
from towpath.flow.recorded import PublishedOutput, RecordedStep, StepState
from towpath.flow.resolve import resolve
from towpath.flow.row_counts import LEAST_SLACK, counted_rows, row_share
from towpath.flow.scratch import scratch_bytes
from towpath.flow.sources import Refused, Resolved, Sources
from towpath.flow.transform_documents import read_chain
from towpath.flow.upstream import contents_of

CSV = {"csv": {"separator": ";", "header": "NoHeaders", "encoding": "utf16"}}
JSON: dict[str, Any] = {"jsonLines": {}}
HALVES: dict[str, int | str | None] = {"a": "12.5", "b": None}
PARQUET: dict[str, Any] = {"parquet": {}}
GIB = 1 << 30


def rows(*chain: dict[str, Any], format_: dict[str, Any] = CSV, **spec: Any) -> Sources:
    """A run with one view of a Tabular dataset."""
    step = builders.make_step(inputs=[{"name": "iris", "transforms": list(chain)}])
    return sources(step, versions={"iris": (a_version(type="Tabular", format=format_, **spec),)})


def planned(read: Sources) -> Plan:
    outcome = resolve(read, NOON, LIMITS)
    assert isinstance(outcome, Resolved), outcome
    return plan(outcome)


def refusal(read: Sources) -> str:
    outcome = resolve(read, NOON, LIMITS)
    assert isinstance(outcome, Refused), outcome
    return outcome.message


def content(size: int, format_: dict[str, Any] = CSV, files: int = 10) -> Content:
    place = InventoryRef("default", "x", "sha256:" + "0" * 64)
    return Content(place, files, size, size + files * 8192, directory=True, format=format_)


def test_the_mover_learns_the_format_from_the_plan_that_is_read_back() -> None:
    given = planned(rows(sample(50)))

    read_back = restore.restore(documents.write(given))

    source = read_back.steps[0].inputs[0].source
    assert isinstance(source, PinnedVersion)
    assert source.content.format == CSV
    assert read_back == given


def test_views_of_rows_need_no_mover_to_be_counted() -> None:
    [given] = planned(rows(sample(50), bytes=1000)).steps[0].inputs

    assert given.counted is not None
    assert given.counted.bytes == 500


def test_a_split_of_rows_by_groups_of_files_is_refused_by_name() -> None:
    words = refusal(rows(split("a", HALVES, groupBy="Stem")))

    assert words.startswith("Step prep, input iris: transforms[0].split.groupBy: ")
    assert "rows" in words


def test_the_same_view_in_another_format_is_other_work() -> None:
    contracts = [
        planned(rows(sample(50), format_=format_)).steps[0].contract["transforms"] for format_ in (CSV, JSON)
    ]
    assert contracts[0] != contracts[1]


@pytest.mark.parametrize(
    ("chain", "share"),
    [
        ([sample("12.5")], Fraction(1, 8)),
        ([split("b", HALVES), sample(50, exact=True)], Fraction(7, 16)),
        ([{"shard": {"index": 0, "count": 3}}], Fraction(1, 3)),
        ([{"take": {"count": 3}}, {"skip": {"count": 3}}, {"filter": {"minBytes": 1}}], Fraction(1)),
    ],
)
def test_the_share_of_a_chain_is_that_of_its_draws(chain: list[dict[str, Any]], share: Fraction) -> None:
    assert row_share(read_chain(chain)) == share


def test_a_view_of_rows_takes_its_share_of_the_bytes_and_room_for_bad_luck_of_the_disk() -> None:
    half = read_chain([sample(50)])

    counted = counted_rows(half, content(100 * GIB))
    assert (counted.files, counted.bytes) == (10, 50 * GIB)
    assert counted.scratch_bytes == 50 * GIB * 5 // 4 + 20 * 4096
    # Small ones may be as large as the whole.
    assert counted_rows(half, content(1000)).scratch_bytes == content(1000).scratch_bytes
    assert counted_rows(half, content(GIB // 4)).scratch_bytes == GIB // 8 + LEAST_SLACK + 20 * 4096


def test_a_view_of_parquet_takes_room_for_the_file_that_it_is_made_of() -> None:
    half = read_chain([sample(50)])

    one = counted_rows(half, content(GIB, PARQUET, files=1))
    many = counted_rows(half, content(1000 * GIB, PARQUET, files=1000))

    waiting = GIB // 4
    assert (one.bytes, one.scratch_bytes) == (GIB // 2, GIB * 5 // 8 + 2 * 4096 + GIB + waiting)
    assert many.bytes == 500 * GIB
    assert many.scratch_bytes == 625 * GIB + 2000 * 4096 + 4 * GIB + LEAST_SLACK + waiting
    # Even of a small file, since it may hold much more than it takes.
    assert [waiting_bytes(size) for size in (0, 20 << 20, GIB)] == [64 << 20, 80 << 20, GIB // 4]


def test_parquet_is_handed_on_whole_or_as_a_view_of_its_rows() -> None:
    assert planned(rows(format_=PARQUET)).steps[0].inputs[0].transforms == ()

    [given] = planned(rows(sample(50), format_=PARQUET)).steps[0].inputs
    assert given.transforms
    assert given.pinned is not None
    assert given.pinned.format == PARQUET


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ({"type": "Tabular", "format": {"jsonLines": {}}}, "are written in another format"),
        ({}, "is of type File, not Tabular"),
        ({"type": "Tabular", "format": CSV}, None),
        (None, None),
    ],
)
def test_rows_are_registered_into_a_dataset_of_their_own_format(
    dataset: dict[str, Any] | None, words: str | None
) -> None:
    register = {"name": "rows", "type": "Tabular", "format": CSV}
    step = builders.make_step(outputs=[{"name": "out", "register": register}])
    known = (
        {}
        if dataset is None
        else {"rows": Dataset.parse(builders.make_dataset("rows", sources=[], **dataset))}
    )
    read = sources(step, datasets=known)

    if words is not None:
        assert words in refusal(read)
        return
    [output] = restore.restore(documents.write(planned(read))).steps[0].outputs
    assert output.register is not None
    assert (output.register.type, output.register.format) == ("Tabular", CSV)


@pytest.mark.parametrize("format_", [CSV, JSON, PARQUET])
def test_rows_that_are_shared_out_need_no_mover_and_take_the_disk_of_one_share(
    format_: dict[str, Any],
) -> None:
    def shared(count: int, **version: Any) -> Plan:
        shards = {"input": "iris", "count": count}
        step = builders.make_step(inputs=[{"name": "iris"}], shards=shards)
        facts: dict[str, Any] = {
            "type": "Tabular",
            "format": format_,
            "bytes": 100 * GIB,
            "scratchBytes": 100 * GIB,
        } | version
        return planned(sources(step, versions={"iris": (a_version(**facts),)}))

    [given] = shared(4).steps[0].inputs

    assert given.pinned is not None
    assert given.counted == counted_rows(read_chain([{"shard": {"index": 0, "count": 4}}]), given.pinned)
    assert given.counted.bytes == 25 * GIB
    other = {"csv": {"separator": ",", "header": "NoHeaders"}}
    assert shared(4).steps[0].contract != shared(4, format=other).steps[0].contract, "rows end elsewhere"


def of_output(*chain: dict[str, Any], format_: dict[str, Any] | None = CSV) -> Sources:
    """A run whose second step reads a part of what the first one wrote."""
    wrote = builders.make_step(name="prep", outputs=[{"name": "table"}])
    origin = {"step": "prep", "output": "table"} | ({"format": format_} if format_ else {})
    read = builders.make_step(
        name="train", inputs=[{"name": "part", "from": origin, "transforms": list(chain)}]
    )
    return sources(wrote, read)


def test_an_output_has_rows_where_its_reader_says_how_they_are_written() -> None:
    given = planned(of_output(sample(50), {"columns": {"keep": ["id"]}}))
    part = given.step("train").inputs[0]

    assert part.format == CSV
    assert restore.restore(documents.write(given)) == given
    other = planned(of_output(sample(50), {"columns": {"keep": ["id"]}}, format_=JSON))
    assert other.step("train").contract["transforms"] != given.step("train").contract["transforms"]


def test_what_is_meant_for_rows_or_for_files_is_refused_for_the_other() -> None:
    words = refusal(of_output({"columns": {"keep": ["id"]}}, format_=None))
    assert words.startswith("Step train, input part: transforms[0].columns: rows have columns")
    words = refusal(of_output(split("a", HALVES, groupBy="Stem")))
    assert words.startswith("Step train, input part: transforms[0].split.groupBy: ")


def test_rows_of_an_output_ask_for_the_disk_that_rows_need() -> None:
    step = planned(of_output(sample(50), format_=PARQUET)).step("train")
    wrote = replace(content(GIB), format=None)
    prep = RecordedStep("prep", StepState.SUCCEEDED, outputs=(PublishedOutput("table", wrote, 1.0),))

    given = contents_of(step, {"prep": prep})
    assert given == {"part": replace(wrote, format=PARQUET)}
    assert scratch_bytes(step, given) == counted_rows(read_chain([sample(50)]), given["part"]).scratch_bytes
