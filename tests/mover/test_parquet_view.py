"""A view of Parquet rows is what a naive reader selects: the same schema, the same metadata, every value as it was."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow import subset_records
from flow.subset_records import sample, split
from mover.parquet_files import a_parquet_view, every_type, ids, numbered, parquet
from mover.row_files import Chain, selected_rows, without_groups
from mover.volumes import mounted
from towpath_mover.download import new_folder
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.landing import Landing
from towpath_mover.parquet_view import ParquetView
from towpath_mover.row_view import Delivered

PARTS: dict[str, int | str | None] = {"train": 70, "test": None}
chains = subset_records.chains.map(without_groups)
counts = st.dictionaries(
    st.sampled_from(["a.parquet", "b", "c/d.parquet", "c/e"]), st.integers(0, 9), min_size=1
)


def delivered(
    view: ParquetView, root: Path, *, keep_empty: bool = False
) -> tuple[Delivered, dict[str, bytes]]:
    target = root / "view"
    shutil.rmtree(target, ignore_errors=True)
    with new_folder(target) as folder:
        came_to = view.deliver(Landing(folder, None), keep_empty=keep_empty)
    assert not view.scratch.exists()
    found = (file for file in target.rglob("*") if file.is_file())
    return came_to, {str(file.relative_to(target)): file.read_bytes() for file in found}


def refused(chain: Chain, files: Mapping[str, bytes], root: Path, **given: Any) -> MoverFailure:
    with pytest.raises(MoverFailure) as raised:
        delivered(a_parquet_view(chain, files, root, **given), root)
    assert not (root / "view").exists()
    return raised.value


def selected_ids(chain: Chain, files: Mapping[str, bytes], rows: Mapping[str, int]) -> dict[str, list[int]]:
    named = {path: [b"%d" % row for row in range(count)] for path, count in rows.items()}
    return {path: [int(row) for row in kept] for path, kept in selected_rows(chain, files, named).items()}


@settings(
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chains, counts, st.integers(1, 5), st.sampled_from(["sha256", "etag"]))
def test_a_view_is_what_a_naive_reader_selects(
    tmp_path: Path, chain: Chain, counts: dict[str, int], group: int, by: str
) -> None:
    files = {path: numbered(count, row_group_size=group) for path, count in counts.items()}

    came_to, found = delivered(a_parquet_view(chain, files, tmp_path, by=by), tmp_path)

    expected = selected_ids(chain, files, counts)
    assert {path: ids(content) for path, content in found.items()} == expected
    sizes = map(len, found.values())
    assert came_to[:3] == (len(found), sum(sizes), sum(map(len, expected.values())))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"row_group_size": 64, "compression": "zstd", "data_page_size": 100, "data_page_version": "2.0"},
        {"store_schema": False, "use_deprecated_int96_timestamps": True, "compression": "gzip"},
        {"use_dictionary": False, "compression": "none", "use_compliant_nested_type": False},
        {"compression": {"text": "brotli", "date": "lz4", "list.list.element": "zstd"}, "version": "1.0"},
    ],
    ids=["default", "small pages", "as Spark writes", "plain", "each its own"],
)
def test_every_type_keeps_its_schema_its_metadata_and_its_values(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    table = every_type(200)
    if settings.get("version") == "1.0":
        table = table.drop_columns(["time"])
    content = parquet(table, **settings)
    rows = [*range(30, 50), *range(90, 130)]
    chain = [{"skip": {"count": 30}}, {"take": {"count": 20}}]

    _, first = delivered(a_parquet_view(chain, {"a": content}, tmp_path), tmp_path)
    _, second = delivered(
        a_parquet_view([{"skip": {"count": 90}}, {"take": {"count": 40}}], {"a": content}, tmp_path), tmp_path
    )

    before = pq.ParquetFile(BytesIO(content))
    for one in (first["a"], second["a"]):
        after = pq.ParquetFile(BytesIO(one))
        assert after.schema.equals(before.schema)
        assert str(after.schema).splitlines()[1:] == str(before.schema).splitlines()[1:]
        assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
        assert after.metadata.metadata == before.metadata.metadata
        compressions = [
            [
                one.metadata.row_group(0).column(place).compression
                for place in range(before.metadata.num_columns)
            ]
            for one in (before, after)
        ]
        assert compressions[0] == compressions[1]
    whole = pq.read_table(BytesIO(content)).to_pylist()
    kept = [row for one in (first, second) for row in pq.read_table(BytesIO(one["a"])).to_pylist()]
    assert kept == [whole[row] for row in rows]


def test_times_of_twelve_bytes_keep_every_digit_and_days_that_nanoseconds_cannot_tell(
    tmp_path: Path,
) -> None:
    """Spark writes days beyond the year 2262, which in nanoseconds are days of another century."""
    far = pa.array([dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1, 0, 0, 0, 7), None], pa.timestamp("us"))
    exact = pa.array([2**62 + 1, -(2**62) - 1, None], pa.timestamp("ns"))
    nested = pa.array([[{"at": value}] for value in (1, None, 2)], pa.list_(pa.struct([("at", exact.type)])))

    for table in (pa.table({"far": far}), pa.table({"exact": exact, "nested": nested})):
        content = parquet(table, use_deprecated_int96_timestamps=True, store_schema=False)
        _, found = delivered(a_parquet_view([{"skip": {"count": 1}}], {"a": content}, tmp_path), tmp_path)

        assert {column.physical_type for column in pq.ParquetFile(BytesIO(found["a"])).schema} == {"INT96"}
        unit = table.schema[0].type.unit
        read = pq.read_table(BytesIO(found["a"]), coerce_int96_timestamp_unit=unit)
        assert read.cast(table.schema).equals(table.slice(1))

    both = parquet(pa.table({"far": far, "exact": exact}), use_deprecated_int96_timestamps=True)
    failed = refused([sample(99)], {"a": both}, tmp_path)
    assert failed.reason is Reason.BAD_ROW
    assert "beyond the year 2262 and others with nanoseconds" in failed.message


def test_a_wide_table_is_read_some_columns_at_a_time(tmp_path: Path) -> None:
    """Each column takes a buffer at least, and a thousand of them more than all may together."""
    rows, names = 30, [f"column {number // 2}" for number in range(1500)]
    columns = [pa.array([f"{number} {row}" for row in range(rows)]) for number in range(len(names) - 1)]
    table = pa.table([pa.array([[row] * 2 for row in range(rows)]), *columns], names=names)
    content = parquet(table, row_group_size=20, store_schema=False)

    _, found = delivered(a_parquet_view([{"skip": {"count": 15}}], {"a": content}, tmp_path), tmp_path)

    after = pq.ParquetFile(BytesIO(found["a"]))
    assert [after.metadata.row_group(number).num_rows for number in range(2)] == [5, 10]
    assert after.read().equals(pq.ParquetFile(BytesIO(content)).read().slice(15))


def test_a_row_group_of_many_rows_is_read_in_batches(tmp_path: Path) -> None:
    files = {"a": numbered(40_000)}

    _, found = delivered(a_parquet_view([sample(50)], files, tmp_path), tmp_path)

    assert ids(found["a"]) == selected_ids([sample(50)], files, {"a": 40_000})["a"]


def test_texts_that_are_stored_once_each_stay_so(tmp_path: Path) -> None:
    """Unpacked, these would be 40 MB, and more row groups than one."""
    texts = pa.array([f"{number}" * 500 for number in range(10, 20)])
    numbers = [row % 10 for row in range(40_000)]
    table = pa.table({"text": pa.DictionaryArray.from_arrays(numbers, texts).cast(pa.string())})
    content = parquet(table, row_group_size=10_000)

    _, found = delivered(a_parquet_view([{"skip": {"count": 1}}], {"a": content}, tmp_path), tmp_path)

    after = pq.ParquetFile(BytesIO(found["a"]))
    assert (after.metadata.num_row_groups, len(found["a"]) < 3 * len(content)) == (1, True)
    assert after.read().equals(table.slice(1))


@pytest.mark.parametrize("exact", [{}, {"exact": True}], ids=["by draw", "exact"])
def test_parts_are_disjoint_and_together_everything(tmp_path: Path, exact: dict[str, Any]) -> None:
    files = {path: numbered(500, row_group_size=77) for path in ("a", "b")}
    parts: dict[str, list[tuple[str, int]]] = {}
    for part in PARTS:
        _, found = delivered(a_parquet_view([split(part, PARTS, **exact)], files, tmp_path), tmp_path)
        parts[part] = [(path, row) for path, content in found.items() for row in ids(content)]
    assert len(parts["train"]) == 700 if exact else 650 < len(parts["train"]) < 750
    assert sorted(parts["train"] + parts["test"]) == [(path, row) for path in files for row in range(500)]


def test_a_file_without_a_selected_row_is_left_out_unless_it_is_the_only_one(tmp_path: Path) -> None:
    files = {"a": numbered(1)}
    view = a_parquet_view([{"skip": {"count": 1}}], files, tmp_path)

    assert delivered(view, tmp_path) == ((0, 0, 0, 1), {})
    counts, found = delivered(view, tmp_path, keep_empty=True)
    assert (counts.rows, ids(found["a"])) == (0, [])
    assert pq.read_schema(BytesIO(found["a"])).equals(pq.read_schema(BytesIO(files["a"])))


def test_what_spark_keeps_beside_the_rows_is_no_file_of_rows(tmp_path: Path) -> None:
    files = {
        "_SUCCESS": b"",
        ".a.crc": b"crc",
        "_x=1/a": numbered(2),
        "_temporary/0/a": b"",
        "b": numbered(2),
    }

    _, found = delivered(a_parquet_view([sample(100, exact=True)], files, tmp_path), tmp_path)

    assert sorted(found) == ["_x=1/a", "b"]


def test_a_file_of_which_no_row_is_selected_is_fetched_only_if_its_bytes_are_to_be_proven(
    tmp_path: Path,
) -> None:
    files = {"a": numbered(20_000), "b": numbered(2)}
    chain: Chain = [{"skip": {"count": 20_000}}]
    view = a_parquet_view(chain, files, tmp_path, by="etag")
    delivered(view, tmp_path)
    assert view.progress.bytes == len(files["b"])

    # A changed byte that no footer shows.
    view = a_parquet_view(chain, files, tmp_path)
    place = mounted(tmp_path) / "a"
    place.write_bytes(files["a"][:100] + b"x" + files["a"][101:])
    with pytest.raises(MoverFailure) as drifted:
        delivered(view, tmp_path)
    assert drifted.value.reason is Reason.INPUT_DRIFT


@pytest.mark.parametrize("by", ["sha256", "etag"])
def test_other_bytes_are_drift_before_they_are_judged_as_parquet(tmp_path: Path, by: str) -> None:
    # Larger than an end, of which alone no digest is known.
    files = {"a": numbered(20_000)}
    view = a_parquet_view([sample(50)], files, tmp_path, by=by)
    (mounted(tmp_path) / "a").write_bytes(os.urandom(len(files["a"])))

    with pytest.raises(MoverFailure) as drifted:
        delivered(view, tmp_path)

    assert drifted.value.reason is Reason.INPUT_DRIFT
    assert not (tmp_path / "view").exists()
