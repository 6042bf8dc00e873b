"""No probe repeats a secret: whatever a store says of what it was sent, and wherever a secret was written by mistake.

The server is a fake: it repeats all that it is sent in its refusals, which real ones do only in part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from mover.answering import Answering, answering
from mover.certificates import certified
from mover.movers import environment
from towpath.flow.documents import datastore_document
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.failures import MoverFailure
from towpath_mover.probe import run

# Each value would be found in any text: also a part of it.
S3 = {
    "AWS_ACCESS_KEY_ID": "ZQXJACCESSKEY",
    "AWS_SECRET_ACCESS_KEY": "zqxj/secret+key=",
    "AWS_SESSION_TOKEN": "zqxj+session/token==",
}
AZURE_KEY = {"AZURE_STORAGE_ACCOUNT_KEY": "enF4amFjY291bnRrZXk="}
AZURE_SAS = {"AZURE_STORAGE_SAS_TOKEN": "sv=2026-01-01&sp=rwdl&sig=zqxjsignature%3D"}
AZURE_CLIENT = {
    "AZURE_CLIENT_ID": "client",
    "AZURE_CLIENT_SECRET": "zqxjpassword",
    "AZURE_TENANT_ID": "tenant",
}
GCS = {
    "GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(
        {"client_email": "a@b.c", "private_key_id": "zqxjid", "private_key": "zqxjkey"}
    )
}
VERBS = (["GET"], ["PUT"], ["DELETE"], ["LIST", "GET", "PUT", "DELETE"])
NEEDLES = ("zqxj", "enF4amFjY291bnRrZXk", "ACCESSKEY")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Answering, bytes]]:
    """A server behind TLS, as credentials that travel want it, and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    with answering(tls=certified(folder / "ca.crt", folder / "key")) as running:
        yield running, (folder / "ca.crt").read_bytes()


def said(datastore: PlannedDatastore, secret: Mapping[str, str], ca: bytes, root: Path) -> str:
    """What a probe says, whatever becomes of it."""
    for folder, files in (("credentials", secret), ("ca", {"ca.crt": ca.decode()})):
        (root / folder / "default").mkdir(parents=True)
        for name, value in files.items():
            (root / folder / "default" / name).write_text(value)
    try:
        return str(run((), environment({"clusterID": "c", "datastore": datastore_document(datastore)}, root)))
    except MoverFailure as failed:
        return failed.message


def kinds(endpoint: str) -> list[tuple[str, dict[str, Any], dict[str, str]]]:
    azure = {"account": "account", "container": "lake", "endpoint": endpoint}
    return [
        ("s3", {"bucket": "lake", "endpoint": endpoint}, S3),
        ("azureBlob", azure, AZURE_KEY),
        ("azureBlob", azure, AZURE_SAS),
        ("azureBlob", azure, AZURE_CLIENT),
    ]


ANSWERS = [
    (403, "AccessDenied", "not for ECHO:authorization ECHO:x-amz-security-token"),
    (400, "AuthorizationHeaderMalformed", "not for ECHO:path"),
    (409, "ECHO:authorization", "not for ECHO:x-amz-security-token"),
]


def test_a_store_that_repeats_what_it_was_sent_gives_no_secret_away(
    server: tuple[Answering, bytes], tmp_path: Path
) -> None:
    running, ca = server
    told: list[str] = []
    for answer, verbs, (kind, location, secret) in product(ANSWERS, VERBS, kinds(running.endpoint)):
        running.refused = dict.fromkeys(verbs, answer)
        place = PlannedDatastore("default", location, kind, credentials_secret="keys", ca_config_map="ca")
        told.append(said(place, secret, ca, tmp_path / str(len(told))))
    assert not [words for words in told if any(needle in words for needle in NEEDLES)]
    # What it was sent is there, or nothing would be proven.
    for repeated in (
        "not for AWS4-HMAC-SHA256 Credential=ZQXJ…/",
        "not for SharedKey account:",
        "comp=list&…",
    ):
        assert repeated in "".join(told)


@pytest.mark.parametrize(
    "words", ["Bearer zqxj.a-b_c", "bearer zqxj", "?sv=1&sig=zqxj%3D&se=2", "Signature=zqxj"]
)
def test_a_token_that_nobody_wrote_into_a_secret_is_not_shown_either(tmp_path: Path, words: str) -> None:
    """Those of the pod's own identity: the server is a fake that repeats them."""
    with answering(refused={"LIST": (403, "AccessDenied", f"not for {words}")}) as running:
        location = {"bucket": "lake", "endpoint": running.endpoint}
        told = said(PlannedDatastore("default", location, "s3", credentials_secret="keys"), S3, b"", tmp_path)
    assert "not for " in told
    assert "zqxj" not in told


@pytest.mark.parametrize(
    ("kind", "location", "secret"),
    [
        ("s3", {"bucket": "b", "endpoint": "http://user:zqxj@s3"}, S3),
        ("s3", {"bucket": "b", "endpoint": "http://s3"}, S3 | {"AWS_ACCESS_KEY_ID": "zqxj with spaces"}),
        ("s3", {"bucket": "b", "endpoint": "http://s3"}, S3 | {"AWS_SESSION_TOKEN": "zqxj\nzqxj"}),
        ("s3", {"bucket": "b"}, {"AWS_SECRET_ACCESS_KEY": "zqxj"}),
        ("azureBlob", {"account": "a", "container": "lake"}, {"AZURE_STORAGE_ACCOUNT_KEY": "zqxj!"}),
        ("azureBlob", {"account": "a", "container": "lake"}, {"AZURE_STORAGE_SAS_TOKEN": "sig=zqxj zqxj"}),
        (
            "azureBlob",
            {"account": "a", "container": "lake", "endpoint": "http://h/?sig=zqxj"},
            AZURE_SAS,
        ),
        ("gcs", {"bucket": "lake"}, {"GOOGLE_SERVICE_ACCOUNT_KEY": "zqxj"}),
        ("gcs", {"bucket": "lake"}, {"GOOGLE_SERVICE_ACCOUNT_KEY": '{"private_key": "zqxj'}),
        ("gcs", {"bucket": "lake"}, GCS),
    ],
)
def test_a_secret_that_cannot_be_used_is_not_shown(
    tmp_path: Path, kind: str, location: dict[str, Any], secret: dict[str, str]
) -> None:
    words = said(
        PlannedDatastore("default", location, kind, credentials_secret="keys"), secret, b"", tmp_path
    )
    assert "Datastore default" in words
    assert "zqxj" not in words
