"""take-inventory of rows in a real S3 server: heads of files are read by range, and tell columns or what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cluster.space import Space
from mover.breaking_proxy import breaking_proxy
from mover.movers import take_sources
from mover.parquet_files import PARQUET, every_type, numbered, parquet
from mover.pods import Ended, datastore
from mover.row_files import CSV, csv_of
from towpath.flow.columns import unpacked
from towpath_mover.read_heads import HEAD

pytestmark = pytest.mark.server

HEADER = b"id,name,seen\n"


def taken(space: Space, root: Path, format_: dict[str, Any] = CSV, **location: Any) -> Ended:
    source = {"path": "rows/", "datastore": "default", "hash": "Reported"}
    return take_sources(datastore(space, **location), space.s3.admin, [source], root, format_=format_)


def test_columns_are_told_and_only_heads_are_read(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put("rows/a.csv", HEADER + b"1,x,2026-01-01\n" * (HEAD // 4))
    local_s3.put("rows/b.csv", HEADER)
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        ended = taken(local_s3, tmp_path, endpoint=proxy.endpoint)

    assert ended.code == 0, ended.errors
    columns = (("id", "integer"), ("name", "string"), ("seen", "datetime"))
    assert unpacked(ended.report["columns"]) == columns
    assert sum(one.method == "GET" and "/rows/" in one.path for one in proxy.requests) == 2


def test_a_header_longer_than_a_head_is_read_to_its_end(local_s3: Space, tmp_path: Path) -> None:
    names = [f"{number}_{'x' * 90}" for number in range(1000)]
    local_s3.put("rows/a.csv", (",".join(names) + "\n" + ",".join("1" for _ in names)).encode())

    ended = taken(local_s3, tmp_path)

    assert ended.code == 0, ended.errors
    assert "columns" in ended.report or ended.report["leftOut"] == ["columns"]


def test_columns_that_do_not_fit_into_a_report_are_left_out(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put("rows/a.csv", ",".join(f"{number * 7919 % 10**6:x}" for number in range(1900)).encode())

    ended = taken(local_s3, tmp_path)

    assert (ended.code, ended.report["leftOut"]) == (0, ["columns"])
    assert ended.report["files"] == 1


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (b"id,nom,seen\n", "HeaderMismatch", "'b.csv' has the columns 'id', 'nom', 'seen'"),
        (HEADER + b"1,2\n", "BadRow", "'b.csv', line 2, column 1: the row has 2 fields, and 3 are expected."),
        (HEADER + b"1,\xff,2\n", "BadRow", "'b.csv', line 2, column 3: the bytes ff 2c 32 0a are not utf8"),
    ],
)
def test_what_is_wrong_with_files_is_told_by_name(
    local_s3: Space, tmp_path: Path, content: bytes, reason: str, words: str
) -> None:
    local_s3.put("rows/a.csv", HEADER)
    local_s3.put("rows/b.csv", content)

    ended = taken(local_s3, tmp_path)

    assert (ended.code, ended.report["reason"]) == (41, reason)
    assert words in ended.report["message"]


def test_columns_of_parquet_are_told_by_the_ends_of_files(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put("rows/a.parquet", parquet(every_type(40)))
    local_s3.put("rows/b.parquet", numbered(20_000))
    local_s3.put("rows/_SUCCESS", b"")
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        ended = taken(local_s3, tmp_path, PARQUET, endpoint=proxy.endpoint)

    assert ended.code == 0, ended.errors
    assert ended.report["files"] == 3
    columns = dict(unpacked(ended.report["columns"]))
    assert list(columns) == [*every_type(1).column_names, "id", "name"]
    told = [
        "u64",
        "f16",
        "boolean",
        "text",
        "bytes",
        "decimal",
        "date",
        "time",
        "zoned",
        "list",
        "struct",
        "map",
    ]
    assert [columns[name] for name in told] == [
        *("integer", "number", "boolean", "string", "binary", "number", "datetime", "time", "datetime"),
        *("array", "object", "object"),
    ]
    assert sum(one.method == "GET" and "/rows/" in one.path for one in proxy.requests) == 2


def test_columns_in_a_footer_larger_than_what_is_read_at_first(local_s3: Space, tmp_path: Path) -> None:
    table = pa.table({f"column {number}": [number] for number in range(300)})
    local_s3.put("rows/a.parquet", parquet(table, store_schema=False) * 3)

    ended = taken(local_s3, tmp_path, PARQUET)

    assert ended.code == 0, ended.errors
    assert len(unpacked(ended.report["columns"])) == 300


def test_a_file_that_is_not_parquet_is_named_with_its_dataset(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put("rows/a.parquet", numbered(3))
    local_s3.put("rows/b.parquet", numbered(3)[:-1])

    ended = taken(local_s3, tmp_path, PARQUET)

    assert (ended.code, ended.report["reason"]) == (41, "BadRow")
    assert ended.report["message"].startswith(
        "'b.parquet' cannot be read as Parquet: Parquet magic bytes not"
    )


def test_without_headers_no_more_files_are_read_than_the_rows_need(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put("rows/a.csv", b"1,x\n" * 1000)
    local_s3.put("rows/b.csv", b"\xff")

    ended = taken(local_s3, tmp_path, csv_of("NoHeaders"))

    assert ended.code == 0, ended.errors
    assert unpacked(ended.report["columns"]) == (("Column1", "integer"), ("Column2", "string"))
