"""A split of Parquet rows takes bounded memory, however large its row groups: mover and child, seen from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cluster.space import Space
from flow.subset_records import split
from mover.test_row_memory import PARTS, SCRIPT
from mover.transfers import MiB

pytestmark = [pytest.mark.server, pytest.mark.long, pytest.mark.timeout(1800)]

# The container's limit is 256 MiB. Of the page cache, which lives in it too, any part can be dropped.
MOST = 240 * MiB


def stored(space: Space, folder: Path, columns: int, rows: int) -> int:
    """Store a file with one row group of random numbers; its size."""
    numbers = [pa.py_buffer(os.urandom(8 * rows)) for _ in range(columns - 1)]
    arrays = [pa.Array.from_buffers(pa.float64(), rows, [None, buffer]) for buffer in numbers]
    names = ["id", *(f"column{number}" for number in range(columns - 1))]
    place = folder / "rows.parquet"
    pq.write_table(pa.table([pa.array(range(rows)), *arrays], names=names), place, row_group_size=rows)
    space.client.fput_object(space.bucket, f"{space.prefix}rows.parquet", str(place))
    size = place.stat().st_size
    place.unlink()
    return size


def held(process: int) -> int:
    """What a process and its children hold, but for files of rows that it has mapped."""
    try:
        lines = Path(f"/proc/{process}/smaps").read_text().splitlines()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0
    total, is_rows = 0, False
    for line in lines:
        words = line.split()
        if not words[0].endswith(":"):
            is_rows = "/rows/" in line
        elif words[0] == "Pss:" and not is_rows:
            total += int(words[1]) * 1024
    return total + sum(held(int(child)) for child in children)


def view(space: Space, target: Path, size: int, part: str) -> tuple[int, int]:
    """Deliver a part by a process of its own: its rows, and the most that was held."""
    environment = {
        "PATH": os.environ["PATH"],
        "S3_ENDPOINT_URL": space.s3.endpoint,
        "AWS_ACCESS_KEY_ID": space.s3.admin.access_key,
        "AWS_SECRET_ACCESS_KEY": space.s3.admin.secret_key,
        "PYTHONPATH": os.pathsep.join(str(SCRIPT.parents[2] / name) for name in ("operator", "sdk")),
    }
    words = [str(target), f"{space.prefix}rows.parquet", str(size), json.dumps([split(part, PARTS)])]
    most = 0
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), *words], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            most = max(most, held(process.pid))
            time.sleep(0.02)
        said = json.loads(process.communicate()[0])
    print(part, said, f"{most // MiB} MiB")
    return said["rows"], most


@pytest.mark.parametrize(("columns", "rows"), [(20, 1_600_000), (1000, 32_000)], ids=["large", "wide"])
def test_a_file_of_one_row_group_is_split_in_bounded_memory(
    local_s3: Space, tmp_path: Path, columns: int, rows: int
) -> None:
    size = stored(local_s3, tmp_path, columns, rows)
    found: list[int] = []
    for part in PARTS:
        delivered, most = view(local_s3, tmp_path / part, size, part)
        assert most < MOST, f"{most // MiB} MiB"
        place = tmp_path / part / local_s3.prefix / "rows.parquet"
        kept = pq.read_table(place, columns=["id"])["id"].to_pylist()
        assert len(kept) == delivered
        found += kept
        place.unlink()
    assert sorted(found) == list(range(rows))
