"""Each thing that can be wrong with a datastore has a reason of its own, with where and as whom; and what to do.

Real servers show all but two: where none is at hand that has regions, or judges another clock, a fake answers as
AWS documents it (User Guide: PermanentRedirect, AuthorizationHeaderMalformed, RequestTimeTooSkewed; HeadBucket).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.space import Space
from cluster.store import Identity, who_may
from mover.answering import Answering, answering
from mover.certificates import certified
from mover.movers import refusal
from mover.pods import datastore
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.exits import Exit
from towpath_mover.failures import Reason

SOMEBODY = Identity("AKIASOMEBODY", "a-secret-that-is-never-shown")
DENIED = Reason.PERMISSION_DENIED, Exit.CREDENTIALS_REFUSED


def at(server: Answering, **more: str) -> PlannedDatastore:
    location = {"bucket": "lake", "endpoint": server.endpoint, "region": "us-east-1"} | more
    return PlannedDatastore("default", location, credentials_secret="keys")


@pytest.mark.server
@pytest.mark.parametrize(
    ("may", "told"),
    [
        ("List", "Could not read object; Refused: read, write, delete; allowed: list."),
        ("Read", "Could not list bucket; Refused: list, write, delete; allowed: read."),
        ("Write", "Could not list bucket; Refused: list, read; allowed: write, delete."),
        ("List+Write", "Could not read object; Refused: read; allowed: list, write, delete."),
        ("Read+Write", "Could not list bucket; Refused: list; allowed: read, write, delete."),
        ("List+Read", "Could not write object; Refused: write, delete; allowed: list, read."),
    ],
)
def test_what_is_not_permitted_is_told_with_what_is(
    local_s3: Space, tmp_path: Path, may: str, told: str
) -> None:
    failed = refusal(datastore(local_s3), who_may(may), tmp_path)
    first, _, summary = told.partition("; ")
    assert (failed.reason, failed.exit) == DENIED
    assert failed.message.startswith(first)
    assert summary in failed.message
    assert ("readOnly: true" in failed.message) == (may == "List+Read")
    assert "access key 'may-…' of Secret 's3-creds'" in failed.message
    assert local_s3.keys() == []


@pytest.mark.server
def test_who_may_do_all_but_delete_is_told_so(local_s3: Space, tmp_path: Path) -> None:
    bucket = f"kept-{local_s3.prefix.strip('/')}"
    write = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    local_s3.client.make_bucket(bucket)
    local_s3.client.set_bucket_policy(bucket, json.dumps({"Version": "2012-10-17", "Statement": [write]}))
    failed = refusal(datastore(local_s3, bucket=bucket), who_may("List+Read"), tmp_path)
    assert (failed.reason, failed.exit) == DENIED
    assert failed.message.startswith("Could not delete object")
    assert "Refused: delete; allowed: list, read, write." in failed.message
    for left in local_s3.client.list_objects(bucket, recursive=True):
        local_s3.client.remove_object(bucket, str(left.object_name))
    local_s3.client.remove_bucket(bucket)


@pytest.mark.server
def test_who_may_list_and_not_read_is_refused_by_a_read_only_datastore_too(
    local_s3: Space, tmp_path: Path
) -> None:
    failed = refusal(replace(datastore(local_s3), read_only=True), who_may("List"), tmp_path)
    assert (failed.reason, failed.exit) == DENIED
    assert "Refused: read; allowed: list." in failed.message


class OtherBytes(dict[str, bytes]):
    """What a store that mangles what it is given holds under any key."""

    def get(self, *_: object) -> bytes:
        return b"something else"


def test_a_store_that_gives_back_other_bytes_than_it_was_given_is_none(tmp_path: Path) -> None:
    with answering() as server:
        server.overwritten = OtherBytes()
        failed = refusal(at(server), SOMEBODY, tmp_path)
    assert (failed.reason, failed.exit) == (Reason.STORE_REFUSED, Exit.REFUSED)
    assert "came back as something else" in failed.message


REGION = "the region 'us-east-1' is wrong; expecting 'eu-west-1'"


@pytest.mark.parametrize(
    ("told", "headers", "details", "named"),
    [
        (
            (301, "PermanentRedirect", "Use the endpoint"),
            {"x-amz-bucket-region": "eu-west-1"},
            "",
            "eu-west-1",
        ),
        ((301, "PermanentRedirect", "Use the endpoint"), {}, "", "PermanentRedirect"),
        ((400, "AuthorizationHeaderMalformed", REGION), {}, "", "expecting 'eu-west-1'"),
        (
            (400, "AuthorizationHeaderMalformed", "Malformed"),
            {},
            "<Region>eu-west-1</Region>",
            "is eu-west-1",
        ),
    ],
)
def test_a_bucket_of_another_region_is_told_with_its_region(
    tmp_path: Path, told: tuple[int, str, str], headers: Mapping[str, str], details: str, named: str
) -> None:
    with answering(refused={"LIST": told}) as server:
        server.headers, server.details = dict(headers), details
        failed = refusal(at(server), SOMEBODY, tmp_path)
    assert (failed.reason, failed.exit) == (Reason.WRONG_REGION, Exit.REFUSED)
    assert "the bucket is not in this region" in failed.message
    assert named in failed.message
    assert "bucket 'lake'" in failed.message
    assert "'AKIA…' of Secret 'keys'" in failed.message


def test_another_clock_is_told_with_the_stores_time_and_waits_as_credentials_do(tmp_path: Path) -> None:
    words = "The difference between the request time and the current time is too large."
    with answering(refused={"LIST": (403, "RequestTimeTooSkewed", words)}) as server:
        server.details = "<ServerTime>2026-11-23T10:00:00Z</ServerTime>"
        failed = refusal(at(server), SOMEBODY, tmp_path)
    assert (failed.reason, failed.exit) == (Reason.CLOCK_SKEWED, Exit.CREDENTIALS_REFUSED)
    assert "its time was 2026-11-23T10:00:00Z" in failed.message
    assert "as access key 'AKIA…'" in failed.message


@pytest.mark.parametrize(
    ("address", "days", "is_named", "words", "advice"),
    [
        ("127.0.0.1", 1, False, "nobody who is trusted here has signed", "caConfigMapRef"),
        ("127.0.0.1", -1, True, "certificate has expired", "renewed"),
        ("127.0.0.2", 1, True, "certificate is for another host", "stands in the certificate"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_apart(
    tmp_path: Path, address: str, days: int, is_named: bool, words: str, advice: str
) -> None:
    tls = certified(tmp_path / "ca/default/ca.crt", tmp_path / "key", address, days)
    with answering(tls=tls) as server:
        place = replace(at(server), ca_config_map="my-ca" if is_named else None)
        failed = refusal(place, SOMEBODY, tmp_path)
    assert (failed.reason, failed.exit) == (Reason.CERTIFICATE_NOT_TRUSTED, Exit.REFUSED)
    assert words in failed.message
    assert advice in failed.message
    assert f"{server.endpoint} (Datastore default) as access key 'AKIA…'" in failed.message
