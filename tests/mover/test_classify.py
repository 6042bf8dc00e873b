"""Every failure of a store says what failed, where, as whom, and what to do, whatever the store's client said."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.store import Identity
from mover.transfers import an_s3, write_secret
from towpath_mover.classify import _CODES, _SIGNS, failure
from towpath_mover.object_store import ObjectStore
from towpath_mover.stores import Places, open_store

TEXTS = [
    *(f"status code: 400 <Code>{code}</Code><Message>Words</Message>" for code in _CODES if code.isalpha()),
    *(f"status code: {code}" for code in _CODES if code.isdigit()),
    *_SIGNS,
    "status code: 503",
    "status code: 418",
    "GET http://169.254.169.254/latest",
    "nothing that is known",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_failure_says_what_where_as_whom_and_what_to_do(tmp_path: Path, text: str) -> None:
    write_secret(tmp_path / "credentials/lake", Identity("AKIASOMEBODY", "a-secret"))
    place = {"endpoint": "http://minio.data:9000"}
    store = open_store(an_s3(location=place, credentials_secret="keys"), Places(tmp_path / "credentials"))
    assert isinstance(store, ObjectStore)
    message = failure(Exception(text), store, "read", "a/b").message
    where = "Could not read object 'a/b' in bucket 'b' at http://minio.data:9000 (Datastore lake)"
    said, _, rest = message.partition(" as access key 'AKIA…' of Secret 'keys': ")
    assert said == where
    what, _, advice = rest.partition(". ")
    assert what
    assert advice.endswith(".")
    assert len(advice.split()) > 3
