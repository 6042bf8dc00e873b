"""The loopback S3 server, as the tests of the mover use it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from minio.error import S3Error

from cluster import local_store
from cluster.access import S3
from cluster.local_store import free_ports, running_store
from cluster.space import Space, client_for
from cluster.store import Ports

pytestmark = pytest.mark.server


def test_a_space_starts_empty_and_keeps_what_is_put(local_s3: Space) -> None:
    assert local_s3.keys() == []
    local_s3.put("a/b.txt", b"content")
    assert local_s3.keys() == ["a/b.txt"]
    assert local_s3.get("a/b.txt") == b"content"


def test_the_reader_reads_the_shared_bucket_and_is_refused_everything_else(
    local_s3: Space, s3_server: S3
) -> None:
    local_s3.put("a", b"1")
    client_for(s3_server).make_bucket("not-for-readers")
    reader = client_for(s3_server, s3_server.reader)
    assert reader.stat_object(s3_server.bucket, local_s3.prefix + "a").size == 1
    with pytest.raises(S3Error, match="AccessDenied"):
        reader.put_object(s3_server.bucket, local_s3.prefix + "b", io.BytesIO(b"2"), 1)
    with pytest.raises(S3Error, match="AccessDenied"):
        list(reader.list_objects("not-for-readers"))


def test_a_missing_bucket_is_an_error_and_not_made(s3_server: S3) -> None:
    client = client_for(s3_server)
    with pytest.raises(S3Error, match="NoSuchBucket"):
        client.put_object("no-such-bucket", "key", io.BytesIO(b"1"), 1)
    assert not client.bucket_exists("no-such-bucket")


def test_many_buckets_fit(s3_server: S3) -> None:
    client = client_for(s3_server)
    for number in range(40):
        client.make_bucket(f"one-of-many-{number}")
        client.put_object(f"one-of-many-{number}", "key", io.BytesIO(b"1"), 1)
        assert client.stat_object(f"one-of-many-{number}", "key").size == 1


def test_another_server_that_took_the_ports_first_is_not_mistaken_for_our_own(
    s3_server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(s3_server.endpoint.rpartition(":")[2])
    found = iter([Ports(taken, taken + 1, taken + 2, taken + 3), free_ports()])
    monkeypatch.setattr(local_store, "free_ports", lambda: next(found))
    with running_store(tmp_path) as server:
        assert server.endpoint != s3_server.endpoint
        client_for(server).make_bucket(server.bucket)
