"""Secrets as people paste them, and stores that talk: each wrong value is a named refusal, and none is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.store import Identity
from mover.answering import answering
from mover.movers import probe
from mover.transfers import an_s3, write_secret
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.store_s3 import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, read_credentials
from towpath_mover.stores import Places, open_store


def planned(endpoint: str) -> PlannedDatastore:
    s3 = {"bucket": "b", "prefix": "", "endpoint": endpoint, "region": "us-east-1"}
    return PlannedDatastore("default", s3, credentials_secret="s3-creds")


def opened_with(folder: Path, secret: dict[str, bytes], ca: bytes | None = None) -> MoverFailure:
    place = Places(folder / "credentials", folder / "ca")
    write_secret(place.credentials / "lake", Identity("a-key", "a-secret"))
    for name, value in secret.items():
        (place.credentials / "lake" / name).write_bytes(value)
    if ca is not None:
        (place.ca / "lake").mkdir(parents=True)
        (place.ca / "lake" / "ca.crt").write_bytes(ca)
    named = "my-ca" if ca is not None else None
    datastore = an_s3(location={"endpoint": "https://s3"}, credentials_secret="c", ca_config_map=named)
    with pytest.raises(MoverFailure) as raised:
        open_store(datastore, place)
    return raised.value


@pytest.mark.parametrize("name", [ACCESS_KEY, SESSION_TOKEN])
@pytest.mark.parametrize(
    "value", [b"AKIA\nfoo", b"AK IA", "AKIÁ".encode(), b"AK\xff", b"AK\0", b"\xef\xbb\xbfAK"]
)
def test_a_value_that_no_header_can_carry_is_named_and_not_shown(
    tmp_path: Path, name: str, value: bytes
) -> None:
    failed = opened_with(tmp_path, {name: value})
    assert failed.reason is Reason.CREDENTIALS_REFUSED
    assert f"{name} of Secret 'c'" in failed.message
    assert "AK" not in failed.message.replace(name, "")


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"],
)
def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    failed = opened_with(tmp_path, {}, content)
    assert failed.reason is Reason.CERTIFICATE_NOT_TRUSTED
    assert "ca.crt in ConfigMap 'my-ca'" in failed.message


def test_a_store_that_repeats_what_it_was_given_gives_no_secret_away(tmp_path: Path) -> None:
    # Somebody pasted the two fields the wrong way round, and the store names the key that it does not know.
    swapped = Identity(access_key="the-real-secret", secret_key="AKIAEXAMPLE")
    words = f"No such key: {swapped.access_key}, {swapped.secret_key}"
    with answering(refused={"LIST": (403, "AccessDenied", words)}) as server:
        ended = probe(planned(server.endpoint), swapped, tmp_path / "root")
    assert ended.report["reason"] == "PermissionDenied"
    assert "No such key: the-…" in ended.report["message"]
    for secret in swapped.access_key, swapped.secret_key:
        assert secret not in str(ended)


def test_a_secret_key_may_hold_what_a_header_may_not(tmp_path: Path) -> None:
    place = Places(tmp_path / "credentials", tmp_path / "ca")
    write_secret(place.credentials / "lake", Identity("a-key", "a pass phrase"))
    store = open_store(an_s3(credentials_secret="c"), place)
    credentials = read_credentials(store.datastore, place)
    assert credentials is not None
    assert credentials.secret_key == "a pass phrase"
    assert "phrase" not in repr(store)
    assert SECRET_KEY not in repr(store)
