"""Opening a store, and what its refusals say: what failed, where, as whom, what to do; never a secret."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from cluster.access import S3
from cluster.space import Space
from cluster.store import Identity
from mover.transfers import HASTE, a_store, an_s3, behind, write_secret
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import Fields, OrderError
from towpath_mover.objects import delete_object, object_state, read_object, write_object
from towpath_mover.store_s3 import ACCESS_KEY, SECRET_KEY
from towpath_mover.stores import _MODULES, PROBE, Datastore, Kind, Places, Store, datastore_from, open_store

NOBODY = Identity("nobody-known", "some-secret")


def a_place(folder: Path) -> Places:
    return Places(folder / "credentials", folder / "ca")


def refused(action: Callable[[], object]) -> MoverFailure:
    with pytest.raises(MoverFailure) as raised:
        action()
    return raised.value


def test_a_run_documents_datastore_is_read() -> None:
    document: dict[str, Any] = {
        "name": "default",
        "readOnly": True,
        "s3": {
            "bucket": "b",
            "prefix": "/team/a",
            "endpoint": "http://s3",
            "region": "eu",
            "createBucket": True,
        },
        "credentialsSecret": "creds",
        "caConfigMap": "ca",
    }
    assert datastore_from(Fields(document, "datastore")) == Datastore(
        "default", Kind.S3, document["s3"], "team/a/", "creds", "ca", True
    )


def test_what_a_datastore_leaves_out_has_a_default() -> None:
    assert datastore_from(Fields({"name": "d", "s3": {"bucket": "b"}}, "datastore")) == an_s3("d")


LOCATIONS = {
    Kind.S3: {"bucket": "b"},
    Kind.AZURE_BLOB: {"account": "acct", "container": "c"},
    Kind.GCS: {"bucket": "b"},
    Kind.PERSISTENT_VOLUME_CLAIM: {"claimName": "data"},
}
LOADED = """
import pathlib, sys
from towpath_mover.stores import Datastore, Kind, Places, open_store
places = Places(*[pathlib.Path(sys.argv[3])] * 3)
open_store(Datastore("d", Kind(sys.argv[1]), eval(sys.argv[2])), places)
print(*sorted(name for name in sys.modules if name.startswith("towpath_mover.store_")))
print(*sys.modules.keys() & {"minio", "azure", "pyarrow", "pydantic", "kubernetes", "http.server", "asyncio"})
"""


@pytest.mark.parametrize("kind", Kind)
def test_a_store_loads_its_own_kind_and_nothing_else_that_is_slow(tmp_path: Path, kind: Kind) -> None:
    (tmp_path / "d").mkdir()
    command = [sys.executable, "-c", LOADED, kind, str(LOCATIONS[kind]), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    own, slow = done.stdout.splitlines()
    assert own == f"towpath_mover.{_MODULES[kind]}"
    assert slow == ""


def test_a_kind_of_store_that_this_mover_does_not_know_is_a_bug_and_said_so() -> None:
    with pytest.raises(OrderError, match="'d' is of a kind that this mover does not know"):
        datastore_from(Fields({"name": "d", "tape": {"reel": "9"}}, "datastore"))


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({}, f"{ACCESS_KEY} and {SECRET_KEY}"),
        ({ACCESS_KEY: "a"}, SECRET_KEY),
        ({SECRET_KEY: "s"}, ACCESS_KEY),
        ({ACCESS_KEY: "a", SECRET_KEY: " \n"}, SECRET_KEY),
    ],
)
def test_a_missing_key_is_named_with_its_secret(tmp_path: Path, files: dict[str, str], named: str) -> None:
    place = a_place(tmp_path)
    (place.credentials / "lake").mkdir(parents=True)
    for name, value in files.items():
        (place.credentials / "lake" / name).write_text(value)
    failed = refused(lambda: open_store(an_s3(credentials_secret="lake-creds"), place))
    assert failed.reason is Reason.CREDENTIALS_MISSING
    assert failed.exit is Exit.CREDENTIALS_REFUSED
    assert f"needs {named} in Secret 'lake-creds'" in failed.message
    assert "Datastore lake" in failed.message


def test_a_secret_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    failed = refused(lambda: open_store(an_s3(credentials_secret="lake-creds"), a_place(tmp_path)))
    assert failed.reason is Reason.CREDENTIALS_MISSING


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    write_secret(tmp_path / "credentials" / "lake", NOBODY)
    datastore = an_s3(location={"endpoint": "https://s3"}, credentials_secret="c", ca_config_map="my-ca")
    failed = refused(lambda: open_store(datastore, a_place(tmp_path)))
    assert failed.reason is Reason.CERTIFICATE_NOT_TRUSTED
    assert "'my-ca'" in failed.message


@pytest.mark.parametrize(
    "endpoint", ["s3.data:9000", "ftp://s3", "http://", "http://a b", "http://user:word@s3", ""]
)
def test_an_endpoint_that_is_no_address_is_refused_before_it_is_used(tmp_path: Path, endpoint: str) -> None:
    failed = refused(lambda: open_store(an_s3(location={"endpoint": endpoint}), a_place(tmp_path)))
    assert failed.reason is Reason.ENDPOINT_INVALID


def test_credentials_are_read_anew_at_each_opening(tmp_path: Path) -> None:
    datastore = an_s3(credentials_secret="c")
    write_secret(tmp_path / "credentials" / "lake", Identity("first-key", "1"))
    first = open_store(datastore, a_place(tmp_path))
    write_secret(tmp_path / "credentials" / "lake", Identity("other-key", "2"))
    assert open_store(datastore, a_place(tmp_path)).identity != first.identity


def test_neither_a_store_nor_its_credentials_show_a_secret(tmp_path: Path) -> None:
    write_secret(tmp_path / "credentials" / "lake", Identity("an-access-key", "a-secret-key"))
    store = open_store(an_s3(credentials_secret="c"), a_place(tmp_path))
    assert "a-secret-key" not in repr(store) + store.where("k") + store.identity
    assert "an-access-key" not in store.identity


def all_refusals(store: Store) -> list[MoverFailure]:
    actions: list[Callable[[], object]] = [
        lambda: read_object(store, "a"),
        lambda: write_object(store, "a", b"1"),
        lambda: delete_object(store, "a"),
        lambda: object_state(store, "a"),
    ]
    return [refused(action) for action in actions]


@pytest.mark.server
@pytest.mark.parametrize("wrong", ["secret", "key"])
def test_refused_credentials_say_as_whom_and_where(local_s3: Space, tmp_path: Path, wrong: str) -> None:
    admin = local_s3.s3.admin
    identity = replace(admin, secret_key="wrong-one") if wrong == "secret" else NOBODY
    store = a_store(local_s3, tmp_path, PROBE, identity)
    for failed in all_refusals(store):
        assert failed.exit is Exit.CREDENTIALS_REFUSED
        assert "Secret 'store-creds'" in failed.message
        assert local_s3.bucket in failed.message
        assert identity.secret_key not in failed.message
    assert refused(lambda: read_object(store, "a")).reason is Reason.CREDENTIALS_REFUSED


@pytest.mark.server
def test_a_reader_that_writes_is_told_which_permission_it_lacks(local_s3: Space, tmp_path: Path) -> None:
    assert local_s3.s3.reader
    store = a_store(local_s3, tmp_path, PROBE, local_s3.s3.reader)
    local_s3.put("a", b"1")
    assert read_object(store, "a") == b"1"
    for action in (lambda: write_object(store, "a", b"2"), lambda: delete_object(store, "a")):
        failed = refused(action)
        assert failed.reason is Reason.PERMISSION_DENIED
        assert "Grant this identity" in failed.message


@pytest.mark.server
def test_a_missing_object_is_named_with_its_whole_key(local_s3: Space, tmp_path: Path) -> None:
    failed = refused(lambda: read_object(a_store(local_s3, tmp_path), "some/key"))
    assert failed.reason is Reason.OBJECT_NOT_FOUND
    assert f"'{local_s3.prefix}some/key'" in failed.message


@pytest.mark.server
def test_a_missing_bucket_is_not_a_missing_object(local_s3: Space, tmp_path: Path) -> None:
    space = replace(local_s3, s3=replace(local_s3.s3, bucket="never-made"))
    failed = refused(lambda: read_object(a_store(space, tmp_path), "a"))
    assert failed.reason is Reason.BUCKET_NOT_FOUND
    assert "'never-made'" in failed.message


def at(endpoint: str) -> Space:
    return behind(Space(S3(""), "p/", None), endpoint)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("endpoint", "reason", "words"),
    [
        ("http://nowhere.invalid", Reason.ENDPOINT_NOT_FOUND, "host name is not known"),
        ("http://127.0.0.1:9", Reason.ENDPOINT_UNREACHABLE, "nothing accepts connections"),
    ],
)
def test_a_wrong_endpoint_is_said(tmp_path: Path, endpoint: str, reason: Reason, words: str) -> None:
    failed = refused(lambda: read_object(a_store(at(endpoint), tmp_path, PROBE), "a"))
    assert failed.reason is reason
    assert failed.exit is Exit.TRY_AGAIN
    assert words in failed.message
    assert endpoint in failed.message


def test_an_endpoint_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        failed = refused(lambda: read_object(a_store(at(endpoint), tmp_path, HASTE), "a"))
    assert failed.reason is Reason.NO_ANSWER
    assert "no answer in time" in failed.message


@pytest.mark.server
def test_https_to_a_plain_server_says_so(local_s3: Space, tmp_path: Path) -> None:
    endpoint = local_s3.s3.endpoint.replace("http://", "https://")
    failed = refused(lambda: read_object(a_store(behind(local_s3, endpoint), tmp_path, PROBE), "a"))
    assert failed.reason is Reason.CERTIFICATE_NOT_TRUSTED
    assert "does not speak TLS" in failed.message
