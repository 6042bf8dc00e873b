"""An S3 server of its own for a part of the bench, perhaps behind a delay, and what is put there to begin with."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from bench.measure import environment
from bench.our_transfer import bench_store
from bench.peers import delayed
from cluster.access import S3
from cluster.local_store import running_store
from cluster.space import client_for

BUCKET = S3(endpoint="").bucket


@contextmanager
def fresh_server(folder: Path, milliseconds: int = 0) -> Iterator[S3]:
    """A server with an empty bucket. At its end all is gone: what is deleted would go on taking room in it."""
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix="server-", ignore_cleanup_errors=True) as place,
        running_store(Path(place)) as s3,
        delayed(s3.endpoint, milliseconds) as endpoint,
    ):
        client_for(s3).make_bucket(s3.bucket)
        # The first object of a bucket waits for its volumes to be made.
        put(s3, "first", b"1")
        yield replace(s3, endpoint=endpoint)


def put(s3: S3, key: str, content: bytes) -> None:
    """Store an object."""
    client_for(s3).put_object(s3.bucket, key, io.BytesIO(content), len(content))


def put_file(s3: S3, key: str, file: Path) -> None:
    """Store a file."""
    client_for(s3).fput_object(s3.bucket, key, str(file))


def put_many(s3: S3, objects: Iterable[tuple[str, bytes]]) -> None:
    """Store many small objects."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(16) as pool:
        store = bench_store(Path(folder), environment(s3))

        def write(block: list[tuple[str, bytes]]) -> None:
            for key, content in block:
                store.write(key, content)

        # In blocks: a task for each of 200,000 objects would cost more than the writing.
        list(pool.map(write, _blocks(objects)))


def _blocks(objects: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    rest = iter(objects)
    while block := list(islice(rest, 500)):
        yield block


def count(s3: S3, prefix: str) -> int:
    """How many objects there are below a prefix."""
    return sum(1 for _ in client_for(s3).list_objects(s3.bucket, prefix, recursive=True))
