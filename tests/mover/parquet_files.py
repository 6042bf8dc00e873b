"""Parquet files for the tests of views of their rows: written and judged by pyarrow, of which movers have nothing."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mover.row_files import Chain
from mover.volumes import a_volume, mounted
from towpath.flow.transform_documents import read_chain
from towpath_mover.inventory import Entry
from towpath_mover.parquet_view import ParquetView
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress

PARQUET: dict[str, Any] = {"parquet": {}}


def parquet(table: pa.Table, *, row_group_size: int | None = None, **settings: Any) -> bytes:
    """A Parquet file of this table, with its metadata."""
    file = BytesIO()
    with pq.ParquetWriter(file, table.schema, **settings) as writer:
        writer.write_table(table, row_group_size)
        if not settings.get("store_schema", True):
            writer.add_key_value_metadata(table.schema.metadata or {})
    return file.getvalue()


def numbered(count: int, **settings: Any) -> bytes:
    """A Parquet file of so many rows that are unlike each other."""
    names = pa.array([f"row {row}" for row in range(count)], pa.string())
    return parquet(pa.table({"id": pa.array(range(count), pa.int64()), "name": names}), **settings)


def ids(content: bytes) -> list[int]:
    """The ids of a file's rows; all else must be what it was."""
    table = pq.read_table(BytesIO(content))
    found: list[int] = table["id"].to_pylist()
    assert table["name"].to_pylist() == [f"row {row}" for row in found]
    return found


def a_parquet_view(
    chain: Chain, files: Mapping[str, bytes], root: Path, *, by: str = "sha256"
) -> ParquetView:
    """A view of files on a volume below this folder, which are pinned by their bytes or by what the volume says."""
    entries = stored(files, root, by=by)
    source = Source(a_volume(root), "")
    return ParquetView(read_chain(chain), lambda: entries, [source], root / "scratch", Progress("rows"))


def stored(files: Mapping[str, bytes], root: Path, *, by: str = "sha256") -> list[Entry]:
    """The inventory of files that are put on a volume."""
    store = a_volume(root)
    entries = []
    for path, content in sorted(files.items()):
        place = mounted(root) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        os.utime(place)
        pin = {"sha256": sha256(content).hexdigest()} if by == "sha256" else {"etag": store.state(path).etag}
        entries.append(Entry(path, len(content), **pin))
    return entries


def every_type(rows: int) -> pa.Table:
    """A table with what Parquet can hold: each meaning, each nesting, nulls, and metadata of file and columns."""
    day, count = dt.datetime(2020, 1, 1), range(rows)
    columns = {
        "i8": pa.array([None if row % 7 == 0 else row % 100 for row in count], pa.int8()),
        "u64": pa.array([2**63 + row for row in count], pa.uint64()),
        "f16": pa.array([float(row) for row in count], pa.float16()),
        "f64": pa.array([row / 3 for row in count]),
        "boolean": pa.array([None if row % 5 == 0 else bool(row % 2) for row in count]),
        "text": pa.array([f"é{row % 10}" for row in count]),
        "large text": pa.array([f"é{row}" for row in count], pa.large_string()),
        "bytes": pa.array([bytes([row % 256, 0xFF]) for row in count]),
        "three bytes": pa.array([bytes([row % 256]) * 3 for row in count], pa.binary(3)),
        "small decimal": pa.array([Decimal(row) / 100 for row in count], pa.decimal128(9, 2)),
        "decimal": pa.array([Decimal(-row) / 100 for row in count], pa.decimal128(30, 2)),
        "date": pa.array([(day + dt.timedelta(row)).date() for row in count]),
        "time": pa.array([row * 1000 for row in count], pa.time64("ns")),
        "seen": pa.array([day + dt.timedelta(row) for row in count], pa.timestamp("us")),
        "zoned": pa.array([row * 10**9 for row in count], pa.timestamp("ns", tz="Europe/Berlin")),
        "duration": pa.array(count, pa.duration("us")),
        "category": pa.array([f"c{row % 4}" for row in count]).dictionary_encode(),
        "list": pa.array([None if row % 11 == 0 else list(range(row % 5)) for row in count]),
        "vector": pa.array([[float(row), 2.0, 3.0] for row in count], pa.list_(pa.float32(), 3)),
        "struct": pa.array([None if row % 9 == 0 else {"a": row, "b": [{"c": str(row)}]} for row in count]),
        "map": pa.array([[("key", row)] for row in count], pa.map_(pa.string(), pa.int32())),
        "nothing": pa.nulls(rows),
    }
    fields = [
        pa.field(name, column.type, metadata={"PARQUET:field_id": str(number), "unit": "é"})
        for number, (name, column) in enumerate(columns.items())
    ]
    needed = pa.field("needed", pa.int64(), nullable=False)
    schema = pa.schema(
        [*fields, needed], metadata={"pandas": '{"index_columns": []}', b"raw\xff": b"\xff\x00"}
    )
    return pa.table([*columns.values(), pa.array(count)], schema=schema)
