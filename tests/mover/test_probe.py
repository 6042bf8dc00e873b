"""What a probe says of a datastore: against a real S3 server, and against endpoints that are none."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.space import Space
from cluster.store import Identity
from mover.movers import probe
from mover.pods import UNREACHABLE, datastore

pytestmark = pytest.mark.server


def test_a_good_datastore_is_ready_and_all_that_is_left_says_whose_it_is(
    local_s3: Space, tmp_path: Path
) -> None:
    ended = probe(datastore(local_s3), local_s3.s3.admin, tmp_path)
    assert (ended.code, ended.report["ready"]) == (0, True)
    assert local_s3.keys() == ["team-a/owner.json"]


def test_a_secret_that_does_not_exist_is_named(local_s3: Space, tmp_path: Path) -> None:
    ended = probe(datastore(local_s3), None, tmp_path)
    assert (ended.code, ended.report["reason"]) == (44, "CredentialsMissing")
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in Secret 's3-creds'" in ended.report["message"]


def test_a_wrong_access_key_and_a_wrong_secret_key_are_told_apart(local_s3: Space, tmp_path: Path) -> None:
    admin = local_s3.s3.admin
    wrong_key = probe(datastore(local_s3), Identity("AKIANOBODY", admin.secret_key), tmp_path)
    wrong_secret = probe(datastore(local_s3), Identity(admin.access_key, "not-the-secret"), tmp_path)
    assert (wrong_key.code, wrong_key.report["reason"]) == (44, "CredentialsRefused")
    assert (wrong_secret.code, wrong_secret.report["reason"]) == (44, "CredentialsRefused")
    assert "does not know this access key" in wrong_key.report["message"]
    assert "secret key does not belong" in wrong_secret.report["message"]
    for ended in (wrong_key, wrong_secret):
        said = ended.errors + json.dumps(ended.report)
        assert admin.secret_key not in said
        assert "not-the-secret" not in said


def test_an_identity_that_may_only_read_is_refused_at_the_write(local_s3: Space, tmp_path: Path) -> None:
    ended = probe(datastore(local_s3), local_s3.s3.reader, tmp_path)
    assert (ended.code, ended.report["reason"]) == (44, "PermissionDenied")
    assert ended.report["message"].startswith("Could not write")


def test_a_read_only_datastore_needs_no_more_than_reading(local_s3: Space, tmp_path: Path) -> None:
    ended = probe(replace(datastore(local_s3), read_only=True), local_s3.s3.reader, tmp_path)
    assert (ended.code, ended.report["ready"]) == (0, True)


def test_a_bucket_that_does_not_exist_is_named(local_s3: Space, tmp_path: Path) -> None:
    ended = probe(datastore(local_s3, bucket="no-such-bucket"), local_s3.s3.admin, tmp_path)
    assert (ended.code, ended.report["reason"]) == (41, "BucketNotFound")
    assert "'no-such-bucket'" in ended.report["message"]
    assert not local_s3.client.bucket_exists("no-such-bucket")


def test_a_bucket_is_made_where_the_datastore_asks_for_it(local_s3: Space, tmp_path: Path) -> None:
    bucket = f"made-{local_s3.prefix.strip('/')}"
    place = datastore(local_s3, bucket=bucket, createBucket=True, prefix="")
    try:
        ended = probe(place, local_s3.s3.admin, tmp_path)
        assert (ended.code, ended.report["ready"]) == (0, True)
        assert local_s3.client.bucket_exists(bucket)
    finally:
        local_s3.client.remove_object(bucket, "team-a/owner.json")
        local_s3.client.remove_bucket(bucket)


def test_an_identity_that_may_not_make_the_bucket_is_refused(local_s3: Space, tmp_path: Path) -> None:
    place = datastore(local_s3, bucket="never-made", createBucket=True)
    assert local_s3.s3.reader
    ended = probe(place, local_s3.s3.reader, tmp_path)
    assert (ended.code, ended.report["reason"]) == (44, "PermissionDenied")


def test_a_port_where_nothing_listens_is_unreachable(local_s3: Space, tmp_path: Path) -> None:
    ended = probe(datastore(local_s3, endpoint=UNREACHABLE), local_s3.s3.admin, tmp_path)
    assert (ended.code, ended.report["reason"]) == (40, "EndpointUnreachable")
    assert UNREACHABLE in ended.report["message"]


def test_a_host_that_no_name_server_knows_is_said_so(local_s3: Space, tmp_path: Path) -> None:
    # A label of more than 63 characters is refused before any name server is asked.
    ended = probe(datastore(local_s3, endpoint=f"http://{'x' * 64}.invalid"), local_s3.s3.admin, tmp_path)
    assert (ended.code, ended.report["reason"]) == (40, "EndpointNotFound")


def test_tls_to_a_plain_endpoint_is_said_so(local_s3: Space, tmp_path: Path) -> None:
    endpoint = local_s3.s3.endpoint.replace("http://", "https://")
    ended = probe(datastore(local_s3, endpoint=endpoint), local_s3.s3.admin, tmp_path)
    assert (ended.code, ended.report["reason"]) == (41, "CertificateNotTrusted")


def test_a_store_that_never_answers_is_given_up_in_time(local_s3: Space, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = datastore(local_s3, endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        ended = probe(place, local_s3.s3.admin, tmp_path)
    assert (ended.code, ended.report["reason"]) == (40, "NoAnswer")
    assert time.monotonic() - begun < 25
