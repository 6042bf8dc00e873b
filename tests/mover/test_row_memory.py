"""A split of rows takes bounded memory, whatever the size of the file: measured from outside, on whole processes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from flow.subset_records import split
from mover.transfers import MiB

pytestmark = pytest.mark.server

SCRIPT = Path(__file__).parents[1] / "bench" / "our_rows.py"
HEADER = b"id,text,number,label\n"
# The container's limit is 256 MiB, and the page cache lives in it too.
MOST = 200 * MiB
PARTS: dict[str, int | str | None] = {"train": 80, "test": None}


class Rows(io.RawIOBase):
    """A CSV file of about this size that is nowhere: made while it is read."""

    def __init__(self, size: int) -> None:
        self.rows = 0
        self._chunks = self._made(size)
        self._left = b""

    def _made(self, size: int) -> Iterator[bytes]:
        yield HEADER
        while size > 0:
            block = b"".join(
                b'%d,"some text, ""quoted"" %d",%d.5,label-%d\n' % (row, row * 7, row % 1000, row % 13)
                for row in range(self.rows, self.rows + 10_000)
            )
            self.rows += 10_000
            size -= len(block)
            yield block

    def readable(self) -> bool:
        return True

    def read(self, count: int = -1) -> bytes:
        while len(self._left) < count and (chunk := next(self._chunks, b"")):
            self._left += chunk
        taken, self._left = self._left[:count], self._left[count:]
        return taken


def stored(space: Space, size: int) -> tuple[int, int]:
    """Store a CSV file of about this size; its rows, and its size."""
    rows = Rows(size)
    client, key = space.client, f"{space.prefix}rows.csv"
    client.put_object(space.bucket, key, rows, -1, part_size=16 * MiB)  # type: ignore[arg-type]
    return rows.rows, int(client.stat_object(space.bucket, key).size or 0)


def view(space: Space, target: Path, size: int, chain: list[dict[str, Any]]) -> dict[str, Any]:
    """What a view of it in a process of its own came to."""
    environment = {
        "PATH": os.environ["PATH"],
        "S3_ENDPOINT_URL": space.s3.endpoint,
        "AWS_ACCESS_KEY_ID": space.s3.admin.access_key,
        "AWS_SECRET_ACCESS_KEY": space.s3.admin.secret_key,
    }
    words = [str(target), f"{space.prefix}rows.csv", str(size), json.dumps(chain)]
    command = [sys.executable, str(SCRIPT), *words]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def check(space: Space, folder: Path, size: int, exact: dict[str, bool], most: int = MOST) -> None:
    rows, total = stored(space, size)
    seen = delivered = 0
    for part in PARTS:
        target = folder / part
        said = view(space, target, total, [split(part, PARTS, **exact)])
        print(part, said)
        assert said["memory"] < most, f"{said['memory'] // MiB} MiB"
        assert (target / space.prefix / "rows.csv").stat().st_size == said["bytes"]
        seen += said["rows"]
        delivered += said["bytes"] - len(HEADER)
        (target / space.prefix / "rows.csv").unlink()
    assert (seen, delivered) == (rows, total - len(HEADER))


def test_a_file_of_rows_is_never_held_whole(local_s3: Space, tmp_path: Path) -> None:
    # In flight are 32 MiB; all of it would make 119.
    check(local_s3, tmp_path, 64 * MiB, {}, 108 * MiB)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("size", "exact"), [(2048 * MiB, {}), (128 * MiB, {"exact": True})], ids=["by draw", "exact"]
)
def test_a_large_file_of_rows_is_split_in_bounded_memory(
    local_s3: Space, tmp_path: Path, size: int, exact: dict[str, bool]
) -> None:
    check(local_s3, tmp_path, size, exact)
