"""Rows of a Parquet file that wait on disk for their other columns: never more than was planned, whatever they are."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mover.volumes import a_file_system
from towpath_mover.parquet_copy import copy_rows

MiB = 1 << 20
# So many that they are not read side by side, and in memory 17 MiB that take a hundredth on disk.
COLUMNS, ROWS = 1100, 2000


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one row group with many columns, each of one value again and again."""
    columns = {f"c{number}": pa.array([number] * ROWS) for number in range(COLUMNS)}
    place = tmp_path_factory.mktemp("wide") / "wide.parquet"
    pq.write_table(pa.table(columns | {"id": pa.array(range(ROWS))}), place, row_group_size=ROWS)
    return place


def copied(source: Path, folder: Path, every: int, waiting: int) -> pq.ParquetFile:
    """A file of each so many-th row."""
    kept, target = folder / "kept", folder / "target"
    kept.write_bytes(sum(1 << row for row in range(0, ROWS, every)).to_bytes(ROWS // 8, "little"))
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    taken = {"rows": str(kept), "columns": None}
    copy_rows(str(source), str(target), taken, str(scratch), False, waiting)
    assert list(scratch.iterdir()) == []
    return pq.ParquetFile(target)


@pytest.mark.parametrize(("every", "groups"), [(1, 8), (3, 2)])
def test_rows_that_would_take_too_much_disk_go_in_turns(
    wide: Path, tmp_path: Path, every: int, groups: int
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    # Half as much more than may wait: a second turn beside the first would not fit.
    with a_file_system(scratch, f"size={6 * MiB}"):
        found = copied(wide, tmp_path, every, 4 * MiB)

    table = found.read()
    assert table["id"].to_pylist() == list(range(0, ROWS, every))
    assert table["c7"].unique().to_pylist() == [7]
    assert found.num_row_groups == groups


def test_where_there_is_room_all_go_at_once(wide: Path, tmp_path: Path) -> None:
    found = copied(wide, tmp_path, 1, 64 * MiB)

    assert (found.num_row_groups, found.metadata.num_rows) == (1, ROWS)


def test_one_row_that_is_larger_than_what_may_wait_is_too_large(wide: Path, tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        copied(wide, tmp_path, 1, 1000)
